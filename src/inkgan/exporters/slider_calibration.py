"""The calibration of a page's sliders: from latent coordinates to degrees and pixels."""

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.generator import Generator
from inkgan.generation.style_control.calibration import CalibrationCache
from inkgan.generation.style_control.style import MEASURES
from inkgan.io.bundle import Bundle
from inkgan.types import Progress, silent

SLIDER_LIMIT = 3.0  # standard deviations to either side
POSITIONS = np.linspace(-SLIDER_LIMIT, SLIDER_LIMIT, 13)
SliderCalibration = list[list[list[float]]]


def calibrate_sliders(bundle: Bundle, progress: Progress = silent) -> SliderCalibration | None:
    """Measure what each position of a style's slider usually means.

    Args:
        bundle: of the generator.
        progress: called while styles are measured: half a second a class, once a bundle.

    Returns:
        For each style of the recipe and each class, the usual degrees or pixels at each of
        POSITIONS; None if nothing can be measured: no styles, or images without ink.
    """
    model = bundle.recipe.model
    if not model.style_measures or not model.classes:
        return None
    try:
        cache = CalibrationCache(Generator(bundle), progress)
        calibrations = cache.of(range(model.classes))
    except ConfigError:
        return None
    expected = [
        calibration.expected(np.repeat(POSITIONS[:, None], len(MEASURES), axis=1))
        for calibration in calibrations
    ]
    return [
        [np.round(measures[:, MEASURES.index(style)], 3).tolist() for measures in expected]
        for style in model.style_measures
    ]
