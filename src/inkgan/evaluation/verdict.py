"""The verdict: what a result means, in sentences that each follow from a test.

A sentence is built as a `Statement`: its words, the claim that they make, and the scores on which
the claim rests. The tests check claims against intervals, for any scores.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from inkgan.evaluation.findings import Finding, findings_of
from inkgan.evaluation.results import EvaluationResult
from inkgan.generation.protocols import DIGITS
from inkgan.metrics.metric_registry import format_number
from inkgan.metrics.stats.intervals import wilson_interval

Claim = Literal[
    "all inside",  # every metric of the protocol lies inside its margin
    "some different",  # at least one metric differs from real images
    "nothing shown",  # no metric differs, and not all are inside
    "inside",  # these metrics lie inside their margins
    "different",  # these metrics differ
    "undecided",  # of these metrics neither can be said
    "untested",  # these have no interval or no margin
    "class",  # one digit differs from the same digit of real images
    "copies",  # the copy test raises its alarm, or does not
    "description",  # a count, without a conclusion
]


@dataclass(frozen=True)
class Statement:
    """A sentence of the verdict.

    Attributes:
        text: the sentence.
        claim: what it asserts.
        findings: the tested scores on which it rests.
    """

    text: str
    claim: Claim
    findings: tuple[Finding, ...] = ()


# Words for the larger excess of both Fréchet distances, in multiples of the real baseline.
CLOSENESS = (
    (0.5, "Close to real images, and distinguishable from them."),
    (4.0, "Similar to real images, with clear differences."),
    (20.0, "Plainly different from real images."),
    (100.0, "Far from real images."),
)
FARTHEST = "Very far from real images."
NOT_DIGITS, COLLAPSED = 0.5, 0.3  # shares of the baseline of precision and of coverage
RARE = 0.5  # of the baseline's share of a digit
CLASS_Z = 4.0  # of ten digits and three measures by chance less than once in 400 evaluations
CLASS_GAP = 0.1  # relative; a smaller one is not worth a sentence
CONFUSED = 0.005  # of all images

# What a difference means: by metric and the sign of value - baseline.
MEANINGS: Mapping[tuple[str, int], str] = {
    ("precision", -1): "Some images are off",
    ("precision", 1): "More images lie among real ones than real images do",
    ("recall", -1): "Variety is missing",
    ("recall", 1): "More real images are within reach than real sets reach",
    ("coverage", -1): "Some kinds of real images are not drawn",
    ("coverage", 1): "Images lie nearer to the test images than real ones do",
    ("density", -1): "Images lie where real ones are sparse",
    ("density", 1): "Images crowd where real ones are densest",
    ("confident", -1): "Some digits are unclear",
    ("confident", 1): "Too typical: unusual handwriting is missing",
    ("label_accuracy", -1): "Some images do not show the digit requested",
    ("label_accuracy", 1): "Too typical: unusual handwriting is missing",
    ("worst_class_fd", 1): "The worst digit is farther from real ones than chance allows",
    ("worst_class_recall", -1): "The worst digit lacks variety",
    ("cas", -1): "A classifier learns less from them than from real images",
    ("cas", 1): "A classifier learns more from them than from as many real images",
    ("two_sample_auc", 1): "A network trained on both tells them from real images",
    ("one_nearest", 1): "They lie apart from real images",
    ("one_nearest", -1): "They lie nearer to real images than these to each other",
    ("near_train", 1): "Images lie near to training images",
    ("near_train", -1): "Fewer images lie near to training images than test images do",
    ("copies", 1): "Images lie next to single training images",
    ("authenticity", -1): "Images lie nearer to training images than these to each other",
    ("authenticity", 1): "Images lie farther from training images than test images do",
    ("ct", -1): "Images lie nearer to training images than test images do",
    ("ct", 1): "Images lie farther from training images than test images do",
    ("modes", -1): "Modes are missing",
    ("kl", 1): "The modes are drawn unevenly",
}
# Metrics with a sentence of their own, in this order; the first of a row that differs speaks.
SPOKEN = (
    ("precision",),
    ("recall",),
    ("coverage",),
    ("label_accuracy", "confident"),
    ("worst_class_recall", "worst_class_fd"),
    ("cas",),
    ("two_sample_auc", "one_nearest"),
    ("ct", "near_train", "authenticity", "copies"),
    ("modes",),
    ("kl",),
)
# What is said of images that are no digits.
WITHOUT_DIGITS = (
    ("Not digits yet", "Not like real images yet"),
    ("Confident digits", "Confident images"),
    ("Worst digit's", "Worst class's"),
    ("Some digits are unclear", "The class of some images is unclear"),
    ("unusual handwriting is missing", "unusual images are missing"),
    ("show the digit requested", "show the class requested"),
    ("digits", "classes"),
    ("digit", "class"),
)
DISTANCES = ("fd_e1", "fd_e2", "fd_infinity_e1", "fd_infinity_e2", "kid", "mmd")


def verdict(result: EvaluationResult) -> list[str]:
    """Put a result into sentences; the first is the overall one."""
    return [statement.text for statement in statements(result)]


def statements(result: EvaluationResult) -> list[Statement]:
    """Return the sentences of a verdict with the claims that they make.

    The first is the overall one; then come differences, digits, copies, and what is inside its
    margin or cannot be decided.
    """
    findings = findings_of(result.scores)
    said = [
        *_overall(result, findings),
        *_missing(result),
        *_differences(findings),
        *_classes(result),
        *_confusions(result),
        *_copies(result),
        *_listings(result, findings),
    ]
    return [replace(each, text=in_classes(each.text, result.class_names)) for each in said]


def in_classes(text: str, names: Sequence[str]) -> str:
    """Say "class" instead of "digit" where classes are none."""
    if tuple(names) == DIGITS:
        return text
    for digits, classes in WITHOUT_DIGITS:
        text = text.replace(digits, classes)
    return text


def _overall(result: EvaluationResult, findings: Mapping[str, Finding]) -> list[Statement]:
    by_outcome = {
        outcome: tuple(f for f in findings.values() if f.outcome == outcome)
        for outcome in ("inside", "different", "undecided")
    }
    different = by_outcome["different"]
    tested = (*by_outcome["inside"], *different, *by_outcome["undecided"])
    absent: list[Statement] = []
    if result.missing:
        digits = _listed([result.name(digit) for digit in result.missing], "or")
        text = f"There is no {digits} among the images; they are compared with real images of"
        absent = [Statement(f"{text} the other digits.", "description")]
    if different:
        return [_distinguishable(findings, different), *absent]
    without = [f for f in findings.values() if f.outcome == "untested" and f.margin is not None]
    if tested and len(by_outcome["inside"]) == len(tested) and not without and not _rare(result):
        text = (
            "As good as real images by this protocol: each of its "
            f"{len(tested)} metrics lies inside its margin around that of real images."
        )
        return [Statement(text, "all inside", tested), *absent]
    text = (
        "No certain difference from real images; "
        f"{result.counts['images']:,} images do not show that there is none."
    )
    return [Statement(text, "nothing shown", tested), *absent]


def _distinguishable(findings: Mapping[str, Finding], different: tuple[Finding, ...]) -> Statement:
    """Say how far the images are from real ones, by the evidence for it."""
    few = _below(findings, different, "precision", NOT_DIGITS)
    if few is not None:
        lead = "Not digits yet: few images lie among real ones."
        return Statement(f"{lead} ({_numbers(few)})", "some different", (few,))
    narrow = _below(findings, different, "coverage", COLLAPSED)
    if narrow is not None:
        lead = "Collapsed: few real images have a generated one nearby."
        return Statement(f"{lead} ({_numbers(narrow)})", "some different", (narrow,))
    farther = [f for f in different if f.score.key in DISTANCES and f.difference.value > 0]
    if not farther:
        text = "Distinguishable from real images, by other scores than the distances."
        return Statement(text, "some different", different)
    shown = max(farther, key=lambda f: (f.score.key.startswith("fd"), f.severity))
    ratio = shown.difference.value / max(abs(shown.score.baseline.mean), 1e-12)
    words = next((words for most, words in CLOSENESS if ratio <= most), FARTHEST)
    if not shown.score.key.startswith("fd"):
        words = CLOSENESS[0][1]
    return Statement(f"{words} ({_numbers(shown)})", "some different", (shown,))


def _below(
    findings: Mapping[str, Finding], different: Sequence[Finding], key: str, share: float
) -> Finding | None:
    """Return a finding whose whole interval lies below a share of the baseline."""
    found = findings.get(key)
    if found is None or found not in different:
        return None
    baseline = found.score.baseline.mean
    return found if baseline + found.difference.high < share * baseline else None


def _differences(findings: Mapping[str, Finding]) -> list[Statement]:
    """Give the metrics that say most a sentence each, and list the others that differ."""
    said: list[Statement] = []
    spoken: set[str] = set()
    for row in SPOKEN:
        for key in row:
            found = findings.get(key)
            if found is None or found.outcome != "different":
                continue
            sign = 1 if found.difference.value > 0 else -1
            meaning = MEANINGS.get((key, sign))
            if meaning is None:
                continue
            said.append(Statement(f"{meaning}: {_numbers(found)}.", "different", (found,)))
            spoken.add(key)
            break
    others = [f for key, f in findings.items() if f.outcome == "different" and key not in spoken]
    if others:
        text = f"{'Also different' if said else 'Different'}: {_gaps(others)}."
        said.append(Statement(text, "different", tuple(others)))
    return said


def _numbers(found: Finding) -> str:
    """Write a metric's value, that of real images, and the difference with its interval."""
    score, spec = found.score, found.score.spec
    low, high = found.difference.low, found.difference.high
    return (
        f"{spec.title} {spec.format(score.value)}, of real images "
        f"{spec.format(score.baseline.mean)}; difference "
        f"{spec.format_difference(found.difference.value)}, "
        f"{spec.format_difference_interval(low, high)}"
    )


