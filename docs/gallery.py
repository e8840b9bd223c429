"""Draw the pictures of README.md and docs/ with the shipped flagship and the cookbook's commands.

Run it with `python docs/gallery.py`. INKGAN_DATA is a folder with MNIST, for the imitated digits.
`python docs/gallery.py RUN` draws live.gif alone, from the sample grids of a run: for the README
those of `inkgan train flagship-quick --sample-interval 1000`, stopped after 80,608 images.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

import inkgan
from inkgan import images
from inkgan.config import Data
from inkgan.data.dataset import load_dataset
from inkgan.io.run_dir import RunFolder
from inkgan.types import UInt8

IMAGES = Path(__file__).with_name("images")
WRITERS = 8
PHOTOGRAPHED = ([0, 1, 4], [18, 13, 24])  # test digits of MNIST on two sheets
STYLES = (("20", "2"), ("-10", "3.5"))  # degrees, pixels
GAP = 14
PATTERNS = ("date:%d.%m.%Y", "amount:#,##0.00", "phone:0## ### ####", "[0-9]{4,8}")
TEXTS = ("0042", "1,299.50", "2026-11-26", "31415926")
LAYOUTS = (
    inkgan.SequenceLayout(),
    inkgan.SequenceLayout(touching=1),
    inkgan.SequenceLayout(overlapping=1),
    inkgan.SequenceLayout(spacing=(6, 16)),
    inkgan.SequenceLayout(tilt=(5, 8)),
)
LINE_WIDTH = 1200  # of the pictures with many lines, in pixels
FRAMES, ROWS, LEVELS = 40, 5, 16  # of live.gif: fewer gray levels are a third of the size


def main() -> None:
    """Draw all pictures, or the training of a run that is named."""
    if len(sys.argv) > 1:
        live(RunFolder.open(Path(sys.argv[1])))
        return
    writers = np.repeat(np.arange(WRITERS), 10)
    drawn = inkgan.load("flagship").sample([*range(10)] * WRITERS, seeds=writers)
    images.save_png(IMAGES / "flagship.png", images.grid(drawn, 10))
    command("write", "2026-11-21  1,299.50", "--writer", "0", "--out", IMAGES / "writing.png")
    command("morph", "3", "8", "--out", IMAGES / "morph.gif")
    images.save_png(IMAGES / "style.png", beside([styled(*style) for style in STYLES]))
    rows = [beside([sheet, writing], 255) for sheet, writing in map(imitated, PHOTOGRAPHED)]
    images.save_png(IMAGES / "imitation.png", above(rows))
    lines()


def lines() -> None:
    """Draw the pictures of docs/ocr-data.md: what is written, how it stands, and on what paper."""
    found = sequences(inkgan.Sequences(38, pattern=PATTERNS, writers=38))
    images.save_png(IMAGES / "ocr-lines.png", np.asarray(flowing(found, LINE_WIDTH)))
    layouts = [
        flowing(sequences(inkgan.Sequences(texts=TEXTS, writers=1, layout=layout)), LINE_WIDTH)
        for layout in LAYOUTS
    ]
    images.save_png(IMAGES / "ocr-layouts.png", np.asarray(flowing(layouts, 0, gap=0)))
    papers = [
        page
        for kind in ("scan", "photo")
        for page in sequences(
            inkgan.Sequences(16, pattern=PATTERNS, writers=16, paper=inkgan.Paper(kind))
        )
    ]
    flowing(papers, LINE_WIDTH).save(IMAGES / "ocr-paper.jpg", quality=85)


def sequences(wanted: inkgan.Sequences) -> list[Image.Image]:
    """Draw sequences, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        inkgan.synth(Path(folder) / "lines", sequences=wanted, format="coco")
        files = (Path(folder) / "lines" / "images").rglob("*.[jp][pn]g")
        return [Image.open(path).convert("RGB") for path in sorted(files)]


