"""Fit the feature extractors E1, E2, E3 and the linear classifier to half of the training images.

The other half is never fitted to: real baselines are taken from it.
"""

import functools
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from inkgan import files
from inkgan.config import Augment
from inkgan.data.augment import augment
from inkgan.data.dataset import Dataset
from inkgan.images import to_float
from inkgan.metrics.features.fit import Fit, fit_autoencoder, fit_classifier, seeded
from inkgan.metrics.features.fitting_split import fitting_images, scorer_images
from inkgan.metrics.features.networks import NETWORKS

# Fixed in advance: nothing here was chosen by looking at the test images. No label smoothing: it
# draws the features of a class together (Mueller et al. 2019), whose spread is measured later.
PLANS = {
    "e1": Fit(epochs=30),
    "e2": Fit(epochs=16, weight_decay=0.0),
    "e3": Fit(epochs=6),
    "linear": Fit(epochs=5, learning_rate=1e-3),
}
LEAST_STEPS = 1_500  # updates of each network
DISTORTION = Augment(rotate=8, shift=1.5, scale=0.08, elastic=0.5)  # of E1's images alone
DESCRIPTION = "extractors.json"


@dataclass(frozen=True)
class Fitted:
    """An epoch of fitting has ended; `epoch` counts from 1."""

    name: str
    epoch: int
    epochs: int
    loss: float


def fit_extractors(
    train: Dataset, test: Dataset, out: Path, epochs: int | None = None, seed: int = 0
) -> Iterator[Fitted]:
    """Fit all networks, and write their weights and extractors.json into a folder.

    E1 and E2 are fitted to `fitting_images`, E3 to `scorer_images`. The linear classifier is
    fitted to all images, as in its source: no baseline is taken from it.

    Args:
        train: the whole training split.
        test: the test split; it only measures.
        out: the folder.
        epochs: replaces the number of epochs of each network, for trials.
        seed: of first weights, order and distortion.

    Yields:
        A step after each epoch.
    """
    described: dict[str, Any] = {}
    for name, plan in PLANS.items():
        part = _part(name, train)
        plan = Fit(**{**vars(plan), "epochs": epochs or enough_epochs(plan, len(part))})
        network = seeded(functools.partial(NETWORKS[name], len(train.classes)), seed)
        for epoch, loss in enumerate(_losses(name, network, part, plan, seed), start=1):
            yield Fitted(name, epoch, plan.epochs, loss)
        path = out / f"{name}.safetensors"
        _save(path, network)
        described[name] = {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "parameters": sum(p.numel() for p in network.parameters()),
            "epochs": plan.epochs,
            "seed": seed,
            "trained_on": train.digest(),
            "images": len(part),
            **_measure(name, network, test),
        }
    files.write_json(out / DESCRIPTION, described)


def _part(name: str, train: Dataset) -> Dataset:
    """Return the images that a network is fitted to."""
    if name == "linear":
        return train
    chosen = (scorer_images if name == "e3" else fitting_images)(train.images.numpy())
    rows = torch.from_numpy(chosen)
    return replace(train, images=train.images[rows], labels=train.labels[rows])


def enough_epochs(plan: Fit, images: int) -> int:
    """Return the epochs of a plan; of small sets more, so that they get LEAST_STEPS updates."""
    return max(plan.epochs, math.ceil(LEAST_STEPS * plan.batch_size / images))


def _losses(name: str, network: nn.Module, train: Dataset, plan: Fit, seed: int) -> Iterator[float]:
    if name == "e2":
        return fit_autoencoder(network, train.images, plan, seed)
    distort = (lambda images, g: augment(images, DISTORTION, g)) if name == "e1" else None
    return fit_classifier(network, train.images, train.labels, plan, seed, distort)


def _save(path: Path, network: nn.Module) -> None:
    """Write float16 weights, and use what was written: the file is the network."""
    halved = {
        key: tensor.half() if tensor.is_floating_point() else tensor
        for key, tensor in network.state_dict().items()
    }
    with files.atomic(path) as temporary:
        save_file(halved, temporary)
    network.load_state_dict({key: tensor.float() for key, tensor in halved.items()})


@torch.no_grad()
def _measure(name: str, network: nn.Module, test: Dataset) -> dict[str, float]:
    outputs = [network(to_float(chunk)) for chunk in test.images.split(500)]
    if name == "e2":
        error = [
            (drawn - to_float(chunk)).square().mean()
            for drawn, chunk in zip(outputs, test.images.split(500), strict=True)
        ]
        return {"test_squared_error": float(torch.stack(error).mean())}
    right = torch.cat(outputs).argmax(dim=1) == test.labels
    return {"test_accuracy": float(right.double().mean())}
