"""What `inkgan.synth` returns: a finished data set, which shows itself in a notebook."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from inkgan import images
from inkgan.errors import ArtifactError
from inkgan.synthesis.data_card import describe_files, summarize, title
from inkgan.synthesis.formats.preview import read_first_images
from inkgan.synthesis.records import RECORDS, read_records
from inkgan.synthesis.sequence_files import PREVIEW
from inkgan.types import UInt8

PREVIEW_IMAGES, PREVIEW_COLUMNS = 40, 20


@dataclass(frozen=True)
class SynthesisResult:
    """A finished data set.

    Attributes:
        path: its folder.
        manifest: what its manifest.json holds: the request, counts and measured label quality.
        already: it was complete before the call, and nothing was drawn.
        url: its address where it is in an object store; `path` is no folder then.

    Examples:
        >>> result = inkgan.synth("digits", per_class=100)
        >>> result.manifest["measured"]["label_accuracy"]
    """

    path: Path
    manifest: dict[str, Any]
    already: bool
    url: str | None = None

    @property
    def place(self) -> str:
        """The address, or else the path."""
        return self.url or str(self.path)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as values of JSON."""
        return {"path": self.place, "already": self.already, "manifest": self.manifest}

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the record of each picture, in order: its file, label and measures, or its text.

        Raises:
            ArtifactError: manifest.jsonl is damaged, or the files of parquet and webdataset hold
                the records themselves.

        Example:
            >>> [record["label"] for record in result.records()]
        """
        if RECORDS not in self.manifest["entries"]:
            raise ArtifactError(
                f"{self.place} has no {RECORDS}: labels and seeds are beside the images"
            )
        return read_records(self.path / RECORDS)

    def __repr__(self) -> str:
        return f"<SynthesisResult {self.place}: {summarize(self.manifest, self.already)}>"

    def _repr_html_(self) -> str:
        """Show a contact sheet of the first images, the counts and the files in a notebook."""
        manifest = self.manifest
        head = "".join(f"<th>{escape(name)}</th>" for name in manifest["classes"])
        rows = "".join(
            f"<tr><th>{escape(split)}</th>"
            + "".join(f"<td>{count:,}</td>" for count in counts.values())
            + "</tr>"
            for split, counts in manifest["measured"]["digits"].items()
        )
        listed = "".join(
            f"<li>{_code(names)}: {_code(meaning)}</li>"
            for names, meaning in describe_files(manifest)
        )
        return (
            f"<h4>{escape(title(manifest))}</h4>"
            f"<p>{escape(summarize(manifest, self.already))}</p>"
            f"{self._pictures()}"
            f"<table><tr><th></th>{head}</tr>{rows}</table>"
            f"<p>Files in <code>{escape(self.place)}</code>:</p><ul>{listed}</ul>"
        )

    def _pictures(self) -> str:
        """Show the first images of a folder."""
        if self.url is not None:
            return ""
        uri = images.data_uri(self._contact_sheet())
        return f'<p><img src="{uri}" alt="First images"></p>'

    def _contact_sheet(self) -> UInt8:
        if PREVIEW in self.manifest["entries"]:
            return images.read_picture(self.path / PREVIEW)
        first = read_first_images(self.path, self.manifest, PREVIEW_IMAGES)
        return images.grid(first, columns=PREVIEW_COLUMNS)


def _code(text: str) -> str:
    """Escape a text; words between backticks become code."""
    parts = escape(text).split("`")
    return "".join(
        f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts)
    )
