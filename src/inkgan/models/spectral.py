"""Spectral normalisation of a network's weights (Miyato et al. 2018)."""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


def normalise_spectra(network: nn.Module) -> None:
    """Divide each matrix of weights by its largest singular value, in place (equation 8).

    A kernel (o, i, h, w) is read as the matrix (o, i h w), as in the paper's section 4; a table
    with a row for each label is a matrix too. Each forward pass in training mode makes one step of
    the power iteration (algorithm 1) from the vectors that the last one left. These are buffers,
    which a checkpoint holds; in eval mode they rest.

    Weights have to be drawn before: what a layer shows as its weight afterwards is the quotient.
    """
    for module in list(network.modules()):
        for name, parameter in list(module.named_parameters(recurse=False)):
            if parameter.ndim > 1:
                spectral_norm(module, name)
