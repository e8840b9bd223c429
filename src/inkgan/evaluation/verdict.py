"""The verdict: what a result means, in sentences, the most important first."""

from collections.abc import Mapping

import numpy as np

from inkgan.evaluation.results import EvaluationResult
from inkgan.evaluation.score import Score

# How many times the baseline a distance may be for each word; from real and trained examples.
CLOSENESS = (
    (1.5, "As good as real images, as far as this judge can see."),
    (5.0, "Very close to real handwriting."),
    (20.0, "Good: most images pass for handwriting, the statistics still differ."),
    (100.0, "Recognisable as digits, plainly not real handwriting."),
    (500.0, "Poor: some images are digits, many are not."),
)
HOPELESS = "Not digits yet, or collapsed."


def verdict(result: EvaluationResult) -> list[str]:
    """Put a result into sentences.

    The first says how good the images are, the others what is wrong with them and what is not.
    """
    found = [_closeness(result), *_missing(result), *_variety(result), *_classes(result)]
    found += [*_labels(result), *_confusions(result), *_copying(result)]
    return found + _trained(result)


def _closeness(result: EvaluationResult) -> str:
    distances = [result.scores[key] for key in ("fd_e1", "fd_e2") if key in result.scores]
    ratios = [score.value / score.baseline.mean for score in distances if score.baseline.mean > 0]
    times = max(ratios, default=float("inf"))
    word = next((words for limit, words in CLOSENESS if times <= limit), HOPELESS)
    precision = result.scores["precision"]
    if precision.value < 0.3 * precision.baseline.mean:
        word = (
            HOPELESS  # few images make the baseline high, and any distance a small multiple of it
        )
    elif _missing(result) and times > CLOSENESS[2][0] and precision.excess < 0.05:
        word = "Most images pass for digits, but not all ten digits are there."
    if result.missing:
        digits = _listed([str(digit) for digit in result.missing], "or")
        word = f"There is no {digits} among the images. Of the others: {word[0].lower()}{word[1:]}"
    shown = " and ".join(f"{ratio:.1f}" for ratio in ratios)
    return f"{word} (Distance to real images: {shown} times that between real sets, E1 and E2.)"


def _variety(result: EvaluationResult) -> list[str]:
    scores = result.scores
    recall, coverage, precision = (scores[k] for k in ("recall", "coverage", "precision"))
    if coverage.value < 0.2 * coverage.baseline.mean:
        return [
            f"Collapsed: only {_percent(coverage)} of real images have a drawn one nearby "
            f"(real against real: {coverage.baseline.mean:.0%})."
        ]
    said = []
    if recall.excess > 0.05:
        said.append(
            f"Variety is missing: {_percent(recall)} of real images could have been drawn "
            f"(real against real: {recall.baseline.mean:.0%})."
        )
    if precision.excess > 0.05:
        said.append(
            f"Some images are off: {_percent(precision)} lie among real ones "
            f"(real against real: {precision.baseline.mean:.0%})."
        )
    return said or ["Variety and faithfulness are those of real images."]


def _missing(result: EvaluationResult) -> list[str]:
    """Name the digits that are missing or rare."""
    rare = [str(d) for d, row in result.classes.items() if row["share"] < 0.2 * _share(row)]
    return [f"Hardly any image is a {_listed(rare, 'or')}."] if rare else []


def _classes(result: EvaluationResult) -> list[str]:
    """Name the digits that are worse than the others."""
    classes = result.classes
    said: list[str] = []
    narrow = [
        str(d)
        for d, row in classes.items()
        if row.get("recall", 1.0) < 0.75 * row.get("recall_baseline", 0.0)
    ]
    if len(narrow) == len(classes):
        said.append("Every digit lacks variety.")
    elif narrow:
        said.append(f"{_listed([f'{digit}s' for digit in narrow])} lack variety.")
    distances = {d: row["fd"] for d, row in classes.items() if "fd" in row}
    if len(distances) > 2:
        worst = max(distances, key=lambda digit: distances[digit])
        typical = float(np.mean(list(distances.values())))
        floor = classes[worst].get("fd_baseline", 0.0)
        if distances[worst] > 1.5 * typical and distances[worst] > 2 * floor:
            times = distances[worst] / typical
            said.append(f"The worst digit is {worst}: {times:.1f} times the mean distance.")
    return said


def _share(row: Mapping[str, float]) -> float:
    return row.get("share_baseline", 0.1)


def _labels(result: EvaluationResult) -> list[str]:
    for key, what in (
        ("label_accuracy", "classified as the digit requested"),
        ("confident", "confident digits"),
    ):
        score = result.scores.get(key)
        if score is None:
            continue
        real = score.baseline.mean
        if score.value < real - 0.01:
            return [f"{_percent(score)} are {what}, of real images {real:.1%}."]
        precision = result.scores["precision"]
        faithful = precision.value > 0.8 * precision.baseline.mean
        if faithful and score.value > real + 3 * max(score.baseline.sd, 1e-4):
            return [
                f"Too typical: {score.value:.2%} are {what}, of real images only {real:.2%}; odd "
                "handwriting is missing."
            ]
    return []


def _confusions(result: EvaluationResult) -> list[str]:
    """Name the two digits that are most often taken for each other."""
    both = result.confusion + result.confusion.T
    np.fill_diagonal(both, 0)
    one, other = np.unravel_index(int(both.argmax()), both.shape)
    if both[one, other] < 0.005:
        return []
    low, high = sorted((int(one), int(other)))
    share = f"{both[one, other]:.1%} of all images"
    if "label_accuracy" in result.scores:
        return [f"{low} and {high} are confused most often ({share})."]
    return [f"{low} and {high} are hardest to tell apart ({share} might be either)."]


def _copying(result: EvaluationResult) -> list[str]:
    """Say whether training images are copied, or from which share on it would have shown."""
    if not result.copy_tests:
        return []
    raised = {space: alarm for space, alarm in result.copy_tests.items() if alarm.alarm}
    if raised:
        space, alarm = max(raised.items(), key=lambda item: item[1].share)
        where = "pixels" if space == "pixels" else "E2 features"
        return [
            f"Copies training images: {alarm.share:.1%} lie as close to one training image as "
            f"{alarm.expected:.2%} of test images do ({where}, p = {alarm.p_value:.1g})."
        ]
    seen_from = min(alarm.detectable for alarm in result.copy_tests.values())
    said = [f"Nothing is copied; {seen_from:.1%} of copies among the images would have shown."]
    ct = result.scores.get("ct")
    if ct is not None and ct.value < -3:
        said.append("Still, the images lie nearer to the training images than test images do.")
    return said


def _trained(result: EvaluationResult) -> list[str]:
    score, auc = result.scores.get("cas"), result.scores.get("two_sample_auc")
    said = []
    if score is not None:
        said.append(
            f"A classifier trained on them reads {score.value:.2%} of real test digits; trained on "
            f"as many real ones {score.baseline.mean:.2%}."
        )
    if auc is not None:
        said.append(
            f"A network told to tell them from real ones reaches an AUC of {auc.value:.3f} "
            f"(0.5 is guessing; real against real: {auc.baseline.mean:.3f})."
        )
    return said


def _percent(score: Score) -> str:
    return f"{score.value:.1%}"


def _listed(words: list[str], last: str = "and") -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
