"""WebDataset: tar files with a picture, a .txt and a .json for each sequence."""

import io
import json
import tarfile
from pathlib import Path

from inkgan import files
from inkgan.synthesis.formats.files_of_pictures import Lines, Placed

PER_TAR = 10_000


def write_webdataset(folder: Path, split: str, count: int, lines: Lines) -> Placed:
    """Write one split as SPLIT-000000.tar and so on; no file in them has a date or an owner."""
    for number in range(-(-count // PER_TAR)):
        name = f"{split}-{number:06d}.tar"
        with (
            files.atomic(folder / name) as temporary,
            tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            for _ in range(min(PER_TAR, count - number * PER_TAR)):
                line = next(lines)
                record = line.as_json(name)
                labels = {key: record[key] for key in ("text", "writer", "size", "characters")}
                _add(archive, f"{line.index:08d}.json", json.dumps(labels).encode())
                _add(archive, f"{line.index:08d}{line.suffix}", line.image)
                _add(archive, f"{line.index:08d}.txt", line.text.encode())
                yield line, name


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
