"""Fitting the extractors, and the small supervised loop that fits them."""

import hashlib
from pathlib import Path

import pytest
import torch
from torch import nn

from inkgan import files
from inkgan.config import Data
from inkgan.data.dataset import Dataset, load_dataset
from inkgan.evaluation.fit_extractors import fit_extractors
from inkgan.metrics.features.fit import Fit, fit_classifier, seeded
from inkgan.metrics.features.fitting_split import fitting_images
from inkgan.metrics.features.networks import NETWORKS, Classifier, small_classifier


def digits(count: int) -> Dataset:
    dataset = load_dataset(Data(name="uci-digits", holdout=0))
    return Dataset(dataset.name, dataset.images[:count], dataset.labels[:count], dataset.classes)


def test_all_networks_are_fitted_and_described(tmp_path: Path) -> None:
    steps = list(fit_extractors(digits(512), digits(300), tmp_path, epochs=1))
    assert [step.name for step in steps] == list(NETWORKS)
    described = files.read_json(tmp_path / "extractors.json")
    for name, row in described.items():
        written = (tmp_path / f"{name}.safetensors").read_bytes()
        assert hashlib.sha256(written).hexdigest() == row["sha256"]
        assert row["epochs"] == 1
    images = {name: row["images"] for name, row in described.items()}
    assert images["e1"] == images["e2"] == fitting_images(digits(512).images.numpy()).sum() < 512
    assert images["e3"] < images["e1"]
    assert images["linear"] == 512
    assert 0 <= described["e3"]["test_accuracy"] <= 1
    assert described["e2"]["test_squared_error"] > 0
    again = tmp_path / "again"
    list(fit_extractors(digits(512), digits(300), again, epochs=1))
    assert files.read_json(again / "extractors.json") == described


def test_fitting_learns_and_is_repeatable() -> None:
    train = digits(1000)

    def fit() -> tuple[list[float], dict[str, torch.Tensor]]:
        network = seeded(small_classifier, 3)
        losses = list(fit_classifier(network, train.images, train.labels, Fit(epochs=4), 3))
        assert not network.training
        return losses, network.state_dict()

    (losses, one), (_, other) = fit(), fit()
    assert losses[-1] < 0.5 * losses[0]
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_networks_take_digits(name: str) -> None:
    network: nn.Module = NETWORKS[name](10).eval()
    drawn = network(torch.zeros(2, 1, 28, 28))
    assert drawn.shape == ((2, 1, 28, 28) if name == "e2" else (2, 10))
    if isinstance(network, Classifier):
        assert network.embed(torch.zeros(2, 1, 28, 28)).shape[1] in (32, 128)
