"""inkgan trains GANs on MNIST-like digits, evaluates them, and ships a pretrained generator.

Importing this package is instant; torch is loaded when a function that needs it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

__all__ = [
    "RECIPES",
    "DatasetSpec",
    "Generator",
    "InkganError",
    "Loss",
    "MetricSpec",
    "Paper",
    "Recipe",
    "Run",
    "SequenceLayout",
    "Sequences",
    "benchmark",
    "compare",
    "evaluate",
    "export",
    "fit_extractors_for",
    "get_recipe",
    "imitate",
    "load",
    "load_dataset",
    "morph",
    "register_augmentation",
    "register_dataset",
    "register_loss",
    "register_metric",
    "register_penalty",
    "stream",
    "styled",
    "sweep",
    "synth",
    "train",
    "train_iter",
    "train_seeds",
    "write",
]

if TYPE_CHECKING:
    from inkgan.config import Recipe
    from inkgan.config.recipes import RECIPES, get_recipe
    from inkgan.data.dataset import load_dataset
    from inkgan.data.dataset_spec import DatasetSpec
    from inkgan.data.registry import register_dataset
    from inkgan.errors import InkganError
    from inkgan.evaluation.benchmark import benchmark
    from inkgan.evaluation.evaluate import evaluate
    from inkgan.evaluation.own_extractors import fit_extractors_for
    from inkgan.evaluation.report.compare import compare
    from inkgan.exporters.export import export
    from inkgan.generation.deprecated import styled
    from inkgan.generation.generator import Generator
    from inkgan.generation.load import load
    from inkgan.handwriting.morph import morph
    from inkgan.handwriting.write import write
    from inkgan.inversion.imitate import imitate
    from inkgan.metrics.metric_registry import MetricSpec, register_metric
    from inkgan.runs.api import train, train_iter
    from inkgan.runs.run import Run
    from inkgan.runs.seeds import train_seeds
    from inkgan.sweeps.sweep import sweep
    from inkgan.synthesis.paper.paper import Paper
    from inkgan.synthesis.sequence_layout import SequenceLayout
    from inkgan.synthesis.sequence_request import Sequences
    from inkgan.synthesis.streaming import stream
    from inkgan.synthesis.synth import synth
    from inkgan.training.diffaug import register_augmentation
    from inkgan.training.losses import Loss, register_loss
    from inkgan.training.penalties import register_penalty

HOMES = {
    "Loss": "inkgan.training.losses",
    "register_loss": "inkgan.training.losses",
    "register_penalty": "inkgan.training.penalties",
    "register_augmentation": "inkgan.training.diffaug",
    "register_metric": "inkgan.metrics.metric_registry",
    "MetricSpec": "inkgan.metrics.metric_registry",
    "train_iter": "inkgan.runs.api",
    "RECIPES": "inkgan.config.recipes",
    "Recipe": "inkgan.config",
    "Run": "inkgan.runs.run",
    "Paper": "inkgan.synthesis.paper.paper",
    "SequenceLayout": "inkgan.synthesis.sequence_layout",
    "Sequences": "inkgan.synthesis.sequence_request",
    "Generator": "inkgan.generation.generator",
    "InkganError": "inkgan.errors",
    "benchmark": "inkgan.evaluation.benchmark",
    "compare": "inkgan.evaluation.report.compare",
    "evaluate": "inkgan.evaluation.evaluate",
    "export": "inkgan.exporters.export",
    "fit_extractors_for": "inkgan.evaluation.own_extractors",
    "get_recipe": "inkgan.config.recipes",
    "imitate": "inkgan.inversion.imitate",
    "load": "inkgan.generation.load",
    "DatasetSpec": "inkgan.data.dataset_spec",
    "load_dataset": "inkgan.data.dataset",
    "register_dataset": "inkgan.data.registry",
    "morph": "inkgan.handwriting.morph",
    "stream": "inkgan.synthesis.streaming",
    "synth": "inkgan.synthesis.synth",
    "styled": "inkgan.generation.deprecated",
    "sweep": "inkgan.sweeps.sweep",
    "train": "inkgan.runs.api",
    "train_seeds": "inkgan.runs.seeds",
    "write": "inkgan.handwriting.write",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'inkgan' has no attribute {name!r}")
    return getattr(importlib.import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
