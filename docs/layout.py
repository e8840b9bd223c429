"""Draw docs/images/layout.png: the packages of inkgan and which of them imports which.

Every arrow is an import that the code has today. Imports of the foundation are left out, and so is
an arrow that a longer way of arrows already implies.
"""

import ast
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "inkgan"
PAGE = Path(__file__).with_name("images") / "layout.png"
FOUNDATION = {
    "config",
    "device",
    "documents",
    "errors",
    "files",
    "images",
    "optional_imports",
    "plotting",
    "plural",
    "printable",
    "rng",
    "types",
}
# What each package is for, and where it is drawn, from left (0) to right (10).
PACKAGES = {
    "metrics": ("pure functions of arrays", 8.2),
    "models": ("layers and networks", 4.6),
    "data": ("data sets and batches", 1.1),
    "io": ("bundles and run folders", 5.7),
    "training": ("losses, step, loop", 2.9),
    "generation": ("load a generator, draw", 6.1),
    "handwriting": ("numbers in one handwriting", 3.1),
    "inversion": ("imitate a given digit", 1.1),
    "runs": ("one training run", 5.6),
    "evaluation": ("scores, verdict, report", 5.6),
    "synthesis": ("labeled data sets", 8.8),
    "exporters": ("ONNX, HTML page, hub", 5.6),
    "studio": ("training in the browser", 8.8),
    "cli": ("a command for each verb", 5.6),
}
INK, BOX, LINE = "#1f2328", "#eef4fb", "#6e7781"

Imports = dict[str, set[str]]


def read_imports() -> Imports:
    """Return, for each package, the other packages that its modules import."""
    imports: Imports = {name: set() for name in PACKAGES}
    for path in SOURCE.rglob("*.py"):
        package = path.relative_to(SOURCE).parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if package in imports and module.startswith("inkgan."):
                imports[package].add(module.split(".")[1])
    return {name: (used & PACKAGES.keys()) - {name} for name, used in imports.items()}


def without_implied(imports: Imports) -> Imports:
    """Leave out each import that a longer way of imports implies."""
    reach: Imports = {}

    def reached(name: str) -> set[str]:
        if name not in reach:
            reach[name] = set().union(*({used} | reached(used) for used in imports[name]))
        return reach[name]

    return {
        name: {used for used in all_used if not any(used in reached(u) for u in all_used)}
        for name, all_used in imports.items()
    }


def levels(imports: Imports) -> dict[str, int]:
    """Return the length of the longest way from each package down to the foundation."""
    found: dict[str, int] = {}

    def level(name: str) -> int:
        if name not in found:
            found[name] = 1 + max((level(used) for used in imports[name]), default=0)
        return found[name]

    return {name: level(name) for name in imports}


def _box(axes: Axes, x: float, y: float, width: float, title: str, text: str) -> None:
    axes.add_patch(
        Rectangle((x - width / 2, y - 0.26), width, 0.52, facecolor=BOX, edgecolor=INK, zorder=2)
    )
    axes.text(x, y + 0.08, title, ha="center", va="center", weight="bold", color=INK, zorder=3)
    axes.text(x, y - 0.12, text, ha="center", va="center", fontsize=8, color=INK, zorder=3)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow between two boxes; it leaves and enters nearer to the side that it goes to."""
    (x0, y0), (x1, y1) = start, end
    shift = max(-0.8, min(0.8, 0.3 * (x1 - x0)))
    ends = (x1 - shift / 2, y1 + 0.26), (x0 + shift, y0 - 0.26)
    axes.annotate("", *ends, arrowprops={"arrowstyle": "->", "color": LINE})


def draw() -> Figure:
    """Draw the packages, the foundation lowest, with an arrow from each to what it imports."""
    imports = without_implied(read_imports())
    places = {name: (PACKAGES[name][1], level) for name, level in levels(imports).items()}
    top = max(level for _, level in places.values())
    figure, axes = plt.subplots(figsize=(11, 1.1 * (top + 1)))
    for name, used in imports.items():
        for target in used:
            _arrow(axes, places[name], places[target])
    for name, (x, y) in places.items():
        _box(axes, x, y, 2.1, f"{name}/", PACKAGES[name][0])
    _box(axes, 5, 0, 9.6, "foundation", "  ".join(sorted(FOUNDATION)))
    axes.set(xlim=(0, 10), ylim=(-0.4, top + 0.4))
    axes.axis("off")
    figure.tight_layout()
    return figure


if __name__ == "__main__":
    draw().savefig(PAGE, dpi=110)
