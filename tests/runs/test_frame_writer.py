"""Tests for inkgan.runs.frame_writer: training waits for no disk, and the newest picture wins."""

import io
import threading
import time

import numpy as np
from PIL import Image

from inkgan.runs.frame_writer import FrameWriter


class Disk:
    """Takes one picture after the other, each only when it may."""

    def __init__(self) -> None:
        self.numbers: list[object] = []
        self.pictures: list[bytes] = []
        self.began, self.may_end = threading.Semaphore(0), threading.Semaphore(0)

    def write(self, picture: bytes, document: dict[str, object]) -> None:
        self.began.release()
        assert self.may_end.acquire(timeout=30)
        self.numbers.append(document["number"])
        self.pictures.append(picture)


def test_a_slow_disk_delays_nobody_and_gets_the_newest_picture() -> None:
    disk = Disk()
    writer = FrameWriter(disk.write)
    pictures = [np.full((4, 6), number, np.uint8) for number in range(5)]
    writer.put(pictures[0], {"number": 0})
    assert disk.began.acquire(timeout=30)
    for number in (1, 2, 3, 4):
        writer.put(pictures[number], {"number": number})  # returns though the disk is busy
    assert not disk.numbers
    for _ in range(2):
        disk.may_end.release()
    writer.close()
    assert disk.numbers == [0, 4]
    with Image.open(io.BytesIO(disk.pictures[1])) as picture:
        assert np.array_equal(np.asarray(picture), pictures[4])
    assert writer.spent > 0


def test_a_writer_without_pictures_starts_no_thread() -> None:
    before = threading.active_count()
    writer = FrameWriter(lambda picture, document: time.sleep(60))
    writer.close()
    assert threading.active_count() == before
    assert writer.spent == 0
