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
from inkgan.evaluation.set_intervals import (
    Estimate,
    MeasuredSets,
    expansion_estimate,
    mean_measures,
    set_intervals,
    trained_estimates,
)
from inkgan.evaluation.set_metrics import CONFIDENT, Measures, measure_set
from inkgan.evaluation.train_distances import (
    TrainDistances,
    compare_train_distances,
    train_distance_intervals,
)
from inkgan.evaluation.verdict import in_classes
from inkgan.metrics.features.extractors import Features
from inkgan.metrics.frechet_expansion import frechet_expansion, infinity_expansion
from inkgan.metrics.memorization import CopyTest
from inkgan.metrics.metric_registry import METRIC_SPECS
from inkgan.metrics.modes import stacked_mode_intervals
from inkgan.metrics.prdc import one_nearest_neighbor
from inkgan.metrics.stats.expansion import Strata
from inkgan.metrics.stats.intervals import Interval
from inkgan.metrics.two_sample import classified_right, two_sample_ranking
from inkgan.types import Progress, silent

TWO_SAMPLE = 5_000
LYING_IMAGES, LYING_BELOW, LYING_ABOVE = 1_000, 0.8, 0.9  # label accuracy as given, and turned
INTERPOLATED = (
    "The baselines are interpolated between those of smaller and larger sets; the full protocol "
    "measures them."
)


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
        # before what takes minutes: a function of the user's own may be wrong
        custom = custom_scores(first, first_features, self.reference)
        extrapolates = protocol.thorough and protocol.infinity
        component = "set" if protocol.thorough else "quick-set"
        interpolated = self.baselines.interpolates(component, size)
        baselines = self.baselines.get(component, size)
        measured = self._measure_sets(images, features, size, sets)
        estimates, reasons = self._intervals(images, features, measured, size)
        copies = self._copies(first, first_features) if protocol.thorough else _CopyPart()
        parts = [
            _Part(_set_scores(measured, estimates, reasons, baselines, size)),
            self._modes(features) if images.stacked else _Part(),
            self._infinity(images, features) if extrapolates else _Part(),
            copies,
            _Part(self._trained(images, features) if protocol.seeds else {}),
            _Part(custom),
        ]
        found = {key: score for part in parts for key, score in part.scores.items()}
        scores = {key: found[key] for key in METRIC_SPECS if key in found}
        counts = {"images": len(images.pixels), "set_size": size, "sets": sets}
        classes = class_rows(measured, baselines, estimates)
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
                *self._cautions(images, parts[0].scores, classes, size),
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

    def _intervals(
        self, images: GeneratedImages, features: Features, measured: list[Measures], size: int
    ) -> tuple[dict[str, Estimate], dict[str, str]]:
        rows = slice(0, size * len(measured))
        sets = MeasuredSets(
            features.at(rows),
            images.part(rows).requested,
            len(measured),
            mean_measures(measured),
            self.reference,
            self.protocol.thorough,
        )
        self.progress("intervals", 0, 1)
        found = set_intervals(sets)
        self.progress("intervals", 1, 1)
        return found

    def _modes(self, features: Features) -> _Part:
        digits = features.predicted.reshape(-1, 3)
        baselines = self.baselines.get("modes", len(digits))
        bounds = stacked_mode_intervals(digits)
        shift = measure_modes(digits)["kl_debiased"] - bounds.kl.value
        found = {
            "modes": Estimate(bounds.modes, bounds.modes_error),
            "kl": Estimate(bounds.kl, bounds.kl_error),
            "kl_debiased": Estimate(Interval(*(end + shift for end in bounds.kl)), bounds.kl_error),
        }
        scores = {
            key: make_score(key, estimate, baselines[key], len(digits))
            for key, estimate in found.items()
        }
        return _Part(scores, {"stacked_images": len(digits)})

    def _infinity(self, images: GeneratedImages, features: Features) -> _Part:
        """Extrapolate, where there are enough images for a line through three points."""
        available = min(len(features.e1), len(self.reference.images.unseen))
        counts = infinity_counts(available)
        if len(counts) < LEAST_COUNTS:
            note = "FD-infinity is left out: it takes 10,000 images, drawn and real ones."
            return _Part(notes=(note,))
        count = counts[-1]
        baselines = self.baselines.get("infinity", count)
        values = measure_infinity(features.at(slice(0, count)), self.reference)
        requested = None if images.requested is None else images.requested[:count]
        strata = Strata.of(requested, self.reference.labels, count)
        scores = {}
        for name in ("e1", "e2"):
            key = f"fd_infinity_{name}"
            generated, real = (
                getattr(features, name)[:count],
                getattr(self.reference.features, name),
            )
            finite = frechet_expansion(generated, real, strata)
            estimate = expansion_estimate(
                infinity_expansion(finite, values[key], counts), values[key]
            )
            scores[key] = make_score(key, estimate, baselines[key], count)
        self.progress("FD-infinity", 1, 1)
        return _Part(scores)

    def _copies(self, images: GeneratedImages, features: Features) -> _CopyPart:
        """Compare the distances to the training images with those of the test images."""
        near = self.reference.train_distances(images.pixels, features)
        tests = self.reference.test_distances
        measures, copy_tests = compare_train_distances(near, tests)
        baselines = self.baselines.get("train-distances", len(tests["pixels"].nearest))
        bounds = train_distance_intervals(near, tests)
        scores = {}
        for key, value in measures.items():
            _, low, high = bounds[key].interval
            interval = Interval(value, min(low, value), max(high, value))
            estimate = Estimate(interval, bounds[key].error)
            scores[key] = make_score(key, estimate, baselines[key], len(images.pixels))
        return _CopyPart(scores, copy_tests=copy_tests, nearest=near)

    def _cautions(
        self,
        images: GeneratedImages,
        scores: Mapping[str, Score],
        classes: Mapping[int, Mapping[str, float]],
        size: int,
    ) -> list[str]:
        """Return what a reader must know of sets that are small, unlabeled, or lack a class."""
        protocol, names = self.protocol, self.reference.images.classes
        notes: list[str] = []
        if size < protocol.set_size:
            notes.append(
                f"Scores and baselines are those of sets of {size:,} images, and do not compare "
                f"with scores of {protocol.set_size:,}."
            )
        draws = scores["precision"].baseline.draws
        if draws < SET_DRAWS:
            notes.append(
                f"The baselines of sets of {size:,} images are of {draws} draws of real images; "
                f"the full protocol takes {SET_DRAWS}."
            )
        if images.requested is None:
            notes.append("No labels were given: each image counts as the digit that E1 predicts.")
        accuracy, confident = (scores.get(key) for key in ("label_accuracy", "confident"))
        lying = "" if accuracy is None else self._lying(images, accuracy.value)
        if lying:
            notes.append(lying)
        elif accuracy and confident and accuracy.value < 0.5 * confident.value:
            notes.append(
                f"Only {accuracy.value:.1%} of the images show the digit that their label says, "
                f"though {confident.value:.1%} are confident digits: do the labels belong to these "
                "images?"
            )
        missing = [names[place] for place, row in classes.items() if row["share"] == 0]
        if missing:
            notes.append(f"There is no {', no '.join(missing)} among the images.")
        return [in_classes(note, names) for note in notes]

    def _lying(self, images: GeneratedImages, accuracy: float) -> str:
        """Say so where images show their labels once rows and columns are exchanged."""
        if images.requested is None or accuracy > LYING_BELOW:
            return ""
        turned = np.ascontiguousarray(images.pixels[:LYING_IMAGES].transpose(0, 2, 1))
        predicted = self.reference.images.extract(turned, silent, "turned images").predicted
        share = float((predicted == images.requested[:LYING_IMAGES]).mean())
        if share < LYING_ABOVE:
            return ""
        return (
            f"{share:.1%} of the images show their label when rows and columns are exchanged, but "
            f"only {accuracy:.1%} as they are: EMNIST stores images so. Give them upright, "
            "`images.transpose(0, 2, 1)`."
        )

    def _trained(self, images: GeneratedImages, features: Features) -> dict[str, Score]:
        """Train on the images: a classifier of digits, and one of generated and real."""
        seeds, real = self.protocol.seeds, self.reference.images
        count = min(len(images.pixels), len(real.train))
        predicted, requested = features.predicted, images.requested
        labels = (predicted if requested is None else requested)[:count]
        baselines = self.baselines.get("cas", count)
        size = min(TWO_SAMPLE, len(labels) // 2, len(real.test))
        baselines = baselines | self.baselines.get("two-sample", size)
        right = []
        for seed in range(seeds):
            right.append(
                classified_right(images.pixels[:count], labels, real.test, real.test_labels, seed)
            )
            self.progress("training classifiers on the images", seed + 1, seeds)
        rankings, accuracies = [], []
        for seed in range(seeds):
            rows = rows_of_test(len(real.test), size, seed)
            start = seed % (len(labels) // size) * size
            part = slice(start, start + size)
            ranking = two_sample_ranking(real.test[rows], images.pixels[part], seed)
            rankings.append(
                ranking._replace(
                    real_rows=rows[ranking.real_rows],
                    generated_rows=ranking.generated_rows + start,
                )
            )
            tests = self.reference.features.at(rows)
            accuracies.append(one_nearest_neighbor(tests.e1, features.e1[part]).accuracy)
            self.progress("real or generated?", seed + 1, seeds)
        drawn = features.e1[: min(seeds, len(labels) // size) * size]
        found = trained_estimates(
            np.array(right), rankings, accuracies, self.reference.features.e1, drawn
        )
        numbers = {"cas": count}
        return {
            key: make_score(key, estimate, baselines[key], numbers.get(key, len(drawn)), over)
            for key, (estimate, over) in found.items()
        }


def make_score(
    key: str, estimate: Estimate, baseline: Baseline, images: int, over: str = "images"
) -> Score:
    """Make the score of a metric from its estimate."""
    return Score.of(
        key,
        estimate.interval,
        baseline,
        over,
        standard_error=estimate.error,
        images=images,
        replicates=tuple(float(f"{each:.4g}") for each in estimate.replicates),
    )


def _set_scores(
    measured: list[Measures],
    estimates: Mapping[str, Estimate],
    reasons: Mapping[str, str],
    baselines: Baselines,
    size: int,
) -> dict[str, Score]:
    means, images = mean_measures(measured), size * len(measured)
    scores = {}
    for key in METRIC_SPECS:
        if key not in means or key not in baselines:
            continue
        if key in estimates:
            scores[key] = make_score(key, estimates[key], baselines[key], images)
        else:
            scores[key] = Score.without_interval(
                key, means[key], baselines[key], reasons[key], images
            )
    return scores


def class_rows(
    measured: list[Measures], baselines: Baselines, estimates: Mapping[str, Estimate]
) -> dict[int, dict[str, float]]:
    """Average each digit's measures over the sets, with their intervals and baselines."""
    classes: dict[int, dict[str, float]] = {}
    for key in sorted({key for each in measured for key in each if "/" in key}):
        kind, digit = key.split("/")
        values = [each[key] for each in measured if key in each]
        row = classes.setdefault(int(digit), {})
        row[kind] = float(np.mean(values))
        if key in estimates:
            row[f"{kind}_low"] = estimates[key].interval.low
            row[f"{kind}_high"] = estimates[key].interval.high
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
