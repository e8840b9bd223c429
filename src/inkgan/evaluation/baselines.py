"""Floors: what real images score by the judge's own code, computed once and kept.

The package ships MNIST's for the usual numbers of images; others are computed when first needed
and kept in the user's cache.
"""

from collections.abc import Callable
from importlib.resources import as_file
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import numpy as np

from inkgan import files
from inkgan.evaluation import train_distances as memory
from inkgan.evaluation.reference import Target
from inkgan.evaluation.score import Floor
from inkgan.evaluation.set_metrics import CLEAR, Measures, measure_set
from inkgan.metrics.features.extractors import Seen, judge_digest
from inkgan.metrics.frechet import frechet_distance, frechet_infinity, moments
from inkgan.metrics.modes import stacked_modes
from inkgan.metrics.prdc import one_nearest_neighbour
from inkgan.metrics.spec import current_key
from inkgan.metrics.two_sample import train_and_test, two_sample_auc
from inkgan.rng import seed_for
from inkgan.types import Progress, silent

SET_DRAWS = 20
INFINITY_DRAWS = 5
SEEDS = 5
SHIPPED = "floors.json"
STANDARD = (
    ("set", 10_000),
    ("halves", 5_000),
    ("infinity", 50_000),
    ("cas", 60_000),
    ("two-sample", 5_000),
    ("train-distances", 10_000),
    ("modes", 26_000),
)
RENAMED_COMPONENTS = {"usefulness": "cas", "memory": "train-distances"}
VERSION = 1  # of the protocol: floors and cached judgements of another one are not used
INFINITY_COUNTS = (2_500, 5_000, 10_000, 25_000, 50_000)
Floors = dict[str, Floor]


def infinity_counts(available: int) -> tuple[int, ...]:
    """Choose at how many images the Fréchet distance is taken before it is extrapolated."""
    return tuple(count for count in INFINITY_COUNTS if count <= available)


def _set_floor(target: Target, size: int, progress: Progress) -> list[Measures]:
    """Hold class-matched training images against the test images, in 20 draws."""
    train = target.train_seen
    found = []
    for draw in range(SET_DRAWS):
        rows = target.reference.class_matched(size, draw)
        asked = target.reference.train_labels[rows]
        found.append(measure_set(train.at(rows), asked, target) | _reading(target, size, draw))
        progress("floors: sets of real images", draw + 1, SET_DRAWS)
    return found


def _reading(target: Target, size: int, draw: int) -> Measures:
    """Measure how well E1 reads test images: it has learnt the training images by heart."""
    random = np.random.default_rng(seed_for(0, "reading", draw))
    rows = random.integers(len(target.labels), size=size)
    right = target.seen.read[rows] == target.labels[rows]
    clear = target.seen.probabilities[rows].max(axis=1) >= CLEAR
    return {"label_accuracy": float(right.mean()), "confident": float(clear.mean())}


def _halves_floor(target: Target, size: int, progress: Progress) -> list[Measures]:
    """Hold halves of the test images against each other: no extractor was trained on either."""
    found = []
    for draw in range(SET_DRAWS):
        order = np.random.default_rng(seed_for(0, "halves", draw)).permutation(len(target.labels))
        one, other = target.seen.at(order[:size]), target.seen.at(order[size : 2 * size])
        pairs = {"fd_e1": (one.e1, other.e1), "fd_e2": (one.e2, other.e2)}
        found.append(
            {key: frechet_distance(moments(a), moments(b)) for key, (a, b) in pairs.items()}
        )
        progress("floors: halves of the test images", draw + 1, SET_DRAWS)
    return found


def _infinity_floor(target: Target, size: int, progress: Progress) -> list[Measures]:
    train = target.train_seen
    found = []
    for draw in range(INFINITY_DRAWS):
        rows = target.reference.class_matched(size, 1000 + draw)
        found.append(measure_infinity(train.at(rows), target))
        progress("floors: FD-infinity", draw + 1, INFINITY_DRAWS)
    return found


def measure_infinity(seen: Seen, target: Target) -> Measures:
    """Extrapolate both Fréchet distances to infinitely many images."""
    counts = infinity_counts(len(seen.e1))
    pairs = {"e1": (seen.e1, target.e1_moments), "e2": (seen.e2, target.e2_moments)}
    return {
        f"fd_infinity_{name}": frechet_infinity(features, real, counts, 5, seed=0).intercept
        for name, (features, real) in pairs.items()
    }


def _usefulness_floor(target: Target, size: int, progress: Progress) -> list[Measures]:
    real = target.reference
    found = []
    for seed in range(SEEDS):
        rows = real.class_matched(size, seed)
        labels = real.train_labels[rows]
        accuracy = train_and_test(real.train[rows], labels, real.test, real.test_labels, seed)
        found.append({"cas": accuracy})
        progress("floors: a classifier trained on real images", seed + 1, SEEDS)
    return found


