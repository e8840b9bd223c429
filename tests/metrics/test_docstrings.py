"""The examples of the metrics run, and every public function says what it takes and returns."""

import doctest
import importlib
import inspect
import pkgutil
from types import FunctionType, ModuleType

import numpy as np
import pytest

import inkgan.metrics

MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(inkgan.metrics.__path__, "inkgan.metrics.")
]
FORMULAS = ("frechet", "kernels", "prdc", "modes", "memorization", "icc", "two_sample", "strokes")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_run(module: ModuleType) -> None:
    names = {**vars(module), "np": np}
    assert doctest.testmod(module, extraglobs=names).failed == 0


@pytest.mark.parametrize("name", FORMULAS)
def test_public_functions_state_arguments_and_results(name: str) -> None:
    module = importlib.import_module(f"inkgan.metrics.{name}")
    functions = [
        value
        for key, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == module.__name__ and key[0] != "_"
    ]
    assert functions
    for function in functions:
        text = inspect.getdoc(function) or ""
        if function.__name__ != "enlarge":
            assert "Args:" in text, function.__name__
            assert "Returns:" in text, function.__name__
            for parameter in inspect.signature(function).parameters:
                assert parameter in text, (function.__name__, parameter)
