"""A generator as one HTML file that draws in any browser, without server or network."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from inkgan import files
from inkgan.errors import ConfigError
from inkgan.export.lowering import Program, program_of
from inkgan.export.provenance import facts, score_rows
from inkgan.export.slider_calibration import REACH, Scales, style_scales
from inkgan.generation.style_control.style import UNITS
from inkgan.io.bundle import Bundle
from inkgan.types import Progress, silent

DIGITS = tuple("0123456789")
SCRIPTS = ("random.js", "network.js", "ink.js", "app.js")
MOST_CLASSES = 100  # a tile each
ENDS = {
    "slant": ("to the left", "to the right"),
    "thickness": ("thin", "thick"),
    "width": ("narrow", "wide"),
}

SHORT = {"degrees": "°", "pixels": " px"}


def export_page(
    bundle: Bundle, out: Path, *, half: bool = False, progress: Progress = silent
) -> None:
    """Write a generator as a page.

    Its numbers are torch's to about 1e-5, and its hands those of the same seeds in Python.

    Args:
        bundle: of a generator of grey images.
        out: an .html file.
        half: store weights as float16: half the size, and images that differ by about one level of
            255 at most.
        progress: told of the styles that are measured, half a second a class, once a bundle.

    Raises:
        ConfigError: the generator draws in colour, or has too many classes for a page.
        ArtifactError: the file cannot be written.
    """
    model = bundle.recipe.model
    if model.classes > MOST_CLASSES:
        raise ConfigError(
            f"{bundle.recipe.name} has {model.classes:,} classes; a page has room for "
            f"{MOST_CLASSES}"
        )
    bundle = bundle.rounded() if half else bundle
    program = program_of(bundle, half=half)
    files.write_text(out, page(bundle, program, style_scales(bundle, progress)))


def page(bundle: Bundle, program: Program, scales: Scales | None = None) -> str:
    """Return the HTML of a page: scripts, styles and weights inside, nothing to load.

    Sliders tell what `scales` say, or standard deviations without them.
    """
    environment = Environment(
        loader=PackageLoader("inkgan.export"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    recipe = bundle.recipe
    is_digits, is_conditional = bundle.classes == DIGITS, recipe.model.classes > 0
    writes = is_digits and is_conditional
    return environment.get_template("page.html").render(
        name=recipe.name,
        classes=bundle.classes if is_conditional else (),
        writes=writes,
        inks=is_digits,
        what="handwritten digits" if is_digits else f"images like those of {recipe.data.name}",
        styles=[(style, *ENDS[style]) for style in recipe.model.style_measures],
        reach=REACH,
        measured=scales is not None,
        height=bundle.shape.height,
        width=bundle.shape.width,
        facts=facts(bundle),
        scores=score_rows(bundle),
        command="inkgan write 2026 --writer 7" if writes else "inkgan sample RUN --seeds 7",
        style=Markup(_text("style.css")),
        script=Markup("\n".join(_text(name) for name in SCRIPTS)),
        data=Markup(_json(_data(bundle, program, scales))),
        weights=Markup(program.base64),
    )


def _data(bundle: Bundle, program: Program, scales: Scales | None) -> dict[str, Any]:
    model = bundle.recipe.model
    return {
        "name": bundle.recipe.name,
        "digest": bundle.digest,
        "classes": bundle.classes if model.classes else (),
        "writes": bundle.classes == DIGITS and model.classes > 0,
        "styles": model.style_measures,
        "units": [SHORT[UNITS[style]] for style in model.style_measures],
        "scales": scales,
        "reach": REACH,
        "latentDim": model.latent_dim,
        "height": bundle.shape.height,
        "width": bundle.shape.width,
        "steps": program.steps,
    }


def _text(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    """Write JSON that no HTML parser takes for the end of its element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
