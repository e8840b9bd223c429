"""The protocol: from images to a result, with a baseline under every score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from inkgan.evaluation.baselines import (
    LEAST_COUNTS,
    SET_DRAWS,
    BaselineCache,
    Baselines,
    infinity_counts,
    measure_infinity,
    measure_modes,
    rows_of_test,
)
from inkgan.evaluation.custom_metrics import custom_scores
from inkgan.evaluation.reference import ReferenceSet
from inkgan.evaluation.results import EvaluationResult, GeneratedImages, Protocol, check_images
from inkgan.evaluation.score import Baseline, Score
from inkgan.evaluation.set_metrics import CONFIDENT, Measures, measure_set
from inkgan.evaluation.train_distances import TrainDistances, compare_train_distances
from inkgan.metrics.features.extractors import Features
from inkgan.metrics.frechet import frechet_standard_error
from inkgan.metrics.memorization import CopyTest
from inkgan.metrics.metric_registry import METRIC_SPECS
from inkgan.metrics.prdc import one_nearest_neighbor
from inkgan.metrics.stats.intervals import Interval, normal_interval, t_interval, wilson_interval
from inkgan.metrics.two_sample import classification_accuracy, two_sample_auc
from inkgan.types import Progress, silent

TWO_SAMPLE = 5_000
INTERPOLATED = (
    "The baselines are interpolated between those of smaller and larger sets; the full protocol "
    "measures them."
)
OVER_BASELINE = "baseline draws"


@dataclass(frozen=True)
class _Part:
    """What one part of the protocol adds to the result."""

    scores: Mapping[str, Score] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class _CopyPart(_Part):
    copy_tests: Mapping[str, CopyTest] = field(default_factory=dict)
    nearest: Mapping[str, TrainDistances] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ProtocolRunner:
    """Evaluates images against one reference by one protocol.

    Attributes:
        reference: the real images.
        baselines: what these score.
        protocol: how much is measured.
        progress: called as `progress(what, done, total)`.
    """

    reference: ReferenceSet
    baselines: BaselineCache
    protocol: Protocol
    progress: Progress = silent

    def run(self, images: GeneratedImages) -> EvaluationResult:
        """Measure everything that the protocol asks for.

        Raises:
            DataError: images that the extractors cannot read, too few of them, or wrong labels.
            ConfigError: a registered metric returns no number.
        """
        check_images(images)
        protocol = self.protocol
        size = min(protocol.set_size, len(images.pixels), self.reference.images.largest_set)
        sets = min(protocol.sets, len(images.pixels) // size)
        features = self.reference.images.extract(
            images.pixels, self.progress, "features of the images"
        )
        first, first_features = images.part(slice(0, size)), features.at(slice(0, size))
        component = "set" if protocol.thorough else "quick-set"
        interpolated = self.baselines.interpolates(component, size)
        baselines = self.baselines.get(component, size)
        measured = self._measure_sets(images, features, size, sets)
        copies = self._copies(first, first_features) if protocol.thorough else _CopyPart()
        parts = [
            _Part(self._set_scores(features, measured, baselines, size)),
            self._modes(features) if images.stacked else _Part(),
            self._infinity(features) if protocol.thorough else _Part(),
            copies,
            _Part(self._trained(images, features) if protocol.seeds else {}),
            _Part(custom_scores(first, first_features, self.reference)),
        ]
        found = {key: score for part in parts for key, score in part.scores.items()}
        scores = {key: found[key] for key in METRIC_SPECS if key in found}
        counts = {"images": len(images.pixels), "set_size": size, "sets": sets}
        classes = _classes(measured, baselines)
        clean = self.baselines.clean_reference(compute=protocol.thorough)
        return EvaluationResult(
            scores=scores,
            classes=classes,
            confusion=confusion(first_features, first.requested),
            features=first_features,
            class_names=self.reference.images.classes,
            counts=counts | {key: n for part in parts for key, n in part.counts.items()},
            copy_tests=copies.copy_tests,
            nearest=copies.nearest,
            clean_reference={key: clean[key] for key in scores if key in clean},
            notes=(
                *_cautions(images, parts[0].scores, classes, size, protocol),
                *([INTERPOLATED] if interpolated else []),
                *(note for part in parts for note in part.notes),
            ),
        )

    def _measure_sets(
        self, images: GeneratedImages, features: Features, size: int, sets: int
    ) -> list[Measures]:
        measured = []
        for place in range(sets):
            rows = slice(place * size, (place + 1) * size)
            requested = images.part(rows).requested
            measured.append(
                measure_set(features.at(rows), requested, self.reference, self.protocol.thorough)
            )
            self.progress("measuring sets of images", place + 1, sets)
        return measured

    def _set_scores(
        self, features: Features, measured: list[Measures], baselines: Baselines, size: int
    ) -> dict[str, Score]:
        errors = {
            "fd_e1": frechet_standard_error(features.e1[:size], self.reference.e1_moments),
            "fd_e2": frechet_standard_error(features.e2[:size], self.reference.e2_moments),
        }
        scores = {}
        for key in METRIC_SPECS:
            values = [each[key] for each in measured if key in each]
            if values and key in baselines:
                scores[key] = _score(key, values, baselines[key], size, errors.get(key))
        return scores

    def _modes(self, features: Features) -> _Part:
        digits = features.predicted.reshape(-1, 3)
        baselines = self.baselines.get("modes", len(digits))
        scores = _over_baseline(measure_modes(digits), baselines)
        return _Part(scores, {"stacked_images": len(digits)})

    def _infinity(self, features: Features) -> _Part:
        """Extrapolate, where there are enough images for a line through three points."""
        available = min(len(features.e1), len(self.reference.images.unseen))
        counts = infinity_counts(available)
        if len(counts) < LEAST_COUNTS:
            note = "FD-infinity is left out: it takes 10,000 images, drawn and real ones."
            return _Part(notes=(note,))
        baselines = self.baselines.get("infinity", counts[-1])
        found = measure_infinity(features.at(slice(0, counts[-1])), self.reference)
        self.progress("FD-infinity", 1, 1)
        return _Part(_over_baseline(found, baselines))

    def _copies(self, images: GeneratedImages, features: Features) -> _CopyPart:
        """Compare the distances to the training images with those of the test images."""
        near = self.reference.train_distances(images.pixels, features)
        tests = self.reference.test_distances
        measures, copy_tests = compare_train_distances(near, tests)
        baselines = self.baselines.get("train-distances", len(tests["pixels"].nearest))
        count = len(images.pixels)
        scores = {
            key: _single(key, value, baselines[key], count) for key, value in measures.items()
        }
        return _CopyPart(scores, copy_tests=copy_tests, nearest=near)

    def _trained(self, images: GeneratedImages, features: Features) -> dict[str, Score]:
        """Train on the images: a classifier of digits, and one of generated and real."""
        seeds, real = self.protocol.seeds, self.reference.images
        count = min(len(images.pixels), len(real.train))
        predicted, requested = features.predicted, images.requested
        labels = (predicted if requested is None else requested)[:count]
        baselines = self.baselines.get("cas", count)
        size = min(TWO_SAMPLE, len(labels) // 2, len(real.test))
        baselines = baselines | self.baselines.get("two-sample", size)
        found: dict[str, list[float]] = {key: [] for key in baselines}
        for seed in range(seeds):
            accuracy = classification_accuracy(
                images.pixels[:count], labels, real.test, real.test_labels, seed
            )
            found["cas"].append(accuracy)
            self.progress("training classifiers on the images", seed + 1, seeds)
        for seed in range(seeds):
            rows = rows_of_test(len(real.test), size, seed)
            start = seed % (len(labels) // size) * size
            part = slice(start, start + size)
            auc = two_sample_auc(real.test[rows], images.pixels[part], seed)
            tests = self.reference.features.at(rows)
            found["two_sample_auc"].append(auc)
            found["one_nearest"].append(one_nearest_neighbor(tests.e1, features.e1[part]).accuracy)
            self.progress("real or generated?", seed + 1, seeds)
        return {
            key: Score(key, *t_interval(values), baselines[key], "seeds")
            for key, values in found.items()
        }


def _over_baseline(measures: Measures, baselines: Baselines) -> dict[str, Score]:
    """Give single values the spread of their baselines as interval."""
    return {
        key: Score(key, *normal_interval(value, baselines[key].sd), baselines[key], OVER_BASELINE)
        for key, value in measures.items()
    }


def _score(
    key: str, values: list[float], baseline: Baseline, size: int, error: float | None
) -> Score:
    """Give a metric its interval: over sets, or where there are few by what theory offers."""
    if len(values) >= 3:
        return Score(key, *t_interval(values), baseline, "sets")
    return _single(key, float(np.mean(values)), baseline, size, error)


def _single(
    key: str, value: float, baseline: Baseline, size: int, error: float | None = None
) -> Score:
    """Give the value of one set of `size` images the interval that its record names."""
    method = METRIC_SPECS[key].interval
    if method == "wilson":
        interval: Interval = wilson_interval(round(value * size), size)
        return Score(key, *interval, baseline, "images")
    if method == "delta" and error:
        return Score(key, *normal_interval(value, error), baseline, "images")
    return Score(key, *normal_interval(value, baseline.sd), baseline, OVER_BASELINE)


def _classes(measured: list[Measures], baselines: Baselines) -> dict[int, dict[str, float]]:
    """Average each digit's measures over the sets, and put their baselines beside them."""
    classes: dict[int, dict[str, float]] = {}
    for key in sorted({key for each in measured for key in each if "/" in key}):
        kind, digit = key.split("/")
        values = [each[key] for each in measured if key in each]
        row = classes.setdefault(int(digit), {})
        row[kind] = float(np.mean(values))
        if key in baselines:
            row[f"{kind}_baseline"] = baselines[key].mean
            row[f"{kind}_baseline_sd"] = baselines[key].sd
    return classes


