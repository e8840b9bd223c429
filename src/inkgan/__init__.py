"""inkgan trains, judges and uses generative adversarial networks that write digits.

Importing this package is instant; torch is loaded when a function that needs it is first used.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

# GNU OpenMP reads this when torch is loaded. Its threads spin for milliseconds while they wait for
# work, which takes the cores from everything else that runs; a thousand turns cost an idle machine
# nothing and leave a busy one usable (docs/performance.md).
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

__version__ = "0.1.0"

__all__ = [
    "RECIPES",
    "InkganError",
    "Recipe",
    "Run",
    "Sampler",
    "compare",
    "evaluate",
    "get_recipe",
    "imitate",
    "load",
    "load_dataset",
    "morph",
    "styled",
    "synth",
    "train",
    "write",
]  # fmt: skip

if TYPE_CHECKING:
    from inkgan.api import train
    from inkgan.artifacts.run import Run
    from inkgan.config import Recipe
    from inkgan.data.dataset import load_dataset
    from inkgan.errors import InkganError
    from inkgan.imitation.imitate import imitate
    from inkgan.judging.evaluate import evaluate
    from inkgan.recipes import RECIPES, get_recipe
    from inkgan.report.compare import compare
    from inkgan.sampling.loading import load
    from inkgan.sampling.sampler import Sampler
    from inkgan.styling.styled import styled
    from inkgan.synthesis.synth import synth
    from inkgan.writing.morph import morph
    from inkgan.writing.page import write

_HOMES = {
    "RECIPES": "inkgan.recipes",
    "Recipe": "inkgan.config",
    "Run": "inkgan.artifacts.run",
    "Sampler": "inkgan.sampling.sampler",
    "InkganError": "inkgan.errors",
    "compare": "inkgan.report.compare",
    "evaluate": "inkgan.judging.evaluate",
    "get_recipe": "inkgan.recipes",
    "imitate": "inkgan.imitation.imitate",
    "load": "inkgan.sampling.loading",
    "load_dataset": "inkgan.data.dataset",
    "morph": "inkgan.writing.morph",
    "synth": "inkgan.synthesis.synth",
    "styled": "inkgan.styling.styled",
    "train": "inkgan.api",
    "write": "inkgan.writing.page",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'inkgan' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
