"""The layout: who may import whom, how large a module is, what is public."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import inkgan
import inkgan.errors

SOURCE = Path(inkgan.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))

FOUNDATION = {
    "errors",
    "types",
    "config",
    "documents",
    "rng",
    "inverse_normal",
    "npz",
    "cached_arrays",
    "device",
    "eager_adam",
    "openmp",
    "files",
    "folder_lock",
    "images",
    "optional_imports",
    "plotting",
    "plural",
    "printable",
    "storage",
}
# Beyond the foundation, each package may import these; the order is the path of a batch.
ALLOWED: dict[str, set[str]] = {
    "errors": {"printable"},
    "printable": set(),
    "types": set(),
    "config": {"errors", "printable"},
    "documents": {"errors", "printable"},
    "inverse_normal": {"types"},
    "npz": set(),
    "rng": {"inverse_normal"},
    "plural": set(),
    "openmp": set(),
    "eager_adam": set(),
    "device": {"openmp", "errors", "plural"},
    "files": {"errors", "printable"},
    "folder_lock": {"errors", "files"},
    "storage": {"errors", "files"},
    "optional_imports": {"errors"},
    "images": {"files", "types"},
    "cached_arrays": {"errors", "files", "images", "npz"},
    "plotting": {"files", "types"},
    "execution": {"device", "errors", "files", "optional_imports", "storage"},
    "metrics": FOUNDATION,
    "models": FOUNDATION,
    "data": FOUNDATION,
    "io": FOUNDATION | {"models"},
    "training": FOUNDATION | {"data", "models"},
    "generation": FOUNDATION | {"io", "metrics", "models"},
    "handwriting": FOUNDATION | {"generation", "metrics"},
    "inversion": FOUNDATION | {"data", "generation", "handwriting", "metrics"},
    "runs": FOUNDATION | {"data", "execution", "generation", "io", "metrics", "models", "training"},
    "sweeps": FOUNDATION | {"data", "execution", "generation", "io", "metrics", "runs"},
    "evaluation": FOUNDATION
    | {"data", "execution", "generation", "io", "metrics", "models", "runs"},
    "synthesis": FOUNDATION
    | {"execution", "generation", "handwriting", "inversion", "io", "metrics"},
    "exporters": FOUNDATION | {"data", "evaluation", "generation", "io", "metrics", "models"},
    "studio": FOUNDATION | {"exporters", "generation", "inversion", "io", "models"},
    "cli": FOUNDATION
    | {
        "data",
        "evaluation",
        "exporters",
        "generation",
        "handwriting",
        "inversion",
        "io",
        "metrics",
        "runs",
        "studio",
        "sweeps",
        "synthesis",
    },
}


def package_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """List the packages that a module imports, also inside functions and for typing only."""
    packages = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "inkgan":
            packages |= {alias.name for alias in node.names} - {"__version__"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("inkgan."):
            packages.add((node.module or "").split(".")[1])
        elif isinstance(node, ast.Import):
            packages |= {a.name.split(".")[1] for a in node.names if a.name.startswith("inkgan.")}
    return packages


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path: Path) -> None:
    package = package_of(path)
    if package in ("__init__", "__main__"):
        return
    assert imports_of(path) - {package} <= ALLOWED[package]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_modules_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):  # its code: long docstrings and signatures are fine
            documented = ast.get_docstring(node) is not None and len(node.body) > 1
            first = node.body[int(documented)]
            assert (node.end_lineno or 0) - first.lineno < 60, node.name


def test_only_the_command_line_speaks_of_flags() -> None:
    """The library names parameters; `cli/translate.py` turns them into flags."""
    # but for the calls of git, of torchrun, and of inkgan itself
    others = ("environment.py", "launcher.py", "command_text.py")
    for path in MODULES:
        if package_of(path) == "cli" or path.name in others:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                flag = re.search(r"(^|\s)--[a-z]", node.value)
                assert not flag or node.value.startswith("inkgan "), (path, node.value)


def test_only_few_files_call_backward() -> None:
    callers = {p.name for p in MODULES if ".backward(" in p.read_text(encoding="utf-8")}
    # training, the extractors, and the codes of shapes
    assert callers == {"step.py", "fit.py", "coupling_flow.py"}


def test_public_names_exist_and_are_documented() -> None:
    assert set(inkgan.__all__) == set(inkgan.HOMES)
    for name in inkgan.__all__:
        assert getattr(inkgan, name) is not None
        assert name in dir(inkgan)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = inkgan.nonsense


def test_error_tree_is_as_drawn() -> None:
    """The tree in the docstring names every error, below its parent."""
    drawn = inkgan.errors.__doc__ or ""
    found = {
        name: value
        for name, value in vars(inkgan.errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    for name, error in found.items():
        assert name in drawn
        if name != "InkganError":
            assert drawn.index(error.__mro__[1].__name__) < drawn.index(name)


@pytest.mark.parametrize(
    "module",
    [
        "inkgan",
        "inkgan.config",
        "inkgan.config.recipes",
        "inkgan.cli.main",
        "inkgan.studio.serve",
    ],
)
def test_light_modules_do_not_load_torch(module: str) -> None:
    code = f"import sys, {module}; assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_processes_that_draw_a_data_set_load_no_statistics() -> None:
    """They would start a second later."""
    code = (
        "import sys, inkgan.synthesis.packed_dataset as m; assert not sys.modules.keys() & "
        "{'sklearn', 'scipy.stats', 'scipy.interpolate', 'skimage.morphology', 'matplotlib'}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