def _two_sample_floor(target: Target, size: int, progress: Progress) -> list[Measures]:
    real = target.reference
    train = target.train_seen
    found = []
    for seed in range(SEEDS):
        rows = real.class_matched(size, 100 + seed)
        test_rows = real_part(len(real.test), size, seed)
        seen = target.seen.at(test_rows)
        found.append(
            {
                "two_sample_auc": two_sample_auc(real.test[test_rows], real.train[rows], seed),
                "one_nearest": one_nearest_neighbour(seen.e1, train.e1[rows]).accuracy,
            }
        )
        progress("floors: real or drawn?", seed + 1, SEEDS)
    return found


def real_part(available: int, size: int, seed: int) -> np.ndarray:
    """Choose the test images that meet the drawn ones in a two-sample test."""
    order: np.ndarray = np.random.default_rng(seed_for(seed, "test part")).permutation(available)
    return order[:size]


def _memory_floor(target: Target, size: int, progress: Progress) -> list[Measures]:
    """Let halves of the test images play the fakes: they cannot have been copied."""
    distances = memory.real_distances(target, progress)
    return [memory.halved(distances, draw) for draw in range(SET_DRAWS)]


def _modes_floor(target: Target, size: int, progress: Progress) -> list[Measures]:
    """Stack three training images each, drawn anew, as E1 reads them."""
    read = target.train_seen.read
    found = []
    for draw in range(SET_DRAWS):
        random = np.random.default_rng(seed_for(0, "stacked floor", draw))
        found.append(measure_modes(read[random.integers(len(read), size=(size, 3))]))
    return found


def measure_modes(digits: np.ndarray) -> Measures:
    """Measure the modes of stacked digits (n, 3) as E1 reads them."""
    modes = stacked_modes(digits)
    return {"modes": modes.modes, "kl": modes.kl, "kl_debiased": modes.kl_debiased}


COMPONENTS: dict[str, Callable[[Target, int, Progress], list[Measures]]] = {
    "set": _set_floor,
    "halves": _halves_floor,
    "infinity": _infinity_floor,
    "cas": _usefulness_floor,
    "two-sample": _two_sample_floor,
    "train-distances": _memory_floor,
    "modes": _modes_floor,
}


class FloorBook:
    """Floors of one reference: read where they are known, else computed and kept.

    Attributes:
        folder: where newly computed floors are kept.
    """

    def __init__(self, target: Target, folder: Path, progress: Progress = silent) -> None:
        self.target, self.folder, self.progress = target, folder, progress

    def get(self, component: str, size: int) -> Floors:
        """Return the floors of a component of the protocol at a number of images."""
        key = f"{component} {size}"
        known = self._shipped() | self._kept()
        if key not in known:
            known[key] = self.compute(component, size)
            self.write(self._path, self._kept() | {key: known[key]})
        return {name: Floor(*values) for name, values in known[key].items()}

    def write(self, path: Path, floors: dict[str, Any]) -> None:
        """Write floors with the key of the judge and the reference that they belong to."""
        files.write_json(path, {"key": self._key, "floors": floors})

    def compute(self, component: str, size: int) -> dict[str, list[float]]:
        """Compute mean, standard deviation and number of draws of each metric of a component."""
        draws = COMPONENTS[component](self.target, size, self.progress)
        names = sorted(set.intersection(*(set(draw) for draw in draws)))
        values = {name: np.array([draw[name] for draw in draws]) for name in names}
        return {name: [float(v.mean()), float(v.std(ddof=1)), len(v)] for name, v in values.items()}

    @property
    def _key(self) -> str:
        return f"{VERSION} {judge_digest()} {self.target.reference.digest}"

    @property
    def _path(self) -> Path:
        return self.folder / f"floors-{self.target.reference.digest[:16]}.json"

    def _shipped(self) -> dict[str, Any]:
        with as_file(resources("inkgan.evaluation") / SHIPPED) as path:
            return self._read(path)

    def _kept(self) -> dict[str, Any]:
        return self._read(self._path)

    def _read(self, path: Path) -> dict[str, Any]:
        """Read floors, unless they are another judge's, another reference's or not there."""
        if not path.is_file():
            return {}
        held = files.read_json(path)
        return migrate_baselines(held["floors"]) if held.get("key") == self._key else {}


def migrate_baselines(floors: dict[str, Any]) -> dict[str, Any]:
    """Give components and metrics of an older file the names that they have today."""
    renamed = {}
    for key, values in floors.items():
        component, size = key.split()
        known = {current_key(name): value for name, value in values.items()}
        renamed[f"{RENAMED_COMPONENTS.get(component, component)} {size}"] = known
    return renamed
