"""A run killed at random moments, by SIGKILL, reaches the bits of an uninterrupted one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inkgan.config import Recipe
from inkgan.config.serialize import to_toml
from inkgan.io.run_dir import RunFolder

KILLS = 6


def command(recipe_path: Path, out: Path) -> list[str]:
    arguments = ["train", str(recipe_path), "--out", str(out), "--sample-every", "640"]
    return [sys.executable, "-m", "inkgan", *arguments, "--threads", "2"]


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_sigkill_at_random_moments_loses_nothing(tiny: Recipe, tmp_path: Path) -> None:
    recipe_path = tmp_path / "tiny.toml"
    recipe_path.write_text(to_toml(tiny.model_copy(update={"name": "tiny"})))
    began = time.monotonic()
    subprocess.run(
        command(recipe_path, tmp_path / "whole"), check=True, timeout=240, capture_output=True
    )
    duration = time.monotonic() - began
    seed = int(os.environ.get("INKGAN_KILL_SEED", random.SystemRandom().randrange(2**32)))
    chance = random.Random(seed)  # other moments every time: the claim is for any of them
    moments = [duration * chance.uniform(0.3, 1.0) for _ in range(KILLS)]
    # shown if the test fails; the seed repeats it
    print(f"INKGAN_KILL_SEED={seed}: killed after {', '.join(f'{m:.2f}' for m in moments)} s")
    killed = 0
    for moment in moments:
        process = subprocess.Popen(
            command(recipe_path, tmp_path / "cut"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait(timeout=60)
    done = subprocess.run(
        command(recipe_path, tmp_path / "cut"), timeout=240, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
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
