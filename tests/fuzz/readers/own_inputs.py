"""Texts and backgrounds of one's own for data sets, and the ids that loggers keep."""

import shutil
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from inkgan import files
from inkgan.runs.loggers.run_logger import IDS, LoggedRun
from inkgan.synthesis.paper.background_folder import LARGEST_SIDE, BackgroundFolder, load_background
from inkgan.synthesis.texts.text_list import TextList
from tests.fuzz.harness import FileReader, Reader, register
from tests.fuzz.mutators import mutate_file


@register
class Texts(FileReader):
    """A file with a text on each line."""

    name, file = "texts", "texts.txt"

    def prepare(self, folder: Path) -> None:
        """Write some."""
        text = "\ufeff2026-11-26\r\n12.50\n\n 7 / 8\n"
        (folder / self.file).write_text(text, encoding="utf-8", newline="")

    def read(self, folder: Path) -> list[str]:
        """Read them."""
        found = TextList.read(folder / self.file)
        return [found[place] for place in range(len(found))]

    def check(self, value: list[str], intact: list[str], warned: bool) -> None:
        """Every text can be written."""
        assert value
        assert all(text.strip() and set(text) <= set("0123456789 .,-/:") for text in value)


@register
class Backgrounds(Reader):
    """A folder of images of paper."""

    name = "backgrounds"
    inputs = 40
    suffixes = (".png", ".jpg", ".webp", ".bmp", ".tif")

    def prepare(self, folder: Path) -> None:
        """Write an image of each kind."""
        paper = np.random.default_rng(0).integers(180, 255, (40, 60, 3)).astype(np.uint8)
        for suffix in self.suffixes:
            Image.fromarray(paper).save(folder / f"a{suffix}")

    def mutate(self, chance: Random, folder: Path) -> str:
        """Damage one; the others are gone."""
        path = folder / f"a{chance.choice(self.suffixes)}"
        kept = folder.parent / "kept"
        shutil.copy(path, kept)
        for entry in folder.iterdir():
            entry.unlink()
        shutil.move(kept, path)
        return mutate_file(chance, path)

    def read(self, folder: Path) -> Any:
        """Open them."""
        load_background.cache_clear()
        return [load_background(path).shape for path in BackgroundFolder.open(folder).files]

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """They are colored pictures."""
        for height, width, channels in value:
            assert 1 <= height <= LARGEST_SIDE
            assert 1 <= width <= LARGEST_SIDE
            assert channels == 3


@register
class LoggerIds(FileReader):
    """The ids of a run in its loggers: without them a logger begins again."""

    name, file = "logger-ids", IDS

    def prepare(self, folder: Path) -> None:
        """Write one."""
        files.write_json(folder / self.file, {"wandb": "abc"})

    def read(self, folder: Path) -> str | None:
        """Read it, and keep another."""
        run = LoggedRun(folder, {}, 0)
        known = run.known_id("wandb")
        run.keep_id("mlflow", "1")
        assert run.known_id("mlflow") == "1"
        return known

    def check(self, value: str | None, intact: str | None, warned: bool) -> None:
        """It is a text or missing."""
        assert value is None or isinstance(value, str)
