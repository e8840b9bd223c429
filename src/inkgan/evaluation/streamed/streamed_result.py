"""From the sums and the sample of a stream to a result with intervals and baselines."""

from dataclasses import dataclass, replace

import numpy as np

from inkgan.evaluation.baselines import LEAST_COUNTS, BaselineCache, infinity_counts, rows_of_test
from inkgan.evaluation.protocol import TWO_SAMPLE, ProtocolRunner, class_rows, make_score
from inkgan.evaluation.reference import ReferenceSet
from inkgan.evaluation.results import EvaluationResult, GeneratedImages, Protocol
from inkgan.evaluation.score import Baseline, Score
from inkgan.evaluation.set_intervals import (
    Estimate,
    MeasuredSets,
    distance_intervals,
    expansion_estimate,
    nearest_estimate,
)
from inkgan.evaluation.streamed.streamed_sums import StreamSums, matched_rows
from inkgan.metrics.features.extractors import Features
from inkgan.metrics.frechet import frechet_distance, line_weights
from inkgan.metrics.frechet_expansion import frechet_expansion, infinity_expansion
from inkgan.metrics.metric_registry import METRIC_SPECS
from inkgan.metrics.prdc import one_nearest_neighbor
from inkgan.metrics.stats.expansion import Strata
from inkgan.metrics.stats.intervals import wilson_interval
from inkgan.types import Progress, silent

STREAM = Protocol("stream", images=0, thorough=True, infinity=False)


@dataclass(frozen=True, eq=False)
class StreamedSets(MeasuredSets):
    """Many sets of images, of which only a sample of one set is there."""

    @property
    def size(self) -> int:
        """The number of images of a set."""
        return len(self.features.e1)

    @property
    def strata(self) -> Strata:
        """The classes of the sample and of the real images."""
        return Strata.of(self.requested, self.reference.labels, self.size)


def sampled_images(sums: StreamSums, reference: ReferenceSet, size: int) -> GeneratedImages:
    """Return the sample as images to be evaluated, in the shares of the reference's classes."""
    sample = sums.sample
    if (sample.labels < 0).any():
        return GeneratedImages(sample.pixels[:size])
    rows = matched_rows(sample.labels, reference.images, draw=0)[:size]
    return GeneratedImages(sample.pixels[rows], sample.labels[rows])


def streamed_result(
    sums: StreamSums, images: GeneratedImages, cache: BaselineCache, progress: Progress = silent
) -> EvaluationResult:
    """Evaluate a stream: sums over all images where there are sums, else the sample.

    Args:
        sums: of all images.
        images: the sample, as many as are in a set.
        cache: baselines of the reference.
        progress: called as `progress(what, done, total)`.

    Raises:
        DataError: images that cannot be evaluated.
    """
    reference, size = cache.reference, len(images.pixels)
    protocol = replace(STREAM, images=size, set_size=size)
    sampled = ProtocolRunner(reference, cache, protocol, progress).run(images)
    features = sampled.features
    measured = StreamedSets(features, images.requested, sums.sets, sums.means, reference)
    estimates, _ = distance_intervals(measured)
    shares = _shares(sums, labels=images.requested is not None)
    scores = dict(sampled.scores)
    for key, estimate in (estimates | shares).items():
        if key in scores:
            count = sums.images if key in shares else sums.sets * size
            scores[key] = make_score(key, estimate, scores[key].baseline, count)
    scores |= _infinity(sums, measured, cache)
    scores |= _nearest(features, cache, size)
    rows = class_rows([sums.means], {}, estimates)
    classes = {digit: dict(row) | rows.get(digit, {}) for digit, row in sampled.classes.items()}
    return replace(
        sampled,
        scores={key: scores[key] for key in METRIC_SPECS if key in scores},
        classes=classes,
        confusion=sampled.confusion if images.requested is None else sums.confusion / sums.images,
        counts={"images": sums.images, "set_size": size, "sets": sums.sets, "sample": size},
        notes=(*sampled.notes, *_notes(sums, size, scores)),
    )


def _shares(sums: StreamSums, labels: bool) -> dict[str, Estimate]:
    """Bound the shares of all images."""
    numbers = {"confident": sums.confident} | ({"label_accuracy": sums.right} if labels else {})
    found = {}
    for key, number in numbers.items():
        share = number / sums.images
        error = float(np.sqrt(share * (1 - share) / sums.images))
        found[key] = Estimate(wilson_interval(number, sums.images), error)
    return found


def _infinity(sums: StreamSums, measured: StreamedSets, cache: BaselineCache) -> dict[str, Score]:
    """Extrapolate from the sets and from all images together to infinitely many.

    The line in 1/N goes through the mean distance of the sets and the distance of all images.
    """
    reference, size = measured.reference, measured.size
    known = infinity_counts(len(reference.images.unseen))
    if sums.sets < 2 or len(known) < LEAST_COUNTS:
        return {}
    counts = (size, sums.images)
    baselines = cache.get("infinity", known[-1])
    scores = {}
    for name in ("e1", "e2"):
        real = getattr(reference, f"{name}_moments")
        together = frechet_distance(getattr(sums, name).moments(sums.images), real)
        values = np.array([sums.means[f"fd_{name}"], together])
        value = float(line_weights(counts) @ values)
        points, others = getattr(measured.features, name), getattr(reference.features, name)
        finite = frechet_expansion(points, others, measured.strata)
        expansion = infinity_expansion(finite, value, counts)
        estimate = expansion_estimate(expansion, value, sums.sets)
        key = f"fd_infinity_{name}"
        scores[key] = make_score(key, estimate, baselines[key], sums.images)
    return scores


def _nearest(features: Features, cache: BaselineCache, size: int) -> dict[str, Score]:
    """Compute the 1-NN accuracy of disjoint parts of the sample."""
    reference = cache.reference
    count = min(TWO_SAMPLE, size // 2, len(reference.labels))
    accuracies = []
    for seed in range(2):
        rows = rows_of_test(len(reference.labels), count, seed)
        part = features.e1[seed * count : (seed + 1) * count]
        accuracies.append(one_nearest_neighbor(reference.features.e1[rows], part).accuracy)
    drawn = features.e1[: 2 * count]
    estimate = nearest_estimate(accuracies, reference.features.e1, drawn)
    baseline: Baseline = cache.get("two-sample", count)["one_nearest"]
    return {"one_nearest": make_score("one_nearest", estimate, baseline, len(drawn))}


def _notes(sums: StreamSums, size: int, scores: dict[str, Score]) -> list[str]:
    """Say which scores come from all images, and which from the sample."""
    everything = [METRIC_SPECS[key].title for key in scores if scores[key].images > size]
    rest = [METRIC_SPECS[key].title for key in scores if scores[key].images <= size]
    notes = [
        f"Of all {sums.images:,} images: {'; '.join(everything)}. The distances are means over "
        f"{sums.sets:,} sets of {size:,}.",
        f"Of a sample of {size:,} images, chosen by their numbers: {'; '.join(rest)}. Their "
        "intervals are those of the sample.",
    ]
    if sums.read > sums.images:
        notes.append(
            f"{sums.images:,} of {sums.read:,} images were measured, chosen so that the classes "
            "have the shares of the reference."
        )
    return notes if everything else notes[1:]
