"""The grid of fixed noise that shows a run's progress."""

import torch
from torch import nn

from inkgan.config import Model
from inkgan.generation.generator import draw
from inkgan.images import grid, to_array
from inkgan.types import UInt8

IMAGES = 64
HANDS, WIDEST = 8, 16


def noise_grid(network: nn.Module, model: Model) -> tuple[UInt8, str]:
    """Draw the grid and say which seeds are in it.

    A conditional generator of up to WIDEST classes shows one seed a row under each of its labels.
    """
    if not 0 < model.classes <= WIDEST:
        drawn = torch.cat(list(draw(network, range(IMAGES), model)))
        return grid(to_array(drawn)), f"0-{IMAGES - 1}"
    seeds = [row for row in range(HANDS) for _ in range(model.classes)]
    drawn = torch.cat(list(draw(network, seeds, model, [*range(model.classes)] * HANDS)))
    return grid(to_array(drawn), columns=model.classes), f"0-{HANDS - 1}, a class a column"
