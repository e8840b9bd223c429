"""A trained run as a value: its metrics, its generator, and how it looks in a notebook."""

import base64
import html
from collections.abc import Mapping
from typing import Any

from inkgan.device import choose_device
from inkgan.generation.generator import Generator
from inkgan.generation.load import Checkpoint, load_source
from inkgan.io.run_dir import RunFolder

SHOWN = {  # metrics under a run's pictures, with their formats
    "images": "{:,.0f}",
    "d_loss": "{:.3f}",
    "g_loss": "{:.3f}",
    "e3_distance": "{:.2f}",
    "e3_precision": "{:.3f}",
    "e3_recall": "{:.3f}",
}


class Run(RunFolder):
    """What `inkgan.train` returns: a run folder with its results.

    In a notebook it shows its newest grid, its curves and its last metrics.

    Attributes:
        path: the run folder.
        recipe: what was trained.

    Examples:
        >>> run = inkgan.train("dcgan", out="runs/a", epochs=1)
        >>> run.metrics[-1]["e3_distance"]
        >>> run.generator().sample(seeds=range(10))
    """

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The rows of metrics.jsonl: losses every 50 steps, scores at each evaluation."""
        return self.rows()

    def last_metrics(self) -> dict[str, Any]:
        """Return the newest value of each metric."""
        newest: dict[str, Any] = {}
        for row in self.metrics:
            newest |= row
        return newest

    def generator(self, checkpoint: Checkpoint = "last", device: str = "auto") -> Generator:
        """Load the trained generator.

        Args:
            checkpoint: the last generator or the best-scored one.
            device: auto, cpu, cuda, cuda:N or mps.

        Raises:
            ArtifactError: the run has no generator yet, or it is damaged.
        """
        bundle = load_source(self.path, checkpoint, self.generator_class)
        return Generator(bundle, choose_device(device))

    def to_dict(self) -> dict[str, Any]:
        """Return path, recipe and metrics as plain values."""
        return {
            "path": str(self.path),
            "recipe": self.recipe.model_dump(mode="json"),
            "metrics": self.metrics,
        }

    def _repr_html_(self) -> str:
        title = f"{self.recipe.name} on {self.recipe.data.name}, {self.path}"
        pictures = [
            path.read_bytes() for path in (self.grid_path, self.curves_path) if path.exists()
        ]
        return to_html(title, pictures, self.last_metrics())

    def __repr__(self) -> str:
        seen = self.last_metrics().get("images", 0)
        return f"<Run {self.path}: {self.recipe.name}, {seen:,} images seen>"


def to_html(title: str, pictures: list[bytes], metrics: Mapping[str, Any], note: str = "") -> str:
    """Return a title, PNG pictures one below the other, and the metrics of SHOWN, as HTML."""
    parts = [f"<div><strong>{html.escape(title)}</strong>"]
    if note:
        parts.append(f"<p>{html.escape(note)}</p>")
    for picture in pictures:
        text = base64.b64encode(picture).decode()
        parts.append(
            f'<p><img src="data:image/png;base64,{text}" style="max-width: 100%" alt=""></p>'
        )
    known = {key: form.format(metrics[key]) for key, form in SHOWN.items() if key in metrics}
    if known:
        head = "".join(f"<th>{key}</th>" for key in known)
        row = "".join(f"<td>{value}</td>" for value in known.values())
        parts.append(f"<table><tr>{head}</tr><tr>{row}</tr></table>")
    return "\n".join([*parts, "</div>"])
