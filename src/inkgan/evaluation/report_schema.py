"""What a report.json must hold, so that pages, comparisons and exports can rely on it."""

from typing import Annotated

from pydantic import ConfigDict, Field

from inkgan.documents import Count, Document, ShortText

Number = Annotated[float, Field(allow_inf_nan=True)]  # a metric of one's own may have no value
Texts = list[Annotated[str, Field(max_length=10_000)]]


class BaselineRow(Document):
    """What real images score; fields that a later version may add are ignored."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=True)

    mean: Number
    sd: Number
    draws: Annotated[int, Field(ge=1)]
    error: float | None = None


class ScoreRow(Document):
    """A score; fields that a later version may add are ignored."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=True)

    key: ShortText
    value: float
    baseline: BaselineRow
    low: float | None = None
    high: float | None = None
    standard_error: float | None = None
    images: Count = 0
    interval_over: ShortText = ""
    no_interval: str = ""
    replicates: list[float] = []


class ReportDocument(Document):
    """A report under today's names. Its other parts are for people, and are not read again."""

    model_config = ConfigDict(extra="ignore")

    digest: ShortText | None = None
    source: str = ""
    scores: list[ScoreRow]
    verdict: Texts = []
    notes: Texts = []
    extractors: ShortText = ""
    reference: dict[ShortText, str] = {}
    counts: dict[ShortText, Count] = {}
