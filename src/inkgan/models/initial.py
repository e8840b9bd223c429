"""The weights that a network begins with."""

from torch import nn

from inkgan.config import InitName
from inkgan.models.conditioning import ClassNorm
from inkgan.models.residual import Block


def initialise(network: nn.Module, init: InitName, identity: bool = True) -> None:
    """Draw the weights anew from torch's global generators.

    `normal` is DCGAN's N(0, 0.02) with BatchNorm scales from N(1, 0.02) (Radford et al. 2016,
    section 4); `glorot` is Keras' default, uniform with zero biases (Glorot and Bengio 2010,
    equation 16); `torch` leaves the layers as torch made them. Residual blocks begin as identities
    unless `identity` is false.
    """
    if init != "torch":
        _redraw(network, init)
    for module in network.modules():
        if identity and isinstance(module, Block):
            module.begin_at_identity()


def _redraw(network: nn.Module, init: InitName) -> None:
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            if init == "normal":
                nn.init.normal_(module.weight, 0.0, 0.02)
            else:
                nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and init == "normal":
            if module.affine:
                nn.init.normal_(module.weight, 1.0, 0.02)
        elif isinstance(module, ClassNorm) and init == "normal":
            nn.init.normal_(module.scales, 1.0, 0.02)