def _gaps(findings: Iterable[Finding]) -> str:
    return "; ".join(
        f"{f.score.spec.title} {f.score.spec.format_difference(f.difference.value)}"
        for f in findings
    )


def _listings(result: EvaluationResult, findings: Mapping[str, Finding]) -> list[Statement]:
    """List what is inside its margin, and what is neither inside nor different."""
    said = []
    inside = [f for f in findings.values() if f.outcome == "inside"]
    if inside and len(inside) < len(findings):
        text = f"Inside their margins around real images: {_titles(inside)}."
        said.append(Statement(text, "inside", tuple(inside)))
    undecided = [f for f in findings.values() if f.outcome == "undecided"]
    if undecided:
        lead = "Neither equality nor a difference is certain with"
        text = f"{lead} {result.counts['images']:,} images: {_titles(undecided)}."
        said.append(Statement(text, "undecided", tuple(undecided)))
    untested = [f for f in findings.values() if f.outcome == "untested"]
    if untested:
        names = _listed([f.score.spec.title for f in untested])
        said.append(Statement(f"Not tested: {names}.", "untested", tuple(untested)))
    return said


def _titles(findings: Iterable[Finding]) -> str:
    """List titles with their margins, such as "Recall (±0.50 points)"."""
    return "; ".join(
        f"{f.score.spec.title} (±{f.score.spec.format_margin_of(f.margin or 0.0)})"
        for f in findings
    )


