"""Export a generator as one HTML file that draws in any browser, without server or network."""

import base64
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from inkgan import files
from inkgan.errors import ConfigError
from inkgan.exporters.lowering import LoweredNetwork, lower
from inkgan.exporters.provenance import provenance, score_rows
from inkgan.exporters.slider_calibration import SLIDER_LIMIT, SliderCalibration, calibrate_sliders
from inkgan.generation.protocols import DIGITS
from inkgan.generation.style_control.style import UNITS
from inkgan.inverse_normal import table
from inkgan.io.bundle import Bundle
from inkgan.types import Progress, silent

SCRIPTS = ("random.js", "network.js", "ink.js", "app.js")
MAX_CLASSES = 100  # a tile each
ENDS = {
    "slant": ("to the left", "to the right"),
    "thickness": ("thin", "thick"),
    "width": ("narrow", "wide"),
}

UNIT_SIGNS = {"degrees": "°", "pixels": " px"}


def export_page(
    bundle: Bundle, out: Path, *, half: bool = False, progress: Progress = silent
) -> None:
    """Write a generator as an HTML page.

    The page's values differ from those of torch by about 1e-5, and a seed gives the same
    handwriting as in Python.

    Args:
        bundle: of a generator of gray images.
        out: an .html file.
        half: store weights as float16: half the size, and pixels that differ by about one level of
            255 at most.
        progress: called while styles are measured: half a second a class, once a bundle.

    Raises:
        ConfigError: the generator draws in color, has more than 100 classes, or is a class of the
            user's own.
        ArtifactError: the file cannot be written.

    Examples:
        >>> export_page(inkgan.load("flagship").bundle, Path("digits.html"))
    """
    model = bundle.recipe.model
    if model.classes > MAX_CLASSES:
        raise ConfigError(
            f"{bundle.recipe.name} has {model.classes:,} classes, but a page has room for "
            f"only {MAX_CLASSES}"
        )
    bundle = bundle.rounded() if half else bundle
    network = lower(bundle, half=half)
    files.write_text(out, render_page(bundle, network, calibrate_sliders(bundle, progress)))


def render_page(
    bundle: Bundle, network: LoweredNetwork, calibration: SliderCalibration | None = None
) -> str:
    """Return the HTML of a page with scripts, styles and weights inside; it loads nothing.

    Args:
        bundle: of the generator.
        network: its generator, lowered.
        calibration: what the sliders show; standard deviations if left out.
    """
    environment = Environment(
        loader=PackageLoader("inkgan.exporters"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
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
        limit=SLIDER_LIMIT,
        measured=calibration is not None,
        height=bundle.shape.height,
        width=bundle.shape.width,
        provenance=provenance(bundle),
        scores=score_rows(bundle),
        command="inkgan write 2026 --writer 7" if writes else "inkgan sample RUN --seeds 7",
        style=Markup(_text("style.css")),
        script=Markup("\n".join(_text(name) for name in SCRIPTS)),
        data=Markup(_json(_data(bundle, network, calibration))),
        normal_table=Markup(base64.b64encode(table().astype("<f4").tobytes()).decode()),
        weights=Markup(network.base64),
    )


def _data(
    bundle: Bundle, network: LoweredNetwork, calibration: SliderCalibration | None
) -> dict[str, Any]:
    model = bundle.recipe.model
    return {
        "name": bundle.recipe.name,
        "digest": bundle.digest,
        "classes": bundle.classes if model.classes else (),
        "writes": bundle.classes == DIGITS and model.classes > 0,
        "styles": model.style_measures,
        "units": [UNIT_SIGNS[UNITS[style]] for style in model.style_measures],
        "calibration": calibration,
        "limit": SLIDER_LIMIT,
        "latentDim": model.latent_dim,
        "height": bundle.shape.height,
        "width": bundle.shape.width,
        "steps": network.steps,
    }


def _text(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    """Return JSON in which no HTML parser sees the end of its element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
