"""A run killed at random moments, by SIGKILL, reaches the bits of an uninterrupted one."""

import os
import random
import time
from pathlib import Path

import pytest

from inkgan.config import Recipe
from inkgan.config.serialize import to_toml
from inkgan.io.run_dir import RunFolder
from tests.cli.test_kill_commands import run

KILLS = int(os.environ.get("INKGAN_KILLS", "6"))


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_sigkill_at_random_moments_loses_nothing(tiny: Recipe, tmp_path: Path) -> None:
    recipe_path = tmp_path / "tiny.toml"
    recipe_path.write_text(to_toml(tiny.model_copy(update={"name": "tiny"})))
    words = ["train", str(recipe_path), "--sample-every", "640", "--threads", "2", "--out"]
    run(tmp_path, ["version"])  # the server of processes starts here
    began = time.monotonic()
    assert run(tmp_path, [*words, "whole"]) == 0, (tmp_path / "errors.txt").read_text("utf-8")
    duration = time.monotonic() - began
    seed = int(os.environ.get("INKGAN_KILL_SEED", random.SystemRandom().randrange(2**32)))
    chance = random.Random(seed)  # other moments every time: the claim is for any of them
    moments = [duration * chance.uniform(0.05, 1.0) for _ in range(KILLS)]
    # shown if the test fails; the seed repeats it
    print(f"INKGAN_KILL_SEED={seed}: killed after {', '.join(f'{m:.2f}' for m in moments)} s")
    codes = [run(tmp_path, [*words, "cut"], moment) for moment in moments]
    assert run(tmp_path, [*words, "cut"]) == 0, (tmp_path / "errors.txt").read_text("utf-8")
    killed = codes.count(None)
    print(f"killed {killed} times in {KILLS} tries")
    assert killed > 0
    whole, cut = RunFolder.open(tmp_path / "whole"), RunFolder.open(tmp_path / "cut")
    for name in ("last", "best"):
        one, other = whole.load_checkpoint(name), cut.load_checkpoint(name)
        assert one is not None
        assert other is not None
        assert {k: v.tolist() for k, v in one[0].items()} == {
            k: v.tolist() for k, v in other[0].items()
        }
    assert whole.bundle_path.read_bytes() == cut.bundle_path.read_bytes()
    assert [p.name for p in whole.frames()] == [p.name for p in cut.frames()]
    assert whole.grid_path.read_bytes() == cut.grid_path.read_bytes()