def confusion(features: Features, requested: np.ndarray | None) -> np.ndarray:
    """Return which digits are taken for which, as shares of all images (k, k).

    Requested (row) and predicted (column) digits where labels were requested. Otherwise only
    images without a confident prediction count: the digit predicted (row) and the one that is
    nearly as probable (column).
    """
    classes = features.probabilities.shape[1]
    table = np.zeros((classes, classes))
    if requested is not None:
        np.add.at(table, (requested, features.predicted), 1)
    else:
        order = np.argsort(features.probabilities, axis=1)
        unclear = features.probabilities.max(axis=1) < CONFIDENT
        np.add.at(table, (order[unclear, -1], order[unclear, -2]), 1)
    shares: np.ndarray = table / len(features.probabilities)
    return shares


def _cautions(
    images: GeneratedImages,
    scores: Mapping[str, Score],
    classes: Mapping[int, Mapping[str, float]],
    size: int,
    protocol: Protocol,
) -> list[str]:
    notes: list[str] = []
    if size < protocol.set_size:
        notes.append(
            f"Scores and baselines are those of sets of {size:,} images, and do not compare with "
            f"scores of {protocol.set_size:,}."
        )
    draws = scores["precision"].baseline.draws
    if draws < SET_DRAWS:
        notes.append(
            f"The baselines of sets of {size:,} images are of {draws} draws of real images; the "
            f"full protocol takes {SET_DRAWS}."
        )
    if images.requested is None:
        notes.append("No labels were given: each image counts as the digit that E1 predicts.")
    accuracy, confident = (scores.get(key) for key in ("label_accuracy", "confident"))
    if accuracy and confident and accuracy.value < 0.5 * confident.value:
        notes.append(
            f"Only {accuracy.value:.1%} of the images show the digit that their label says, though "
            f"{confident.value:.1%} are clear: do the labels belong to these images?"
        )
    missing = [str(digit) for digit, row in classes.items() if row["share"] == 0]
    if missing:
        notes.append(f"There is no {', no '.join(missing)} among the images.")
    return notes