# --- digits ---


def _rare(result: EvaluationResult) -> dict[int, float]:
    """Find the digits of which there are too few, beyond chance, and their shares."""
    count = result.counts["set_size"] * result.counts.get("sets", 1)
    shares = {}
    for digit, row in result.classes.items():
        upper = wilson_interval(round(row["share"] * count), count).high
        if upper < RARE * row.get("share_baseline", 0.1):
            shares[digit] = row["share"]
    return shares


def _missing(result: EvaluationResult) -> list[Statement]:
    rare = _rare(result)
    if not rare:
        return []
    digits = _listed([result.name(digit) for digit in rare], "or")
    share = max(rare.values())
    amount = "none is" if share == 0 else f"at most {share:.1%} are"
    return [Statement(f"Hardly any image is a {digits} ({amount}).", "class")]


def _classes(result: EvaluationResult) -> list[Statement]:
    """Name the digits that differ from the same digits of real images."""
    said = []
    narrow = _classes_off(result, "recall", -1)
    if narrow and len(narrow) == len(result.classes):
        said.append(Statement("Every digit lacks variety.", "class"))
    elif narrow:
        many = "s" if result.noun == "digit" else ""
        digits = _listed([f"{result.name(digit)}{many}" for digit in narrow])
        lack = "lack" if many or len(narrow) > 1 else "lacks"
        said.append(Statement(f"{digits} {lack} variety.", "class"))
    far = _classes_off(result, "fd", 1)
    if far:
        worst = max(far, key=lambda digit: result.classes[digit]["fd"])
        row = result.classes[worst]
        text = (
            f"The digit farthest from real ones is {result.name(worst)}: distance "
            f"{format_number(row['fd'])}, "
            f"of real images {format_number(row['fd_baseline'])}."
        )
        said.append(Statement(text, "class"))
    return said


