"""The other side's end of the pipe: reads a plan and step counts, answers with seconds.

It runs in the other framework's environment and so imports numpy alone.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Loop(Protocol):
    """A framework's training, made from a plan."""

    def counts(self) -> list[int]:
        """Return the numbers of trained parameters of generator and discriminator."""

    def updates(self) -> Iterator[object]:
        """Train for ever; yield after each update of both players."""

    def outputs(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return images and logits in evaluation mode with weights that are given."""


CALLS = ("outputs", "start", "draw")  # the methods that a request may name


def serve(framework: str, make: Callable[[dict[str, Any], np.ndarray, bool], Loop]) -> None:
    """Do what is read from stdin, a JSON value a line, and answer each on stdout.

    A number is steps to time; {"call": name, "arrays": path, "out": path} calls one of CALLS, which
    takes and returns arrays by name.
    """
    parser = argparse.ArgumentParser(description=f"Train with {framework}; see benchmarks.train.")
    parser.add_argument("plan", type=Path, help="JSON")
    parser.add_argument("images", type=Path, help=".npy, uint8 (n, H, W, C)")
    parser.add_argument("--compiled", action="store_true", help="use XLA")
    options = parser.parse_args()
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries print where they like
    plan = json.loads(options.plan.read_text(encoding="utf-8"))
    loop = make(plan, np.load(options.images), options.compiled)
    updates = loop.updates()
    _answer(answers, {"framework": framework, "parameters": loop.counts()})
    for line in sys.stdin:
        request = json.loads(line)
        if isinstance(request, dict):
            call = getattr(loop, CALLS[CALLS.index(request["call"])])
            with np.load(request["arrays"]) as arrays:
                np.savez(request["out"], **call(dict(arrays)))
            _answer(answers, 0.0)
            continue
        began = time.perf_counter()
        for _ in range(request):
            next(updates)
        _answer(answers, time.perf_counter() - began)


def batches(images: np.ndarray, size: int, seed: int) -> Iterator[np.ndarray]:
    """Yield shuffled batches float32 (size, H, W, C) in [-1, 1] for ever."""
    random = np.random.default_rng(seed)
    while True:
        order = random.permutation(len(images))
        for start in range(0, len(images) - size + 1, size):
            yield images[order[start : start + size]].astype(np.float32) / 127.5 - 1


def _answer(stream: Any, value: object) -> None:
    stream.write(json.dumps(value) + "\n")
    stream.flush()
