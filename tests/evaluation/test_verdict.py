"""The verdict: no sentence contradicts an interval, for any scores; and words for examples."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkgan.evaluation.findings import Finding, findings_of
from inkgan.evaluation.results import EvaluationResult
from inkgan.evaluation.score import Baseline, Score
from inkgan.evaluation.verdict import MEANINGS, SPOKEN, Statement, statements, verdict
from inkgan.metrics.features.extractors import Features
from inkgan.metrics.margins import MARGINS
from inkgan.metrics.memorization import CopyTest
from inkgan.metrics.metric_registry import METRIC_SPECS
from inkgan.metrics.stats.intervals import normal_interval, wilson_interval

# Real baselines of the size of MNIST's: mean and standard deviation.
REAL = {
    "fd_e1": (1.3, 0.07),
    "fd_e2": (0.78, 0.05),
    "fd_infinity_e1": (1.0, 0.05),
    "kid": (0.05, 0.037),
    "precision": (0.935, 0.0024),
    "recall": (0.947, 0.0023),
    "density": (0.918, 0.008),
    "coverage": (0.948, 0.003),
    "label_accuracy": (0.996, 0.0006),
    "worst_class_recall": (0.928, 0.006),
    "cas": (0.991, 0.0005),
    "two_sample_auc": (0.529, 0.003),
    "copies": (0.0013, 0.0007),
    "ct": (0.07, 0.9),
    "kl": (0.0237, 0.001),
}
NO_FEATURES = Features(np.zeros((0, 128)), np.zeros((0, 64)), np.zeros((0, 10)))


def score(key: str, gap: float = 0.0, error: float = 0.0) -> Score:
    """Give a score `gap` above its baseline, both in margins, with a standard error in them."""
    mean, sd = REAL[key]
    margin = MARGINS[key].at(mean)
    interval = normal_interval(mean + gap * margin, error * margin)
    baseline = Baseline(mean, sd * min(1.0, error), 20)
    return Score.of(key, interval, baseline, "images", images=10_000)


def result_of(scores: dict[str, Score], **more: object) -> EvaluationResult:
    classes = {d: {"share": 0.1, "share_baseline": 0.1} for d in range(10)}
    counts = {"images": 10_000, "set_size": 10_000, "sets": 1}
    return EvaluationResult(scores, classes, np.zeros((10, 10)), NO_FEATURES, counts, **more)  # type: ignore[arg-type]


def told(result: EvaluationResult) -> str:
    return " ".join(verdict(result))


# --- no sentence contradicts an interval or z ---


@st.composite
def any_scores(draw: st.DrawFn) -> dict[str, Score]:
    keys = draw(st.sets(st.sampled_from(sorted(REAL)), min_size=1))
    return {key: draw(any_score(key)) for key in METRIC_SPECS if key in keys}


@st.composite
def any_score(draw: st.DrawFn, key: str) -> Score:
    if draw(st.integers(0, 9)) == 0:
        baseline = Baseline(*REAL[key], 20)
        return Score.without_interval(key, REAL[key][0], baseline, "there is none")
    gap = draw(st.floats(-300, 300) | st.floats(-1.5, 1.5))
    return score(key, gap, draw(st.floats(0, 3) | st.floats(0, 0.4)))


def holds(claim: str, found: Finding) -> bool:
    """Say whether what a sentence claims of a score is true of its interval and its z."""
    interval, margin = found.score.difference, found.margin
    if claim == "untested":
        return interval is None or margin is None
    assert interval is not None
    assert margin is not None
    if claim == "inside":
        return -margin <= interval.low <= interval.high <= margin
    if claim == "different":
        beyond = min(abs(interval.low), abs(interval.high)) > 0
        return interval.low * interval.high > 0 and beyond and found.score.z != 0
    return not (-margin <= interval.low and interval.high <= margin)


def contradictions(made: list[Statement], scores: dict[str, Score]) -> list[str]:
    """List the sentences whose claim is wrong, or is about the wrong side of the baseline."""
    wrong = []
    listed = [f.score.key for s in made[1:] for f in s.findings]
    if len(listed) != len(set(listed)):
        wrong.append("a metric is said to be two things")
    for statement in made:
        each = {"all inside": "inside", "some different": "different"}.get(
            statement.claim, statement.claim
        )
        if each in ("inside", "different", "undecided", "untested"):
            wrong += [statement.text for f in statement.findings if not holds(each, f)]
        if statement.claim == "all inside":
            tested = {f.score.key for f in statement.findings}
            wrong += [statement.text] * (tested != set(scores))
        if statement.claim == "nothing shown":
            sure = [f for f in findings_of(scores).values() if f.outcome == "different"]
            wrong += [statement.text] * bool(sure)
        for found in statement.findings:
            meant = [words for (key, _), words in MEANINGS.items() if key == found.score.key]
            sign = 1 if found.score.value > found.score.baseline.mean else -1
            true = MEANINGS.get((found.score.key, sign), "")
            lead = statement.text.split(":")[0]
            wrong += [statement.text] * (lead in meant and lead != true)
    return wrong


@settings(max_examples=150, deadline=None)
@given(any_scores())
def test_no_sentence_contradicts_an_interval(scores: dict[str, Score]) -> None:
    made = statements(result_of(scores))
    assert contradictions(made, scores) == []
    assert made[0].claim in ("all inside", "some different", "nothing shown")
    assert all(line.text[-1] in ".)" for line in made)
    assert sum("As good as real" in line.text for line in made) == (made[0].claim == "all inside")
    for word in ("judge", "held", "asked", "floor"):
        assert not any(word in line.text for line in made)


def test_as_good_as_real_needs_every_metric_inside_its_margin() -> None:
    scores = {key: score(key, 0.2, 0.1) for key in REAL}
    assert statements(result_of(scores))[0].claim == "all inside"
    for key in REAL:
        for gap, error in ((0.2, 3.0), (9.0, 0.1)):
            first = statements(result_of(scores | {key: score(key, gap, error)}))[0]
            assert first.claim != "all inside", key
        baseline = scores[key].baseline
        without = Score.without_interval(key, baseline.mean, baseline, "there is none")
        assert statements(result_of(scores | {key: without}))[0].claim == "nothing shown"


def test_real_images_are_called_different_in_one_of_twenty_evaluations_at_most() -> None:
    """Simulate evaluations of real images whose intervals hold with 95 % each."""
    random, trials = np.random.default_rng(4), 2000
    wrong = 0
    for _ in range(trials):
        scores = {}
        for key, (mean, _) in REAL.items():
            error = MARGINS[key].at(mean)
            interval = normal_interval(mean + error * random.normal(), error)
            scores[key] = Score.of(key, interval, Baseline(mean, 0.0, 20), "images")
        wrong += any(f.outcome == "different" for f in findings_of(scores).values())
    assert wilson_interval(wrong, trials).low < 0.05


# --- what is said of examples ---


def test_a_difference_is_said_with_its_size_and_interval() -> None:
    scores = {key: score(key, 0.1, 0.1) for key in REAL} | {"recall": score("recall", -4, 0.3)}
    lines = verdict(result_of(scores))
    assert lines[0].startswith("Distinguishable from real images, by other scores")
    (said,) = [line for line in lines if "Variety is missing" in line]
    assert "Recall 92.70 %, of real images 94.70 %" in said
    assert "difference \N{MINUS SIGN}2.00 points, \N{MINUS SIGN}2." in said
    assert "Inside their margins" in lines[-1]


@pytest.mark.parametrize(
    ("times", "words"),
    [(1.3, "Close to real"), (3, "Similar to real"), (15, "Plainly"), (80, "Far"), (500, "Very")],
)
def test_the_first_sentence_says_how_far_the_images_are(times: float, words: str) -> None:
    mean = REAL["fd_e1"][0]
    gap = (times - 1) * mean / MARGINS["fd_e1"].at(mean)
    assert verdict(result_of({"fd_e1": score("fd_e1", gap, 0.2)}))[0].startswith(words)


def test_few_real_looking_images_are_no_digits_yet() -> None:
    scores = {"fd_e1": score("fd_e1", 50, 0.2), "precision": score("precision", -70, 0.2)}
    assert verdict(result_of(scores))[0].startswith("Not digits yet")
    scores = {"fd_e1": score("fd_e1", 50, 0.2), "coverage": score("coverage", -180, 0.2)}
    assert verdict(result_of(scores))[0].startswith("Collapsed")


def test_nothing_is_concluded_from_wide_intervals() -> None:
    lines = verdict(result_of({key: score(key, 0.5, 2.0) for key in REAL}))
    assert lines[0].startswith("No certain difference from real images")
    assert "10,000 images" in lines[0]
    assert lines[-1].startswith("Neither equality nor a difference is certain with 10,000 images")


def with_class(result: EvaluationResult, digit: int, **row: float) -> EvaluationResult:
    return replace(result, classes={**result.classes, digit: {**result.classes[digit], **row}})


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"share": 0.0}, "Hardly any image is a 4 (none is)"),
        ({"share": 0.01}, "Hardly any image is a 4 (at most 1.0% are)"),
        ({"recall": 0.5, "recall_baseline": 0.95, "recall_baseline_sd": 0.01}, "4s lack variety"),
        ({"fd": 30.0, "fd_baseline": 2.0, "fd_baseline_sd": 0.5}, "farthest from real ones is 4"),
    ],
)
def test_a_digit_that_differs_is_named(row: dict[str, float], words: str) -> None:
    result = with_class(result_of({"recall": score("recall", 0.1, 0.1)}), 4, **row)
    assert words in told(result)


@pytest.mark.parametrize(
    "row",
    [
        {"share": 0.09},
        {"recall": 0.93, "recall_baseline": 0.95, "recall_baseline_sd": 0.01},
        {"recall": 0.6, "recall_baseline": 0.95, "recall_baseline_sd": 0.1},
        {"recall": 0.6, "recall_baseline": 0.95},
        {"fd": 3.0, "fd_baseline": 2.0, "fd_baseline_sd": 0.5},
    ],
)
def test_chance_names_no_digit(row: dict[str, float]) -> None:
    result = with_class(result_of({"recall": score("recall", 0.1, 0.1)}), 4, **row)
    assert [s for s in statements(result) if s.claim == "class"] == []


def copy_tests(alarm: bool) -> dict[str, CopyTest]:
    return {s: CopyTest(0.2, 0.001, 1e-9 if alarm else 0.5, alarm, 0.003) for s in ("pixels", "e2")}


def test_copies_follow_the_copy_test() -> None:
    scores = {"recall": score("recall", 0.1, 0.1)}
    assert "Copies training images: 20.0%" in told(result_of(scores, copy_tests=copy_tests(True)))
    clean = told(result_of(scores, copy_tests=copy_tests(False)))
    assert "No copies of training images are found; the test finds them from a share of" in clean


def test_missing_digits_and_confusions_are_described() -> None:
    confusion = np.zeros((10, 10))
    confusion[4, 9] = 0.01
    result = replace(result_of({"recall": score("recall", 0, 0.1)}), missing=(3, 5))
    text = told(replace(result, confusion=confusion))
    assert "There is no 3 or 5 among the images" in text
    assert "Hardest to tell apart: 4 and 9 (1.0% of all images might be either)" in text


# --- the tables ---


@pytest.mark.parametrize("key", [key for key in METRIC_SPECS if key != "fid"])
def test_every_metric_of_the_protocol_has_a_margin_with_a_reason(key: str) -> None:
    margin = MARGINS[key]
    assert margin.amount > 0
    assert margin.reason.endswith(".")
    assert margin.of_baseline == METRIC_SPECS[key].title.startswith(
        ("Fr", "FD-i", "Worst digit's d")
    )


def test_metrics_that_speak_have_words_for_the_worse_side() -> None:
    worse: dict[str, Callable[[int], bool]] = {
        "lower": lambda sign: sign > 0,
        "higher": lambda sign: sign < 0,
        "baseline": lambda sign: True,
        "value": lambda sign: sign > 0,
    }
    for key in (key for row in SPOKEN for key in row):
        signs = [sign for (other, sign) in MEANINGS if other == key]
        assert any(worse[METRIC_SPECS[key].direction](sign) for sign in signs), key
