"""One judgement of generated digits as a self-contained HTML page, for screen and paper."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader

from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.report import charts, figures
from inkgan.evaluation.results import EvaluationResult, GeneratedImages
from inkgan.evaluation.score import Score
from inkgan.images import data_uri
from inkgan.metrics.spec import MINUS
from inkgan.metrics.stats.intervals import Interval
from inkgan.metrics.style_consistency import StyleConsistency

LIKE_REAL, FAR = 3.0, 30.0  # |z| up to which a score reads as real, and from which as far off
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class ReportPage:
    """What the page shows.

    Attributes:
        title: what was judged.
        facts: names and values that say how it was made and judged, and what it cost.
        verdict: plain sentences, the first the overall one.
        result: all scores.
        images: the first set, those of `result.features`.
        reference: the real images.
        real_features: what E1 sees in its test images (n, 128).
        style: whether the digits of a latent share a style; None where labels are not obeyed.
    """

    title: str
    facts: list[tuple[str, str]]
    verdict: list[str]
    result: EvaluationResult
    images: GeneratedImages
    reference: ReferenceImages
    real_features: np.ndarray
    style: StyleConsistency | None = None


def page(report: ReportPage) -> str:
    """Return the HTML of a judgement: one file, figures inside, no script, nothing to load."""
    environment = Environment(
        loader=PackageLoader("inkgan.evaluation.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    result = report.result
    return environment.get_template("judgement.html").render(
        title=report.title,
        verdict=report.verdict,
        facts=report.facts,
        counts=result.counts,
        scores=[_score_row(score) for score in result.scores.values()],
        keys=set(result.scores),
        classes=_class_rows(result),
        alarms=_alarm_rows(result),
        hand=report.style,
        hand_rows=[] if report.style is None else _hand_rows(report.style),
        labelled=report.images.requested is not None,
        without_ratio=_without_ratio(result),
        notes=result.notes,
        reference=report.reference,
        **_pictures(report),
    )


def _pictures(report: ReportPage) -> dict[str, Any]:
    result, reference, fakes = report.result, report.reference, report.images.pixels
    asked, features = report.images.requested, result.features
    digits = features.predicted if asked is None else asked
    best, worst = figures.by_realism(fakes, features, asked, report.real_features)
    near = result.nearest.get("pixels")
    hand = report.style
    copies = [] if near is None else figures.closest_copies(fakes, near, reference.train)
    return {
        "drawn": data_uri(figures.by_digit(fakes, digits, "drawn")),
        "real": data_uri(figures.by_digit(reference.test, reference.test_labels, "real")),
        "best": _tiles(best),
        "worst": _tiles(worst),
        "nearest": _tiles(figures.nearest_training(fakes, digits, reference.train)),
        "copies": _tiles(copies),
        "hands": None if hand is None else data_uri(figures.hands(hand.examples)),
        "score_charts": [data_uri(chart) for chart in charts.score_charts(result)],
        "class_charts": [
            (chart.title, data_uri(charts.class_chart(result.classes, chart)))
            for chart in charts.CLASS_CHARTS
        ],
        "confusion": data_uri(charts.confusion_chart(result.confusion, asked is not None)),
    }


def _tiles(tiles: Sequence[figures.Tile]) -> list[tuple[str, str]]:
    return [(data_uri(tile.picture), tile.caption) for tile in tiles]


def _score_row(score: Score) -> dict[str, str]:
    """Put a score into words; value and floor are written alike."""
    metric, floor = score.spec, score.baseline
    write = _writer(score)
    word, tone = _reading(score)
    unsigned = write(abs(score.excess)).replace(" %", " points")
    return {
        "title": metric.title,
        "reads": metric.summary,
        "arrow": metric.arrow,
        "direction": metric.direction_text,
        "value": write(score.value),
        "interval": f"{write(score.low)} to {write(score.high)}",
        "spread": score.interval_over,
        "floor": write(floor.mean),
        "floor_sd": write(floor.sd).replace(" %", " points"),
        "draws": str(floor.draws),
        "excess": (MINUS if score.excess < 0 else "+") + unsigned,
        "z": _z(score.z),
        "word": word,
        "tone": tone,
    }


def _writer(score: Score) -> Callable[[float], str]:
    """Choose how all numbers of a score are written: per cent, decimals or three digits."""
    if score.spec.unit == "fraction":
        return lambda value: f"{value:.3f}".replace("-", MINUS)
    if score.spec.is_share:
        ends = (score.value, score.baseline.mean)
        # Near 0 and 1 a tenth of a point is too coarse to tell the images from real ones.
        decimals = 2 if any(min(share, 1 - share) < 0.02 for share in ends) else 1
        return lambda value: _percent(value, decimals)
    return three_digits


def _percent(share: float, decimals: int = 1) -> str:
    return f"{100 * share:.{decimals}f} %"


def three_digits(value: float) -> str:
    """Write a number with three significant digits, with a power of ten where it is tiny."""
    if not np.isfinite(value):
        return "—"
    size = abs(value)
    if size >= 999.5:
        text = f"{size:,.0f}"
    elif 0 < size < 0.001:
        mantissa, exponent = f"{size:.2e}".split("e")
        text = f"{mantissa}·10" + str(int(exponent)).translate(SUPERSCRIPTS)
    else:
        text = f"{size:#.3g}".rstrip(".") if size else "0"
    return MINUS * (value < 0) + text


def _z(z: float) -> str:
    if not np.isfinite(z):
        return "—"
    return (f"{z:+.1f}" if abs(z) < 99.95 else f"{z:+,.0f}").replace("-", MINUS)


def _reading(score: Score) -> tuple[str, str]:
    """Say in a word, and a tone for the style sheet, what z means."""
    unknown = 0.0 if score.excess <= 0 else FAR
    z = score.z if np.isfinite(score.z) else unknown
    if score.spec.group == "memorization":
        return ("nearer than real", "off") if z > LIKE_REAL else ("no sign of copying", "like")
    if abs(z) <= LIKE_REAL:
        return "like real", "like"
    if score.spec.direction == "baseline" and score.value > score.baseline.mean:
        return "too typical", "beyond"
    if z < 0:
        return "beyond real", "beyond"
    return ("far off", "far") if z >= FAR else ("worse", "off")


def _class_rows(result: EvaluationResult) -> list[tuple[int, list[dict[str, Any]]]]:
    """List each digit's measures and floors, and mark the worst digit of each measure."""
    worst = {chart.kind: charts.worst_digit(result.classes, chart) for chart in charts.CLASS_CHARTS}
    return [
        (
            digit,
            [
                {
                    "title": title,
                    "value": write(row[kind]) if kind in row else None,
                    "floor": write(row[f"{kind}_baseline"])
                    if f"{kind}_baseline" in row
                    else "not known",
                    "worst": worst.get(kind) == digit,
                }
                for kind, title, write in CLASS_COLUMNS
            ],
        )
        for digit, row in sorted(result.classes.items())
    ]


