"""What an evaluation returns and keeps: the Report object, and its file report.json."""

import copy
import html
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgan import files
from inkgan.documents import check_document
from inkgan.errors import ArtifactError, ConfigError
from inkgan.evaluation.report_schema import ReportDocument
from inkgan.evaluation.score import Score
from inkgan.evaluation.verdict import in_classes
from inkgan.generation.protocols import DIGITS
from inkgan.metrics.metric_registry import METRIC_SPECS, current_key

REPORT = "report.json"
PAGE = "report.html"
KIND = "evaluation"
FORMAT_VERSION = 3
EVALUATE_AGAIN = "evaluate again with `fresh=True`"
OLDER_KINDS = ("judgement",)
OLDER_INTERVAL = "the version of inkgan that wrote this report measured none"

# Names of format 1 and what they are called since.
_RENAMED = {"judge": "extractors", "copying": "copy_tests", "linear": "linear_classifier"}
_RENAMED_COUNTS = {"set size": "set_size", "stacked images": "stacked_images"}
_RENAMED_CORRELATIONS = {"absolute": "one_way", "apart": "permuted"}
_RENAMED_BASIS = {"draws of the floor": "baseline draws"}


@dataclass(frozen=True, eq=False)
class Report:
    """The result of `inkgan.evaluate`. In a notebook it shows itself as a table.

    Attributes:
        document: what report.json holds, as plain values.
        page_path: the page with pictures and charts, report.html.
        json_path: the file report.json beside it.
        cached: whether the same had been evaluated before and was only read again.

    Examples:
        >>> report = inkgan.evaluate("flagship", protocol="quick")  # doctest: +SKIP
        >>> report.scores["recall"].value, report.scores["recall"].baseline.mean  # doctest: +SKIP
        (0.9214, 0.9468)
        >>> report.save("flagship.html")  # doctest: +SKIP
    """

    document: Mapping[str, Any]
    page_path: Path
    json_path: Path
    cached: bool = False

    @property
    def scores(self) -> dict[str, Score]:
        """The scores by metric: each has value, low, high and the baseline of real images."""
        scores = (Score.from_dict(row) for row in self.document["scores"] if _is_known(row))
        return {score.key: score for score in scores}

    @property
    def verdict(self) -> tuple[str, ...]:
        """What the scores mean, in sentences; the first is the overall one."""
        return tuple(self.document.get("verdict", ()))

    @property
    def notes(self) -> tuple[str, ...]:
        """Corrections and cautions, in sentences."""
        return tuple(self.document.get("notes", ()))

    def to_dict(self) -> dict[str, Any]:
        """Return everything in report.json as plain values of your own."""
        return copy.deepcopy(dict(self.document))

    def save(self, path: str | Path) -> Path:
        """Write the report somewhere else.

        Args:
            path: an .html file for the page, a .json file for the numbers, or a folder for both.

        Returns:
            The path written; of a folder that of the page in it.

        Raises:
            ArtifactError: the page has been removed in the meantime.
        """
        target = Path(path)
        if target.suffix == ".json":
            files.write_json(target, self.to_dict())
            return target
        if not self.page_path.is_file():
            raise ArtifactError(f"{self.page_path} has been removed; evaluate again")
        page = target if target.suffix == ".html" else target / PAGE
        if page == target / PAGE:
            files.write_json(target / REPORT, self.to_dict())
        if page.resolve() != self.page_path.resolve():
            copy_file(self.page_path, page)
        return page

    def __repr__(self) -> str:
        first = self.verdict[0] if self.verdict else "no verdict"
        return f"<Report of {self.document.get('source', 'images')}: {first}>"

    def _repr_html_(self) -> str:
        """Return a table of the scores and the verdict, without anything to load."""
        names = self.document.get("class_names", DIGITS)
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(in_classes(score.spec.title, names))} "
            f"{score.spec.arrow}</th>"
            f"<td>{score.spec.format(score.value)}</td>"
            f"<td>{score.interval_text}</td>"
            f"<td>{score.spec.format(score.baseline.mean)}</td></tr>"
            for score in self.scores.values()
        )
        first, *rest = self.verdict or ("",)
        sentences = "".join(f"<li>{html.escape(line)}</li>" for line in rest)
        source = html.escape(str(self.document.get("source", "")))
        return (
            f"<div><p><b>{source}</b>: {html.escape(first)}</p>"
            f"<ul>{sentences}</ul><table><thead><tr><th style='text-align:left'>metric</th>"
            "<th>score</th><th>95 % interval</th><th>real images</th></tr></thead>"
            f"<tbody>{rows}</tbody></table></div>"
        )