def flowing(pictures: list[Image.Image], width: int, gap: int = 8) -> Image.Image:
    """Lay pictures on gray like words: from left to right, then on the next row."""
    rows: list[list[Image.Image]] = [[]]
    for picture in pictures:
        used = sum(other.width + gap for other in rows[-1])
        if rows[-1] and used + picture.width + 2 * gap > width:
            rows.append([])
        rows[-1].append(picture)
    heights = [max(picture.height for picture in row) + gap for row in rows]
    widest = max(sum(picture.width + gap for picture in row) for row in rows)
    sheet = Image.new("RGB", (widest + gap, sum(heights) + gap), (208, 208, 208))
    for row, top in zip(rows, np.cumsum([gap, *heights]), strict=False):
        left = gap
        for picture in row:
            sheet.paste(picture, (left, int(top)))
            left += picture.width + gap
    return sheet


def live(run: RunFolder) -> None:
    """Animate the first rows of a run's grids: most frames early, where most happens."""
    frames = {run.step_of(path): path for path in run.frames()}
    batch, tile = run.recipe.schedule.images_per_step, 2 * (28 + 2)
    wanted = np.geomspace(4, max(frames), FRAMES)
    chosen = sorted({0, *(min(frames, key=lambda step: abs(step - place)) for place in wanted)})
    pictures = []
    for step in chosen:
        frame = run.read_frame(frames[step])
        assert frame is not None
        gray = frame[: ROWS * tile + 4] // LEVELS * (255 // (LEVELS - 1))
        pictures.append(images.caption(gray, f"{step * batch:,} images"))
    images.save_gif(IMAGES / "live.gif", pictures, seconds=10)


def command(*arguments: str | Path) -> None:
    """Run an inkgan command as a reader would."""
    words = [*map(str, arguments), "--force"]
    subprocess.run([sys.executable, "-m", "inkgan", *words], check=True)


def styled(slant: str, thickness: str) -> UInt8:
    """Draw ten of each digit in a style, at half the usual size."""
    with tempfile.TemporaryDirectory() as folder:
        path, style = Path(folder) / "a.png", ["--slant", slant, "--thickness", thickness]
        command("sample", "--labels", "0-9", "--count", "10", "--scale", "1", *style, "--out", path)
        return images.read_picture(path)


def imitated(rows: list[int]) -> tuple[UInt8, UInt8]:
    """Return a photograph of some test digits, and all digits in their handwriting."""
    test = load_dataset(Data(name="mnist"), "test").images[rows, 0].numpy()
    large = [Image.fromarray(digit).resize((90, 90), Image.Resampling.BICUBIC) for digit in test]
    sheet = photographed(np.hstack([np.asarray(digit) for digit in large]) / 255)
    return sheet, inkgan.imitate(sheet).write("0123456789", height=sheet.shape[0]).to_array()


def photographed(ink: np.ndarray) -> UInt8:
    """Return ink (H, W) in [0, 1] on paper lit from the left, with a shadow and noise."""
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]] / np.array(ink.shape)[:, None, None]
    paper = 0.85 * (1 - 0.4 * x) * np.where(x + y > 1.3, 0.7, 1.0)
    light = paper * (1 - 0.75 * ndimage.gaussian_filter(ink, 1))
    light += np.random.default_rng(0).normal(0, 0.02, light.shape)
    picture: UInt8 = np.rint(255 * light.clip(0, 1)).astype(np.uint8)
    return picture


def beside(pictures: list[UInt8], paper: int = 255) -> UInt8:
    """Place pictures of one height side by side."""
    gap = np.full((pictures[0].shape[0], GAP), paper, np.uint8)
    return np.hstack([part for picture in pictures for part in (picture, gap)][:-1])


def above(pictures: list[UInt8]) -> UInt8:
    """Place pictures of any width one above the other."""
    width = max(picture.shape[1] for picture in pictures)
    padded = [
        np.pad(picture, ((0, GAP), (0, width - picture.shape[1])), constant_values=255)
        for picture in pictures
    ]
    return np.vstack(padded)[:-GAP]


if __name__ == "__main__":
    main()
