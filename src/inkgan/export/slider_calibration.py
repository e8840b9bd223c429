"""What the latent coordinates of a generator's styles come to, in degrees and pixels."""

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.generator import Generator
from inkgan.generation.style_control.calibration import CalibrationCache
from inkgan.generation.style_control.style import MEASURES
from inkgan.io.bundle import Bundle
from inkgan.types import Progress, silent

REACH = 3.0  # standard deviations to either side that a slider goes
PLACES = np.linspace(-REACH, REACH, 13)
Scales = list[list[list[float]]]


def style_scales(bundle: Bundle, progress: Progress = silent) -> Scales | None:
    """Tell how a stroke usually measures where a style's coordinate stands at each of PLACES.

    Returns:
        A list for each style of the recipe, of a list for each class, of degrees or pixels for
        each of PLACES; None where nothing can be measured: no styles, or draws without ink.
    """
    model = bundle.recipe.model
    if not model.style_measures or not model.classes:
        return None
    try:
        book = CalibrationCache(Generator(bundle), progress)
        calibrations = book.of(range(model.classes))
    except ConfigError:
        return None
    expected = [
        calibration.expected(np.repeat(PLACES[:, None], len(MEASURES), axis=1))
        for calibration in calibrations
    ]
    return [
        [np.round(measures[:, MEASURES.index(style)], 3).tolist() for measures in expected]
        for style in model.style_measures
    ]