def _is_known(row: Mapping[str, Any]) -> bool:
    """Return whether a score's metric has a record; a user's own may not be registered now."""
    return current_key(row["key"]) in METRIC_SPECS


def copy_file(source: Path, target: Path) -> None:
    """Copy a file so that the target is never half written."""
    with files.atomic(target) as temporary:
        shutil.copyfile(source, temporary)


def report_folder(source: Path) -> Path:
    """Return where the report of a run folder or a file goes by default."""
    return source if source.is_dir() else Path(f"{source.stem}-evaluation")


def find_report(source: Path) -> Path | None:
    """Return the report.json of a run folder or a file, if there is one.

    Older versions put that of a file NAME into NAME-judged.
    """
    folders = (report_folder(source), Path(f"{source.stem}-judged"))
    paths = (folder / REPORT for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def is_report(document: object) -> bool:
    """Return whether a JSON document is a report of this or an older version."""
    return isinstance(document, dict) and document.get("kind") in (KIND, *OLDER_KINDS)


def read_report(path: Path) -> dict[str, Any]:
    """Read a report.json of this or an older version, by today's names.

    Raises:
        ArtifactError: it is no report of inkgan, damaged, or of a newer version.
    """
    document = files.read_json(path)
    if not is_report(document):
        raise ArtifactError(f"{path} is no report of inkgan; move it, and evaluate the run")
    try:
        migrated = migrate_report(document)
    except ConfigError as error:
        raise ArtifactError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ArtifactError(f"{path} is damaged ({reason}); {EVALUATE_AGAIN}") from error
    check_document(ReportDocument, migrated, path, EVALUATE_AGAIN)
    return migrated


def migrate_report(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report with the names of today's format.

    Format 1 had no number of its own; it called baselines floors, style consistency a hand, and
    the extractors a judge. Up to format 2 some intervals were as wide as the spread of real images
    around their own mean, which is not the error of the value: these are left out. Values are not
    changed.

    Raises:
        ConfigError: the format is newer than this version of inkgan.
    """
    version = document.get("format_version", 1)
    if version > FORMAT_VERSION:
        raise ConfigError(f"it has format {version}, this inkgan reads up to {FORMAT_VERSION}")
    if version == FORMAT_VERSION:
        return dict(document)
    if version == 1:
        document = _migrate_first(document)
    scores = [_without_baseline_spread(row) for row in document.get("scores", [])]
    return {**document, "scores": scores, "format_version": FORMAT_VERSION}


def _without_baseline_spread(row: Mapping[str, Any]) -> dict[str, Any]:
    if row.get("interval_over") != "baseline draws":
        return dict(row)
    ends = {"low": None, "high": None, "interval_over": ""}
    return {**row, **ends, "no_interval": OLDER_INTERVAL}


def _migrate_first(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report of format 1 by the names of format 2."""
    renamed = {_RENAMED.get(key, key): value for key, value in document.items()}
    renamed |= {"kind": KIND, "format_version": 2}
    if "counts" in renamed:
        renamed["counts"] = {_RENAMED_COUNTS.get(k, k): n for k, n in renamed["counts"].items()}
    renamed["scores"] = [_migrate_score(row) for row in renamed.get("scores", [])]
    if "classes" in renamed:
        renamed["classes"] = {
            digit: {key.replace("_floor", "_baseline"): value for key, value in row.items()}
            for digit, row in renamed["classes"].items()
        }
    hand = renamed.pop("hand", None)
    renamed["style_consistency"] = None if hand is None else _migrate_hand(hand)
    return renamed


def _migrate_score(row: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {"key": current_key(row["key"])}
    names = {"floor": "baseline", "spread": "interval_over"}
    renamed |= {names.get(key, key): value for key, value in row.items() if key != "key"}
    if "interval_over" in renamed:
        over = renamed["interval_over"]
        renamed["interval_over"] = _RENAMED_BASIS.get(over, over)
    return renamed


def _migrate_hand(hand: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {key: value for key, value in hand.items() if key != "shared"}
    renamed["styles"] = {
        style: {_RENAMED_CORRELATIONS.get(key, key): value for key, value in row.items()}
        for style, row in hand["shared"].items()
    }
    return renamed