def _alarm_rows(result: EvaluationResult) -> list[dict[str, Any]]:
    return [
        {
            "space": {"pixels": "pixels", "e2": "E2 features"}.get(space, space),
            "share": _percent(alarm.share, 2),
            "expected": _percent(alarm.expected, 2),
            "p_value": three_digits(alarm.p_value),
            "alarm": alarm.alarm,
            "detectable": _percent(alarm.detectable, 2) if np.isfinite(alarm.detectable) else None,
        }
        for space, alarm in result.copy_tests.items()
    ]


def _hand_rows(hand: StyleConsistency) -> list[dict[str, Any]]:
    return [
        {
            "style": style,
            "correlations": [
                ("consistency", _correlation(shared.consistency)),
                ("one-way", _correlation(shared.one_way)),
                ("permuted latents", _correlation(shared.permuted)),
            ],
        }
        for style, shared in hand.styles.items()
    ]


def _correlation(interval: Interval) -> tuple[str, str]:
    if not np.isfinite(interval.value):
        return "—", "nothing varies"
    value, low, high = (f"{each:.2f}".replace("-", MINUS) for each in interval)
    return value, f"{low} to {high}"


def _without_ratio(result: EvaluationResult) -> list[str]:
    """Name the distances that have no place in the chart of ratios."""
    return [
        score.spec.title
        for score in result.scores.values()
        if charts.shows_ratio(score.spec) and not charts.has_ratio(score)
    ]


CLASS_COLUMNS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("share", "Share", _percent),
    ("fd", "Distance", three_digits),
    ("recall", "Recall", _percent),
    ("variety", "Variety", lambda ratio: f"{ratio:.2f}"),
)
