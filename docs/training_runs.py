"""Train the healthy and the sick runs of docs/curves.md and docs/first-gan.md and draw them.

Run it with `python docs/training_runs.py`; it takes about ten minutes on two cores. Runs that are
complete in the folder `--runs` are drawn without training them again.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import inkgan
from inkgan import images
from inkgan.images import read_picture
from inkgan.plotting import save_figure
from inkgan.runs.curves import PANELS
from inkgan.types import UInt8

IMAGES = Path(__file__).with_name("images")
# Name: recipe, epochs, what is changed.
RUNS: dict[str, tuple[str, int, dict[str, str | float]]] = {
    "healthy": ("vanilla", 6, {}),
    "collapsed": ("mlp", 3, {"model.init": "torch"}),
    "rate": ("vanilla", 3, {"optim.lr": 1e-2}),
    "weak": ("vanilla", 4, {"model.discriminator.dropout": 0.9}),
}
SHOWN = ("Losses", "Accuracy of the discriminator", "Standard deviation of a pixel over the batch")
FRAMES = (0, 1, 2, 4, 6)  # epochs of the healthy run
COLUMNS = 6  # of a grid's images that are shown


def main() -> None:
    """Train what is missing, and draw all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/curves"))
    folder = parser.parse_args().runs
    for name, (recipe, epochs, overrides) in RUNS.items():
        run = inkgan.train(recipe, out=folder / name, epochs=epochs, overrides=overrides)
        draw(run, IMAGES / f"run-{name}.png")
    frames = sorted((folder / "healthy" / "samples").glob("step-*.png"))
    images.save_png(IMAGES / "first-gan.png", beside([_part(frames[epoch], 4) for epoch in FRAMES]))


def draw(run: inkgan.Run, path: Path) -> None:
    """Draw the last samples of a run and three panels of its curves, two in a row."""
    figure = Figure((7.2, 4.6), layout="constrained")
    axes = figure.subplots(2, 2).flat
    last = sorted((run.path / "samples").glob("step-*.png"))[-1]
    axes[0].imshow(_part(last, COLUMNS), cmap="gray", vmin=0, vmax=255)
    axes[0].set_title("The last samples", fontsize=10)
    axes[0].set_axis_off()
    chosen = {panel.title: panel for panel in PANELS}
    for ax, panel in zip(axes[1:], (chosen[title] for title in SHOWN), strict=True):
        for line in panel.lines:
            rows = [row for row in run.metrics if line.metric in row]
            ax.plot(
                [row["epoch"] for row in rows],
                [row[line.metric] for row in rows],
                color=line.color,
                label=line.label,
            )
        ax.set_title(panel.title.removesuffix(" over the batch"), fontsize=10)
        ax.set_xlabel("epoch", fontsize=9)
        ax.tick_params(labelsize=9)
        ax.set_ylim(0, 1.02 if panel.is_share else None)
        ax.legend(fontsize=9, frameon=False)
    save_figure(path, figure)


def beside(pictures: list[UInt8]) -> UInt8:
    """Place pictures of one height side by side on white."""
    gap = np.full((pictures[0].shape[0], 12), 255, np.uint8)
    return np.hstack([part for picture in pictures for part in (picture, gap)][:-1])


def _part(grid: Path, columns: int) -> UInt8:
    """Return the first columns and rows of a grid of 8 x 8 images."""
    picture = read_picture(grid)
    size = picture.shape[0] * columns // 8
    return picture[:size, :size]


if __name__ == "__main__":
    main()
