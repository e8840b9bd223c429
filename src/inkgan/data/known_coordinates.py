"""The latent coordinates that training images already have: stroke ranks, then shape codes.

Shape codes take twenty seconds of a core for MNIST, so they are kept in the user's cache: training
again starts at once, and a run that is resumed meets the codes that it began with while the cache
has them.
"""

import threading

import numpy as np
import torch

from inkgan.cached_arrays import cache_arrays, cached_arrays
from inkgan.config import Model
from inkgan.data.dataset import Dataset
from inkgan.data.shape_codes import shape_codes
from inkgan.data.stroke_ranks import STROKE_MEASURES, stroke_ranks
from inkgan.errors import ConfigError

KEPT = "coordinates"
VERSION = 1  # of the method; what another one has kept is not read
# torch loads linear algebra for GPUs with its first call, which fails in two threads at once. And
# the second of two seeds finds what the first has kept.
_fitting = threading.Lock()


def known_coordinates(dataset: Dataset, model: Model) -> torch.Tensor:
    """Return what the first latent coordinates of each image would be.

    Args:
        dataset: the training images.
        model: names the stroke measures and counts the shape codes.

    Returns:
        float32 (n, model.known_coordinates), standard normal in each class, on the images' device.

    Raises:
        ConfigError: stroke measures of images in color, or more shape codes than pixels.
    """
    if not model.shape_codes:
        return _styles(dataset, model)
    with _fitting:
        name = _name(dataset, model)
        found = _kept(name, (len(dataset), model.known_coordinates))
        if found is None:
            styles, labels = _styles(dataset, model), dataset.labels
            classes = labels if model.classes else torch.zeros_like(labels)
            codes = shape_codes(dataset.images, classes, styles, model.shape_codes)
            found = torch.cat([styles, codes], dim=1)
            cache_arrays(name, {"coordinates": found.cpu().numpy()}, "the shape codes")
    return found.to(dataset.images.device)


def must_fit(dataset: Dataset, model: Model) -> bool:
    """Return whether `known_coordinates` has to fit shape codes, as no cache has them."""
    if not model.shape_codes:
        return False
    return _kept(_name(dataset, model), (len(dataset), model.known_coordinates)) is None


def _styles(dataset: Dataset, model: Model) -> torch.Tensor:
    """Return the stroke ranks of all images in the order of the model's names."""
    if not model.style_measures:
        return torch.zeros(len(dataset), 0, device=dataset.images.device)
    if dataset.shape.channels != 1:
        raise ConfigError(
            f"`model.style_measures` are of strokes of gray digits; {dataset.name} has "
            f"{dataset.shape} images: use `data.channels=1`, or `model.style_measures=[]`"
        )
    places = [STROKE_MEASURES.index(name) for name in model.style_measures]
    return stroke_ranks(dataset.images, dataset.labels)[:, places]


def _name(dataset: Dataset, model: Model) -> str:
    """Return the file in the cache: its name has all that the coordinates depend on."""
    parts = [dataset.digest()[:24], *model.style_measures, f"codes{model.shape_codes}"]
    parts += [f"v{VERSION}"] if model.classes else ["unlabelled", f"v{VERSION}"]
    return f"{KEPT}/{'-'.join(parts)}.npz"


def _kept(name: str, shape: tuple[int, int]) -> torch.Tensor | None:
    found = cached_arrays(name, {"coordinates": (np.float32, shape)})
    return None if found is None else torch.from_numpy(found["coordinates"])
