"""Objectives on mixtures in the plane: sound ones find every mode, known-bad ones do not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks import mixtures
from benchmarks.mixtures import MIXTURES, NEAR, SAMPLES, SETUPS, Points, evenly_spread, learn, main
from inkgan import rng

LEAST = {"ring": 8, "grid": 24}  # modes


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("key", MIXTURES)
def test_the_score_of_the_mixture_itself(key: str) -> None:
    """Of a round Gaussian in the plane 1 - exp(-k^2 / 2) lies within k standard deviations."""
    mixture, _ = MIXTURES[key]
    points, modes = mixture.draw(SAMPLES, rng.generator(0, "real"))
    score = mixture.score(points)
    assert score.modes == len(mixture.centres)
    expected = 1 - torch.tensor(-(NEAR**2) / 2).exp().item()
    assert score.high_quality == pytest.approx(expected, abs=0.004)
    assert points.abs().max() < 1  # within a generator's reach
    around = (points - mixture.centres[modes]).std(dim=0)
    torch.testing.assert_close(around, torch.full((2,), mixture.spread), rtol=0.03, atol=0)


def test_the_score_of_a_few_points() -> None:
    """Two hits on one mode are one mode; a point just outside of its circle is no hit."""
    ring, _ = MIXTURES["ring"]
    edge = NEAR * ring.spread
    aside = torch.tensor([[0.0, 0.0], [0.9 * edge, 0.0], [1.1 * edge, 0.0], [0.0, -0.9 * edge]])
    points = ring.centres[[0, 0, 1, 2]] + aside
    assert ring.score(points) == (2, 0.75)
    assert ring.score(torch.zeros(5, 2)) == (0, 0.0)


def test_each_step_has_points_of_its_own() -> None:
    mixture, _ = MIXTURES["grid"]
    points = Points(mixture, 16, seed=3)
    first, second = points.at(0), points.at(1)
    assert first.images.shape == (16, 2, 1, 1)
    assert torch.equal(points.at(0).images, first.images)
    assert not torch.equal(first.images, second.images)
    distances = (first.images.flatten(1) - mixture.centres[first.labels]).norm(dim=1)
    assert distances.max() < 6 * mixture.spread


# Evenly spread points hit 0.4 % (ring) and 1.7 % (grid). A spectrally normalised D has a slope of 1
# at most, too little in the plane to narrow the grid down: all modes, but spread evenly.
@pytest.mark.parametrize(
    ("name", "key", "steps", "times_even"),
    [
        ("non-saturating + R1", "ring", 600, 40),
        ("relativistic + R1 + R2", "ring", 600, 40),
        ("hinge + spectral", "ring", 1000, 10),
        ("wasserstein + gradient", "ring", 600, 40),
        ("non-saturating + R1", "grid", 1200, 5),
        ("relativistic + R1 + R2", "grid", 1200, 5),
        ("hinge + spectral", "grid", 1000, 0.8),
        ("wasserstein + gradient", "grid", 1200, 4),
    ],
)
def test_all_modes_are_found(name: str, key: str, steps: int, times_even: float) -> None:
    mixture, _ = MIXTURES[key]
    score = learn(mixture, SETUPS[name], steps, seed=1).score
    assert score.modes >= LEAST[key]
    assert score.high_quality > times_even * evenly_spread(mixture).high_quality


@pytest.mark.parametrize("key", MIXTURES)
@pytest.mark.parametrize("name", ["minimax, too fast", "wasserstein, clip 0.001"])
def test_what_is_known_to_fail_finds_clearly_fewer(name: str, key: str) -> None:
    assert learn(MIXTURES[key][0], SETUPS[name], steps=500, seed=1).score.modes <= LEAST[key] // 2


def test_an_untrained_generator_finds_few() -> None:
    """What counts above was learnt: at the beginning all samples lie around one place."""
    for key, (mixture, _) in MIXTURES.items():
        assert learn(mixture, (), steps=1, seed=1).score.modes <= LEAST[key] // 4


def test_from_command_to_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    short = {key: (mixture, 3) for key, (mixture, _) in MIXTURES.items()}
    monkeypatch.setattr(mixtures, "MIXTURES", short)
    out = tmp_path / "modes.json"
    wanted = "hinge + spectral; non-saturating alone"
    assert main(["--only", wanted, "--seeds", "2", "--json", str(out)]) == 0
    printed = capsys.readouterr()
    assert "hinge + spectral" in printed.out
    assert "evenly spread points" in printed.out
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    assert [(row["setup"], row["mixture"], row["of"]) for row in rows] == [
        ("hinge + spectral", "ring", 8),
        ("hinge + spectral", "grid", 25),
        ("non-saturating alone", "ring", 8),
        ("non-saturating alone", "grid", 25),
    ]
    assert all(len(row["modes"]) == 2 for row in rows)
    assert main(["--only", "hinge + spektral"]) == 2
    assert "did you mean 'hinge + spectral'" in capsys.readouterr().err
