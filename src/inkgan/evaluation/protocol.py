"""The protocol: from images to an assessment, with a floor under every score."""

import numpy as np

from inkgan.evaluation import train_distances as memory
from inkgan.evaluation.baselines import (
    FloorBook,
    Floors,
    infinity_counts,
    measure_infinity,
    measure_modes,
    real_part,
)
from inkgan.evaluation.reference import Target
from inkgan.evaluation.results import Assessment, Fakes, Protocol, check
from inkgan.evaluation.score import Floor, Score
from inkgan.evaluation.set_metrics import CLEAR, Measures, measure_set
from inkgan.metrics.features.extractors import Seen, look
from inkgan.metrics.frechet import frechet_standard_error
from inkgan.metrics.prdc import one_nearest_neighbour
from inkgan.metrics.spec import METRIC_SPECS
from inkgan.metrics.stats.intervals import Interval, normal_interval, t_interval, wilson_interval
from inkgan.metrics.two_sample import train_and_test, two_sample_auc
from inkgan.types import Progress, silent

TWO_SAMPLE = 5_000


class Assessor:
    """Assesses images against one target by one protocol."""

    def __init__(
        self, target: Target, book: FloorBook, protocol: Protocol, progress: Progress = silent
    ) -> None:
        self.target, self.book, self.protocol = target, book, protocol
        self.progress = progress

    def assess(self, fakes: Fakes) -> Assessment:
        """Judge images.

        Raises:
            DataError: images that the judge cannot read, too few of them, or wrong labels.
        """
        check(fakes)
        protocol = self.protocol
        size = min(protocol.set_size, len(fakes.pixels), len(self.target.labels))
        sets = min(protocol.sets, len(fakes.pixels) // size)
        seen = look(fakes.pixels, self.progress, "looking at the images")
        floors = self.book.get("set", size)
        scores, measured = self._sets(fakes, seen, size, sets, floors)
        first = slice(0, size)
        asked = None if fakes.asked is None else fakes.asked[first]
        assessment = Assessment(
            scores=scores,
            classes=_classes(measured, floors),
            confusion=confusion(seen.at(first), asked),
            seen=seen.at(first),
            counts={"images": len(fakes.pixels), "set size": size, "sets": sets},
        )
        assessment.notes.extend(_cautions(fakes, assessment, protocol))
        if fakes.stacked:
            self._modes(seen, assessment)
        if protocol.thorough:
            self._infinity(seen, assessment)
            self._memory(fakes, seen, size, assessment)
        if protocol.seeds:
            self._trained(fakes, seen, assessment)
        ordered = {key: assessment.scores[key] for key in METRIC_SPECS if key in assessment.scores}
        assessment.scores.clear()
        assessment.scores.update(ordered)
        return assessment

    def _sets(
        self, fakes: Fakes, seen: Seen, size: int, sets: int, floors: Floors
    ) -> tuple[dict[str, Score], list[Measures]]:
        measured = []
        for place in range(sets):
            part = slice(place * size, (place + 1) * size)
            asked = None if fakes.asked is None else fakes.asked[part]
            measured.append(measure_set(seen.at(part), asked, self.target, self.protocol.thorough))
            self.progress("measuring sets of images", place + 1, sets)
        errors = {
            "fd_e1": frechet_standard_error(seen.e1[:size], self.target.e1_moments),
            "fd_e2": frechet_standard_error(seen.e2[:size], self.target.e2_moments),
        }
        scores = {}
        for key in METRIC_SPECS:
            values = [each[key] for each in measured if key in each]
            if values and key in floors:
                scores[key] = _score(key, values, floors[key], size, errors.get(key))
        return scores, measured

    def _modes(self, seen: Seen, assessment: Assessment) -> None:
        digits = seen.read.reshape(-1, 3)
        floors = self.book.get("modes", len(digits))
        for key, value in measure_modes(digits).items():
            interval = normal_interval(value, floors[key].sd)
            assessment.scores[key] = Score(key, *interval, floors[key], "draws of the floor")
        assessment.counts["stacked images"] = len(digits)

    def _infinity(self, seen: Seen, assessment: Assessment) -> None:
        """Extrapolate, where there are enough images for a line through three points."""
        counts = infinity_counts(min(len(seen.e1), len(self.target.reference.train)))
        if len(counts) < 3:
            assessment.notes.append(
                "FD-infinity is left out: it takes 10,000 images, drawn and real ones."
            )
            return
        floors = self.book.get("infinity", counts[-1])
        found = measure_infinity(seen.at(slice(0, counts[-1])), self.target)
        for key, value in found.items():
            interval = normal_interval(value, floors[key].sd)
            assessment.scores[key] = Score(key, *interval, floors[key], "draws of the floor")
        self.progress("FD-infinity", 1, 1)

    def _memory(self, fakes: Fakes, seen: Seen, size: int, assessment: Assessment) -> None:
        pixels = fakes.pixels[:size]
        near = memory.train_distances(pixels, seen.at(slice(0, size)), self.target, self.progress)
        tests = memory.real_distances(self.target, self.progress)
        measures, alarms = memory.compare(near, tests)
        floors = self.book.get("train-distances", len(tests["pixels"].nearest))
        for key, value in measures.items():
            sd = floors[key].sd
            if METRIC_SPECS[key].interval == "wilson":
                interval = wilson_interval(round(value * size), size)
                score = Score(key, *interval, floors[key], "images")
            else:
                score = Score(key, *normal_interval(value, sd), floors[key], "draws of the floor")
            assessment.scores[key] = score
        assessment.alarms.update(alarms)
        assessment.nearest.update(near)

    def _trained(self, fakes: Fakes, seen: Seen, assessment: Assessment) -> None:
        """Train on the images: a classifier of digits, and a detective."""
        seeds, real = self.protocol.seeds, self.target.reference
        count = min(len(fakes.pixels), len(real.train))
        labels = (seen.read if fakes.asked is None else fakes.asked)[:count]
        floors = self.book.get("cas", count)
        size = min(TWO_SAMPLE, len(labels) // 2, len(real.test))
        floors = floors | self.book.get("two-sample", size)
        found: dict[str, list[float]] = {key: [] for key in floors}
        for seed in range(seeds):
            accuracy = train_and_test(
                fakes.pixels[:count], labels, real.test, real.test_labels, seed
            )
            found["cas"].append(accuracy)
            self.progress("training classifiers on the images", seed + 1, seeds)
        for seed in range(seeds):
            rows = real_part(len(real.test), size, seed)
            start = seed % (len(labels) // size) * size
            part = slice(start, start + size)
            auc = two_sample_auc(real.test[rows], fakes.pixels[part], seed)
            alike = one_nearest_neighbour(self.target.seen.at(rows).e1, seen.e1[part])
            found["two_sample_auc"].append(auc)
            found["one_nearest"].append(alike.accuracy)
            self.progress("real or drawn?", seed + 1, seeds)
        for key, values in found.items():
            assessment.scores[key] = Score(key, *t_interval(values), floors[key], "seeds")


def _score(key: str, values: list[float], floor: Floor, size: int, error: float | None) -> Score:
    """Give a metric its interval: over sets, or where there is one set by what theory offers."""
    if len(values) >= 3:
        return Score(key, *t_interval(values), floor, "sets")
    value = float(np.mean(values))
    if METRIC_SPECS[key].interval == "wilson":
        interval: Interval = wilson_interval(round(value * size), size)
        return Score(key, *interval, floor, "images")
    if error:
        return Score(key, *normal_interval(value, error), floor, "images")
    return Score(key, *normal_interval(value, floor.sd), floor, "draws of the floor")


def _classes(measured: list[Measures], floors: Floors) -> dict[int, dict[str, float]]:
    """Average each digit's measures over the sets, and put their floors beside them."""
    classes: dict[int, dict[str, float]] = {}
    for key in sorted({key for each in measured for key in each if "/" in key}):
        kind, digit = key.split("/")
        values = [each[key] for each in measured if key in each]
        row = classes.setdefault(int(digit), {})
        row[kind] = float(np.mean(values))
        if key in floors:
            row[f"{kind}_floor"] = floors[key].mean
    return classes


def confusion(seen: Seen, asked: np.ndarray | None) -> np.ndarray:
    """Tell which digits are taken for which, as shares of all images (10, 10).

    Asked for (row) and read (column) where labels were asked for. Otherwise only unclear images
    count: the digit read (row) and the one that is nearly as likely (column).
    """
    table = np.zeros((10, 10))
    if asked is not None:
        np.add.at(table, (asked, seen.read), 1)
    else:
        order = np.argsort(seen.probabilities, axis=1)
        unclear = seen.probabilities.max(axis=1) < CLEAR
        np.add.at(table, (order[unclear, -1], order[unclear, -2]), 1)
    shares: np.ndarray = table / len(seen.probabilities)
    return shares


def _cautions(fakes: Fakes, assessment: Assessment, protocol: Protocol) -> list[str]:
    notes: list[str] = []
    size = assessment.counts["set size"]
    if size < protocol.set_size:
        notes.append(
            f"Scores and floors are those of sets of {size:,} images, and do not compare with "
            f"scores of {protocol.set_size:,}."
        )
    if fakes.asked is None:
        notes.append("No labels were given: each image counts as the digit that E1 reads in it.")
    accuracy, clear = (assessment.scores.get(key) for key in ("label_accuracy", "confident"))
    if accuracy and clear and accuracy.value < 0.5 * clear.value:
        notes.append(
            f"Only {accuracy.value:.1%} of the images show the digit that their label says, though "
            f"{clear.value:.1%} are clear: do the labels belong to these images?"
        )
    missing = [str(d) for d, row in assessment.classes.items() if row["share"] == 0]
    if missing:
        notes.append(f"There is no {', no '.join(missing)} among the images.")
    return notes
