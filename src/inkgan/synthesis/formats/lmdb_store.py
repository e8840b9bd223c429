"""LMDB as CRNN, PARSeq and deep-text-recognition-benchmark read it: a database for each split.

Keys are num-samples, image-000000001 and label-000000001 and so on, from 1.
"""

from pathlib import Path

from inkgan.optional_imports import import_extra
from inkgan.synthesis.formats.files_of_pictures import Lines, Placed

MAP_SIZE = 1 << 40  # the largest possible size; the file only grows as needed
PER_TRANSACTION = 1000


def write_lmdb(folder: Path, split: str, count: int, lines: Lines) -> Placed:
    """Write one split; the file is smaller than the map, and the lock file is not kept."""
    lmdb = import_extra("lmdb", "lmdb", "the format lmdb")
    path = folder / split
    path.mkdir(parents=True)
    with lmdb.open(str(path), map_size=MAP_SIZE, lock=False, sync=False, metasync=False) as store:
        batch: list[tuple[bytes, bytes]] = [(b"num-samples", str(count).encode())]
        for line in lines:
            number = f"{line.index + 1:09d}".encode()
            batch += [(b"image-" + number, line.image), (b"label-" + number, line.text.encode())]
            if len(batch) >= 2 * PER_TRANSACTION:
                _put(store, batch)
            yield line, f"{split}/data.mdb"
        _put(store, batch)
        store.sync(True)


def _put(store: object, batch: list[tuple[bytes, bytes]]) -> None:
    with store.begin(write=True) as transaction:  # type: ignore[attr-defined]
        for key, value in batch:
            transaction.put(key, value)
    batch.clear()
