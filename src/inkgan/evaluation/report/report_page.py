"""The report of an evaluation as a self-contained HTML page, for screen and paper."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader

from inkgan.evaluation.findings import Finding, findings_of
from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.report import charts, figures
from inkgan.evaluation.results import EvaluationResult, GeneratedImages
from inkgan.evaluation.score import Baseline, Score
from inkgan.evaluation.verdict import in_classes
from inkgan.images import data_uri
from inkgan.metrics.metric_registry import METRIC_SPECS, MINUS, format_number
from inkgan.metrics.stats.intervals import Interval
from inkgan.metrics.style_consistency import StyleConsistency

# How large a certain difference is: shares, and distances as multiples of the baseline.
SLIGHT_SHARE, FAR_SHARE = 0.01, 0.10
SLIGHT_RATIO, FAR_RATIO = 1.5, 20.0


@dataclass(frozen=True)
class ReportPage:
    """What the page shows.

    Attributes:
        title: what was evaluated.
        facts: names and values that say how it was made and evaluated, and what it cost.
        verdict: plain sentences, the first the overall one.
        result: all scores.
        images: the first set, those of `result.features`.
        reference: the real images.
        real_features: E1's features of its test images (n, 128).
        style: the style consistency; None for generators without labels.
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
    """Return the HTML of a report: one file with its figures, no script, nothing to load."""
    environment = Environment(
        loader=PackageLoader("inkgan.evaluation.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    result = report.result
    environment.filters["in_classes"] = partial(in_classes, names=result.class_names)
    return environment.get_template("report.html").render(
        title=report.title,
        verdict=report.verdict,
        facts=report.facts,
        counts=result.counts,
        scores=[
            _score_row(found, result.clean_reference.get(key))
            for key, found in findings_of(result.scores).items()
        ],
        has_clean=bool(result.clean_reference),
        keys=set(result.scores),
        classes=_class_rows(result),
        copy_tests=_copy_test_rows(result),
        style=report.style,
        style_rows=[] if report.style is None else _style_rows(report.style),
        glossary=[spec for spec in map(METRIC_SPECS.get, result.scores) if spec is not None],
        labelled=report.images.requested is not None,
        noun=result.noun,
        nouns=f"{result.noun}s" if result.noun == "digit" else "classes",
        images_noun="digits" if result.noun == "digit" else "images",
        digits=result.noun == "digit",
        without_ratio=_without_ratio(result),
        notes=result.notes,
        reference=report.reference,
        **_pictures(report),
    )


def _pictures(report: ReportPage) -> dict[str, Any]:
    result, reference, images = report.result, report.reference, report.images.pixels
    requested, features = report.images.requested, result.features
    digits = features.predicted if requested is None else requested
    best, worst = figures.by_realism(
        images, features, requested, report.real_features, reference.classes
    )
    near = result.nearest.get("pixels")
    style = report.style
    copies = [] if near is None else figures.closest_copies(images, near, reference.train)
    return {
        "generated": data_uri(figures.by_digit(images, digits, "drawn", reference.classes)),
        "real": data_uri(
            figures.by_digit(reference.test, reference.test_labels, "real", reference.classes)
        ),
        "best": _tiles(best),
        "worst": _tiles(worst),
        "nearest": _tiles(figures.nearest_training(images, digits, reference.train)),
        "copies": _tiles(copies),
        "style_examples": None if style is None else data_uri(figures.latent_rows(style.examples)),
        "score_charts": [data_uri(chart) for chart in charts.score_charts(result)],
        "class_charts": [
            (chart.title, data_uri(charts.class_chart(result.classes, chart, reference.classes)))
            for chart in charts.CLASS_CHARTS
        ],
        "confusion": data_uri(
            charts.confusion_chart(result.confusion, requested is not None, reference.classes)
        ),
    }


def _tiles(tiles: Sequence[figures.Tile]) -> list[tuple[str, str]]:
    return [(data_uri(tile.picture), tile.caption) for tile in tiles]


def _score_row(found: Finding, clean: Baseline | None) -> dict[str, str]:
    """Write everything that the page shows of a score, with that of halves of the test images."""
    score = found.score
    spec, baseline = score.spec, score.baseline
    word, tone = _outcome(found)
    return {
        "title": spec.title,
        "summary": spec.summary,
        "arrow": spec.arrow,
        "direction": spec.direction_text,
        "value": spec.format(score.value),
        "interval": _interval(score),
        "baseline": spec.format(baseline.mean),
        "baseline_sd": spec.format(baseline.sd).replace(" %", " points"),
        "draws": str(baseline.draws),
        "clean": "" if clean is None else spec.format(clean.mean),
        "clean_sd": "" if clean is None else spec.format(clean.sd).replace(" %", " points"),
        "difference": spec.format_difference(score.value - baseline.mean),
        "difference_interval": _difference_interval(score),
        "ratio": _ratio(score),
        "margin": "" if not found.margin else f"margin ±{spec.format_margin_of(found.margin)}",
        "word": word,
        "tone": tone,
    }


def _difference_interval(score: Score) -> str:
    if score.difference is None:
        return ""
    return score.spec.format_difference_interval(score.difference.low, score.difference.high)


def _ratio(score: Score) -> str:
    """Write how many times the baseline a distance is, where one can divide by it."""
    if not (score.spec.is_distance and charts.has_ratio(score)):
        return ""
    return f"{score.value / score.baseline.mean:.3g} times"


def _interval(score: Score) -> str:
    if score.interval is None:
        return f"no interval: {score.no_interval}" if score.no_interval else "no interval"
    return f"{score.interval_text}, over {score.interval_over}"


def _percent(share: float, decimals: int = 1) -> str:
    return f"{100 * share:.{decimals}f} %"


def _outcome(found: Finding) -> tuple[str, str]:
    """Say in a word, and a tone for the style sheet, what the test of a score shows.

    Whether it differs at all follows from its interval, the word from the size of the difference.
    """
    if found.outcome != "different":
        tone = "like" if found.outcome == "inside" else "open"
        words = {"inside": "inside its margin", "undecided": "undecided", "untested": "not tested"}
        return words[found.outcome], tone
    score = found.score
    if score.spec.direction == "baseline" and score.value > score.baseline.mean:
        return "above real", "beyond"
    if score.excess <= 0:
        return "beyond real", "beyond"
    slight, far = _size(score)
    return ("slightly worse", "off") if slight else ("far off", "far") if far else ("worse", "off")


def _size(score: Score) -> tuple[bool, bool]:
    """Tell whether a difference from real images is slight, and whether it is large."""
    if score.spec.unit in ("share", "fraction"):
        return score.excess < SLIGHT_SHARE, score.excess >= FAR_SHARE
    if charts.has_ratio(score) and score.spec.is_distance:
        ratio = score.value / score.baseline.mean
        return ratio < SLIGHT_RATIO, ratio >= FAR_RATIO
    return False, False  # a number without a scale of its own


def _class_rows(result: EvaluationResult) -> list[tuple[str, list[dict[str, Any]]]]:
    """List each digit's measures and baselines, and mark the worst digit of each measure."""
    worst = {chart.kind: charts.worst_class(result.classes, chart) for chart in charts.CLASS_CHARTS}
    return [
        (
            result.name(digit),
            [
                {
                    "title": title,
                    "value": write(row[kind]) if kind in row else None,
                    "baseline": write(row[f"{kind}_baseline"])
                    if f"{kind}_baseline" in row
                    else "not known",
                    "worst": worst.get(kind) == digit,
                }
                for kind, title, write in CLASS_COLUMNS
            ],
        )
        for digit, row in sorted(result.classes.items())
    ]


def _copy_test_rows(result: EvaluationResult) -> list[dict[str, Any]]:
    return [
        {
            "space": {"pixels": "pixels", "e2": "E2 features"}.get(space, space),
            "share": _percent(test.share, 2),
            "expected": _percent(test.expected, 2),
            "p_value": format_number(test.p_value),
            "detected": test.alarm,
            "detectable": _percent(test.detectable, 2) if np.isfinite(test.detectable) else None,
        }
        for space, test in result.copy_tests.items()
    ]


def _style_rows(consistency: StyleConsistency) -> list[dict[str, Any]]:
    return [
        {
            "style": style,
            "correlations": [
                ("consistency", _correlation(shared.consistency)),
                ("one-way", _correlation(shared.one_way)),
                ("permuted latents", _correlation(shared.permuted)),
            ],
        }
        for style, shared in consistency.styles.items()
    ]


def _correlation(interval: Interval) -> tuple[str, str]:
    if not np.isfinite(interval.value):
        return "—", "nothing varies"
    value, low, high = (f"{round(each, 2) + 0.0:.2f}".replace("-", MINUS) for each in interval)
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
    ("fd", "Distance", format_number),
    ("recall", "Recall", _percent),
    ("variety", "Variety", lambda ratio: f"{ratio:.2f}"),
)
