"""The share of an evaluation that is done."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkgan.evaluation.evaluate import PROTOCOLS
from inkgan.evaluation.stage_progress import STAGE_SECONDS, OverallProgress

REPORTS = st.lists(
    st.tuples(
        st.sampled_from([*STAGE_SECONDS["full"], "a stage of its own"]),
        st.integers(0, 9),
        st.integers(0, 9),
    )
)


def test_every_protocol_has_its_stages() -> None:
    assert list(STAGE_SECONDS) == list(PROTOCOLS)
    for stages in STAGE_SECONDS.values():
        assert min(stages.values()) > 0
        assert list(stages)[-1] == "drawing the report"


@pytest.mark.parametrize("protocol", STAGE_SECONDS)
def test_stages_count_by_the_time_that_they_take(protocol: str) -> None:
    stages, passed = STAGE_SECONDS[protocol], []
    overall = OverallProgress(protocol, lambda *report: passed.append(report))
    total, before = sum(stages.values()), 0.0
    for stage, seconds in stages.items():
        overall(stage, 1, 2)
        assert overall.share == pytest.approx((before + seconds / 2) / total)
        overall(stage, 2, 2)
        before += seconds
        assert overall.share == pytest.approx(before / total)
        assert overall.stage == stage
    assert overall.share == pytest.approx(1.0)
    assert passed[:2] == [(next(iter(stages)), 1, 2), (next(iter(stages)), 2, 2)]


@given(REPORTS)
def test_the_share_never_falls(reports: list[tuple[str, int, int]]) -> None:
    overall, shares = OverallProgress("full"), [0.0]
    for what, done, total in reports:
        overall(what, min(done, total), total)
        shares.append(overall.share)
    assert all(one <= other for one, other in itertools.pairwise(shares))
    assert shares[-1] <= 1.0 + 1e-9
