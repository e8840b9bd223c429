"""Baselines: what real images score by the same code, computed once and kept.

They are neutral: training images that no extractor was fitted to are compared with the test
images. The package ships MNIST's for the usual numbers of images; others are computed when first
needed and kept in the user's cache.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file
from importlib.resources import files as resources
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from inkgan import files
from inkgan.documents import check_values
from inkgan.errors import ArtifactError
from inkgan.evaluation.reference import ReferenceSet
from inkgan.evaluation.score import Baseline
from inkgan.evaluation.set_metrics import Measures, measure_set
from inkgan.evaluation.train_distances import compare_halves
from inkgan.metrics.features.extractors import Features, extractors_digest
from inkgan.metrics.frechet import frechet_infinity
from inkgan.metrics.metric_registry import current_key
from inkgan.metrics.modes import stacked_modes
from inkgan.metrics.prdc import one_nearest_neighbor
from inkgan.metrics.two_sample import classification_accuracy, two_sample_auc
from inkgan.rng import seed_for
from inkgan.types import Progress, silent

SET_DRAWS = 10  # a third of the images of two draws of 10,000 are the same; more say little
GRID_DRAWS = 20
LEAST_DRAWS = 5
GRID = (200, 300, 400, 600, 1_000, 1_600, 2_500, 5_000)  # sizes of shipped sets
QUICK_IMAGES = 15_000  # of all draws together, in the quick protocol
INFINITY_DRAWS = 20
HALVES_DRAWS = 10
HALF = 5_000  # images of each half of the test split
SEEDS = 5
SHIPPED = "baselines.json"
STANDARD = (
    ("set", 10_000),
    ("halves", HALF),
    ("infinity", 25_000),
    ("cas", 60_000),
    ("two-sample", 5_000),
    ("train-distances", 10_000),
    ("modes", 26_000),
    *(("quick-set", size) for size in GRID),
)
RENAMED_COMPONENTS = {"usefulness": "cas", "memory": "train-distances"}
VERSION = 2  # of the protocol: baselines and cached results of another one are not used
INFINITY_COUNTS = (2_500, 5_000, 10_000, 25_000)
LEAST_COUNTS = 3  # of points on a line that is extrapolated
Baselines = dict[str, Baseline]
_Row = Annotated[list[float], Field(min_length=3, max_length=4)]  # mean, sd, draws, error
_Table = dict[str, dict[str, _Row]]
SizedBaselines = tuple[int, Mapping[str, Any]]  # a size, and mean, sd and draws of each metric
MOST_SHARED = 0.9  # of two draws; more says nothing about their spread
MOST_APART = 2.6  # between two sizes is interpolated where one is at most so many times the other


def infinity_counts(available: int) -> tuple[int, ...]:
    """Choose at how many images the Fréchet distance is taken before it is extrapolated."""
    return tuple(count for count in INFINITY_COUNTS if count <= available)


def _set_draws(reference: ReferenceSet, size: int, progress: Progress) -> list[Measures]:
    """Compare class-matched, unseen training images with the test images."""
    return _measure_draws(reference, size, SET_DRAWS, True, progress)


def _quick_set_draws(reference: ReferenceSet, size: int, progress: Progress) -> list[Measures]:
    """Compare them in as many draws as a quick evaluation has time for."""
    draws = min(GRID_DRAWS, max(LEAST_DRAWS, QUICK_IMAGES // size))
    draws = GRID_DRAWS if size in GRID else draws
    return _measure_draws(reference, size, draws, False, progress)


def _measure_draws(
    reference: ReferenceSet, size: int, draws: int, thorough: bool, progress: Progress
) -> list[Measures]:
    chosen = [reference.images.class_matched(size, draw) for draw in range(draws)]
    features = reference.features_of_train(np.concatenate(chosen))
    found, start = [], 0
    for draw, rows in enumerate(chosen):
        part = features.at(slice(start, start + len(rows)))
        labels = reference.images.train_labels[rows]
        found.append(measure_set(part, labels, reference, thorough))
        start += len(rows)
        progress("baselines: sets of real images", draw + 1, draws)
    return found


def _halves_draws(reference: ReferenceSet, size: int, progress: Progress) -> list[Measures]:
    """Compare halves of the test images with each other: the clean reference.

    No extractor was fitted to either, and the writers of both are the same.
    """
    found = []
    for draw in range(HALVES_DRAWS):
        random = np.random.default_rng(seed_for(0, "halves", draw))
        order = random.permutation(len(reference.labels))
        one, other = order[:size], order[size : 2 * size]
        real = reference.part_of_test(one)
        drawn, labels = reference.features.at(other), reference.labels[other]
        measures = measure_set(drawn, labels, real, thorough=False)
        infinity = measure_infinity(drawn, real, _counts_of_half(size))
        found.append(measures | infinity)
        progress("baselines: halves of the test images", draw + 1, HALVES_DRAWS)
    return found


def _counts_of_half(size: int) -> tuple[int, ...]:
    return (size // 4, size // 2, size)


def _infinity_draws(reference: ReferenceSet, size: int, progress: Progress) -> list[Measures]:
    train = reference.train_features
    found = []
    for draw in range(INFINITY_DRAWS):
        rows = reference.images.class_matched(size, 1000 + draw)
        found.append(measure_infinity(train.at(rows), reference))
        progress("baselines: FD-infinity", draw + 1, INFINITY_DRAWS)
    return found


def measure_infinity(
    features: Features, reference: ReferenceSet, counts: Sequence[int] | None = None
) -> Measures:
    """Extrapolate both Fréchet distances to infinitely many images.

    The distances are taken at `counts` images, by default at `infinity_counts`.
    """
    counts = infinity_counts(len(features.e1)) if counts is None else counts
    pairs = {"e1": (features.e1, reference.e1_moments), "e2": (features.e2, reference.e2_moments)}
    return {
        f"fd_infinity_{name}": frechet_infinity(points, real, counts, seed=0).intercept
        for name, (points, real) in pairs.items()
    }


def _cas_draws(reference: ReferenceSet, size: int, progress: Progress) -> list[Measures]:
    real = reference.images
    found = []
    for seed in range(SEEDS):
        rows = real.class_matched(size, seed, all_images=True)
        labels = real.train_labels[rows]
        accuracy = classification_accuracy(
            real.train[rows], labels, real.test, real.test_labels, seed
        )
        found.append({"cas": accuracy})
        progress("baselines: a classifier trained on real images", seed + 1, SEEDS)
    return found


def _two_sample_draws(reference: ReferenceSet, size: int, progress: Progress) -> list[Measures]:
    real, train = reference.images, reference.train_features
    found = []
    for seed in range(SEEDS):
        rows = real.class_matched(size, 100 + seed)
        test_rows = rows_of_test(len(real.test), len(rows), seed)  # fewer where a class has too few
        tests = reference.features.at(test_rows)
        found.append(
            {
                "two_sample_auc": two_sample_auc(real.test[test_rows], real.train[rows], seed),
                "one_nearest": one_nearest_neighbor(tests.e1, train.e1[rows]).accuracy,
            }
        )
        progress("baselines: real or generated?", seed + 1, SEEDS)
    return found


def rows_of_test(available: int, size: int, seed: int) -> np.ndarray:
    """Choose the rows of the test images for one seed of a two-sample test."""
    order: np.ndarray = np.random.default_rng(seed_for(seed, "test part")).permutation(available)
    return order[:size]


def _train_distance_draws(reference: ReferenceSet, size: int, progress: Progress) -> list[Measures]:
    """Let halves of the test images take the place of generated ones: they are no copies."""
    distances = reference.test_distances
    return [compare_halves(distances, draw) for draw in range(GRID_DRAWS)]


def _modes_draws(reference: ReferenceSet, size: int, progress: Progress) -> list[Measures]:
    """Stack three unseen training images each, as E1 classifies them."""
    predicted = reference.features_of_train(reference.images.unseen).predicted
    found = []
    for draw in range(GRID_DRAWS):
        random = np.random.default_rng(seed_for(0, "stacked baseline", draw))
        found.append(measure_modes(predicted[random.integers(len(predicted), size=(size, 3))]))
    return found


def measure_modes(digits: np.ndarray) -> Measures:
    """Measure the modes of stacked digits (n, 3) as E1 classifies them."""
    modes = stacked_modes(digits)
    return {"modes": modes.modes, "kl": modes.kl, "kl_debiased": modes.kl_debiased}


COMPONENTS: dict[str, Callable[[ReferenceSet, int, Progress], list[Measures]]] = {
    "set": _set_draws,
    "quick-set": _quick_set_draws,
    "halves": _halves_draws,
    "infinity": _infinity_draws,
    "cas": _cas_draws,
    "two-sample": _two_sample_draws,
    "train-distances": _train_distance_draws,
    "modes": _modes_draws,
}


@dataclass(frozen=True, eq=False)
class BaselineCache:
    """Baselines of one reference: read where they are known, else computed and cached.

    Attributes:
        reference: the real images.
        progress: called while they are computed.
        folder: where new ones are kept; None for the user's cache.
    """

    reference: ReferenceSet
    progress: Progress = silent
    folder: Path | None = None

    def get(self, component: str, size: int) -> Baselines:
        """Return the baselines of a component of the protocol at a number of images."""
        known = self._shipped() | self._kept()
        key = f"{component} {size}"
        thorough = key.removeprefix("quick-")
        key = thorough if thorough in known else key
        if key not in known and component == "quick-set" and (between := _between(size, known)):
            return interpolate(size, *between)
        if key not in known:
            known[key] = self.compute(component, size)
            files.cache_json(
                self._name, self._document(self._kept() | {key: known[key]}), self.folder
            )
        return {name: Baseline(*values) for name, values in known[key].items()}

    def clean_reference(self, compute: bool) -> Baselines:
        """Return what halves of the test images score against each other.

        Args:
            compute: compute it, which takes minutes, where it is not known; else nothing comes.
        """
        size = min(HALF, len(self.reference.labels) // 2)
        is_known = f"halves {size}" in self._shipped() | self._kept()
        return self.get("halves", size) if compute or is_known else {}

    def interpolates(self, component: str, size: int) -> bool:
        """Return whether `get` interpolates between the baselines of other sizes."""
        known = self._shipped() | self._kept()
        unknown = known.keys().isdisjoint((f"{component} {size}", f"set {size}"))
        return component == "quick-set" and unknown and _between(size, known) is not None

    def write(self, path: Path, baselines: Mapping[str, Any]) -> None:
        """Write baselines with the key of the extractors and the reference they belong to."""
        files.write_json(path, self._document(baselines))

    def compute(self, component: str, size: int) -> dict[str, list[float]]:
        """Compute the fields of `Baseline` of each metric of a component."""
        draws = COMPONENTS[component](self.reference, size, self.progress)
        names = sorted(set.intersection(*(set(draw) for draw in draws)))
        shared = self._shared_part(component, size)
        return {name: summarize([draw[name] for draw in draws], shared) for name in names}

    def _shared_part(self, component: str, size: int) -> float:
        """Return which part of its images one draw shares with another, on average."""
        available = {
            **dict.fromkeys(("set", "quick-set", "infinity", "two-sample"), self._unseen),
            **dict.fromkeys(("halves", "train-distances"), 2 * size),
        }
        return min(MOST_SHARED, size / available[component]) if component in available else 0.0

    @property
    def _unseen(self) -> int:
        return len(self.reference.images.unseen)

    @property
    def _key(self) -> str:
        images = self.reference.images
        return f"{VERSION} {extractors_digest(images.extractors)} {images.digest}"

    @property
    def _name(self) -> str:
        return f"baselines/baselines-{self.reference.images.digest[:16]}.json"

    def _document(self, baselines: Mapping[str, Any]) -> dict[str, Any]:
        return {"key": self._key, "baselines": dict(baselines)}

    def _shipped(self) -> dict[str, Any]:
        with as_file(resources("inkgan.evaluation") / SHIPPED) as path:
            return self._matching(files.read_json(path)) if path.is_file() else {}

    def _kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for document in files.cached_json(self._name, self.folder):
            kept |= self._matching(document)
        return kept

    def _matching(self, document: Any) -> dict[str, Any]:
        """Return the baselines of a document, unless they are of other extractors or images.

        A damaged document counts as missing: its baselines are computed again.
        """
        if not isinstance(document, dict) or document.get("key") != self._key:
            return {}
        try:
            baselines = migrate_baselines(document)
            check_values(_Table, baselines, self._name)
            sizes = [int(name.split()[1]) for name in baselines]
        except (ArtifactError, AttributeError, TypeError, ValueError):
            return {}
        return baselines if all(size > 0 for size in sizes) else {}


def summarize(values: Sequence[float], shared: float) -> list[float]:
    """Summarize a metric over draws that share a part of their images.

    Draws of n out of N images without replacement have the correlation n / N, so that they spread
    too little about a mean that is itself uncertain (sampling from a finite population: Cochran
    1977, section 2.5).

    Args:
        values: of the draws (n,).
        shared: correlation of two draws, in [0, 1).

    Returns:
        Mean, standard deviation between independent sets, number of draws, and the standard error
        of the mean.
    """
    draws = np.asarray(values, np.float64)
    count = len(draws)
    sd = float(draws.std(ddof=1)) / math.sqrt(1 - shared)
    return [float(draws.mean()), sd, count, sd * math.sqrt(shared + (1 - shared) / count)]


def _between(size: int, known: Mapping[str, Any]) -> tuple[SizedBaselines, SizedBaselines] | None:
    """Find the known sets nearest above and below a size; None without both."""
    sizes = {}
    for key, values in known.items():
        component, count = key.split()
        if component in ("quick-set", "set") and values["precision"][2] >= SET_DRAWS:
            sizes[int(count)] = values
    below = max((count for count in sizes if count < size), default=None)
    above = min((count for count in sizes if count > size), default=None)
    if below is None or above is None or above > MOST_APART * below:
        return None
    return (below, sizes[below]), (above, sizes[above])


def interpolate(size: int, low: SizedBaselines, high: SizedBaselines) -> Baselines:
    """Interpolate the baselines of sets of a size between those of two other sizes.

    Distances are linear in 1 / size, as the bias of a Fréchet distance is, and coverage follows
    1 - exp(-a size^b); other means and the logarithms of standard deviations are linear in the
    logarithm of the size.
    """
    (least, below), (most, above) = low, high
    inverse = (1 / size - 1 / least) / (1 / most - 1 / least)
    part = float(np.log(size / least) / np.log(most / least))
    found = {}
    for name in sorted(below.keys() & above.keys()):
        means = below[name][0], above[name][0]
        if "fd" in name:
            mean = _weighted(means, inverse)
        elif name == "coverage" and min(means) > 0 and max(means) < 1:
            exponents = [float(np.log(-np.log1p(-value))) for value in means]
            mean = float(-np.expm1(-np.exp(_weighted(exponents, part))))
        else:
            mean = _weighted(means, part)
        spreads = np.maximum([below[name][1], above[name][1]], np.finfo(float).tiny)
        sd = float(np.exp(_weighted(np.log(spreads), part)))
        errors = [Baseline(*values[name]).standard_error for values in (below, above)]
        error = _weighted(errors, part)
        found[name] = Baseline(mean, sd, int(min(below[name][2], above[name][2])), error)
    return found


def _weighted(ends: Sequence[float] | np.ndarray, part: float) -> float:
    return float((1 - part) * ends[0] + part * ends[1])


def migrate_baselines(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the baselines of a document of this or an older version, by today's names."""
    renamed = {}
    for key, values in document.get("baselines", document.get("floors", {})).items():
        component, size = key.split()
        known = {current_key(name): value for name, value in values.items()}
        renamed[f"{RENAMED_COMPONENTS.get(component, component)} {size}"] = known
    return renamed