def _classes_off(result: EvaluationResult, kind: str, sign: int) -> list[int]:
    """Find the digits whose measure lies beyond chance on one side of that of real images.

    The deviation of real sets tests exactly the hypothesis that the images are real.
    """
    found = []
    for digit, row in result.classes.items():
        mean, sd = row.get(f"{kind}_baseline"), row.get(f"{kind}_baseline_sd")
        if kind not in row or mean is None or sd is None:
            continue
        gap = sign * (row[kind] - mean)
        if gap > CLASS_Z * sd and gap > CLASS_GAP * abs(mean):
            found.append(digit)
    return found


def _confusions(result: EvaluationResult) -> list[Statement]:
    """Name the two digits that are most often taken for each other."""
    both = result.confusion + result.confusion.T
    np.fill_diagonal(both, 0)
    one, other = np.unravel_index(int(both.argmax()), both.shape)
    if both[one, other] < CONFUSED:
        return []
    low, high = sorted((int(one), int(other)))
    share = f"{both[one, other]:.1%} of all images"
    if "label_accuracy" in result.scores:
        return [
            Statement(
                f"Most often confused: {result.name(low)} and {result.name(high)} ({share}).",
                "description",
            )
        ]
    text = f"Hardest to tell apart: {result.name(low)} and {result.name(high)} "
    text += f"({share} might be either)."
    return [Statement(text, "description")]


# --- copies ---


def _copies(result: EvaluationResult) -> list[Statement]:
    """Say whether training images are copied, or which share of copies would have shown."""
    if not result.copy_tests:
        return []
    raised = {space: test for space, test in result.copy_tests.items() if test.alarm}
    if raised:
        space, test = max(raised.items(), key=lambda item: item[1].share)
        where = "pixels" if space == "pixels" else "E2 features"
        text = (
            f"Copies training images: {test.share:.1%} lie as close to one training image as "
            f"{test.expected:.2%} of test images do ({where}, p = {test.p_value:.1g})."
        )
        return [Statement(text, "copies")]
    least = min(test.detectable for test in result.copy_tests.values())
    text = "No copies of training images are found"
    if np.isfinite(least):
        text += f"; the test finds them from a share of {least:.1%} on"
    return [Statement(f"{text}.", "copies")]


def _listed(words: list[str], last: str = "and") -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
