"""Images of one's own: each is checked, and stored under its class for `folder:PATH`."""

import contextlib
import hashlib
import io
import os
import re
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from inkgan import files
from inkgan.errors import ArtifactError, ConfigError
from inkgan.studio.api_runs import jobs_of
from inkgan.studio.run_folders import check_new_name

router = APIRouter(prefix="/api/uploads")
FORMATS = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "BMP": "bmp", "WEBP": "webp", "TIFF": "tif"}
MOST_PIXELS = 40_000_000  # of one picture: what is larger is no digit, or a decompression bomb
MOST_FILES = 100_000  # of a set
MOST_CLASSES = 1000
CLASS_NAME = re.compile(r"[^\W_][\w .+-]{0,59}")


@router.get("")
def list_sets(request: Request) -> dict[str, Any]:
    """List the sets that were uploaded, with the images of each class."""
    root = _root(request)
    sets = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return {
        path.name: {"data": f"folder:{path}", "classes": _classes(path)}
        for path in sets
        if not path.name.startswith(".")
    }


@router.put("/{set_name}/{class_name}")
async def upload(set_name: str, class_name: str, request: Request) -> dict[str, Any]:
    """Store one picture, the body of the request; the same picture again changes nothing."""
    check_new_name(set_name)
    if not CLASS_NAME.fullmatch(class_name) or class_name != class_name.rstrip(" ."):
        raise ConfigError(
            f"`class_name` must begin with a letter or digit, and have at most 60 letters, digits, "
            f"spaces, dots, +, - and _, not {class_name[:80]!r}"
        )
    data = await request.body()
    folder = _root(request) / set_name
    stored = await run_in_threadpool(_store, folder, class_name, data)
    return {"stored": stored, "classes": await run_in_threadpool(_classes, folder)}


def _store(folder: Path, class_name: str, data: bytes) -> bool:
    """Check a picture and write it; return whether it is new."""
    ending = check_upload(data)
    target = folder / class_name
    if not target.is_dir() and len(_classes(folder)) >= MOST_CLASSES:
        raise HTTPException(413, f"A set may have {MOST_CLASSES:,} classes.")
    if sum(_classes(folder).values()) >= MOST_FILES:
        raise HTTPException(413, f"A set may have {MOST_FILES:,} images.")
    path = target / f"{hashlib.blake2b(data, digest_size=12).hexdigest()}.{ending}"
    if path.exists():
        return False
    try:
        with files.atomic(path) as temporary:
            temporary.write_bytes(data)
    except ArtifactError:
        for empty in (target, folder):  # no class without images stays behind
            with contextlib.suppress(OSError):
                empty.rmdir()
        raise
    return True


def check_upload(data: bytes) -> str:
    """Return the ending of a picture's format, without decoding its pixels.

    Raises:
        ConfigError: it is no picture, damaged, or has too many pixels.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=tuple(FORMATS)) as picture:
            ending = FORMATS[picture.format or ""]
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise Image.DecompressionBombError
            picture.verify()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ConfigError(f"the picture has more than {MOST_PIXELS:,} pixels") from None
    except Exception as error:  # Pillow raises some dozen kinds
        raise ConfigError(f"the file is no picture that can be read ({error})") from None
    return ending


def _classes(folder: Path) -> dict[str, int]:
    """Count the images of each class."""
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir())
    kept = [name for name in names if not name.startswith(".")]
    return {name: sum(1 for _ in (folder / name).iterdir()) for name in kept}


def _root(request: Request) -> Path:
    return jobs_of(request).folders.root / ".studio" / "data"
