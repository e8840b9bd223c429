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
FOUNDATION = {path.stem for path in SOURCE.glob("*.py") if not path.stem.startswith("__")} | {
    "config"
}
# What each package is for, and where it is drawn, from left to right.
PACKAGES = {
    "metrics": ("pure functions of arrays", 1.2),
    "models": ("layers and networks", 3.7),
    "data": ("data sets and batches", 6.0),
    "io": ("bundles and run folders", 3.6),
    "training": ("losses, step, loop", 7.4),
    "execution": ("independent jobs", 9.5),
    "generation": ("load a generator, draw", 2.9),
    "handwriting": ("numbers in one handwriting", 2.0),
    "runs": ("one training run", 6.6),
    "inversion": ("imitate a given digit", 2.9),
    "evaluation": ("scores, verdict, report", 5.2),
    "sweeps": ("search for good settings", 7.7),
    "synthesis": ("labeled data sets", 9.5),
    "exporters": ("ONNX, HTML page, hub", 5.2),
    "studio": ("training in the browser", 4.0),
    "cli": ("a command for each verb", 7.2),
}
RAISED = {"execution": 3}  # drawn beside what imports it, not as low as its imports allow
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
    heights = levels(imports) | RAISED
    places = {name: (PACKAGES[name][1], height) for name, height in heights.items()}
    top = max(level for _, level in places.values())
    figure, axes = plt.subplots(figsize=(11, 1.1 * (top + 1)))
    for name, used in imports.items():
        for target in used:
            _arrow(axes, places[name], places[target])
    for name, (x, y) in places.items():
        _box(axes, x, y, 2.1, f"{name}/", PACKAGES[name][0])
    _box(axes, 5.35, 0, 10.4, "foundation", "  ".join(sorted(FOUNDATION)))
    axes.set(xlim=(0, 10.7), ylim=(-0.4, top + 0.4))
    axes.axis("off")
    figure.tight_layout()
    return figure


if __name__ == "__main__":
    draw().savefig(PAGE, dpi=110)
