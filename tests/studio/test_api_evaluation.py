"""Evaluations through the interface: states, the report, what is refused."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import to_toml
from inkgan.io.live_folder import LiveFolder
from inkgan.studio.run_state import JobFile
from tests.studio.asgi import call, studio


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "a"
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(to_toml(RECIPES["dcgan"]), encoding="utf-8")
    return folder


@pytest.fixture
def app(run: Path) -> ASGIApp:
    return studio(run.parent)


def as_started(arguments: list[str]) -> dict[str, Any]:
    """Return a job as which this process was started."""
    now = time.time()
    return {"arguments": arguments, "state": "started", "pid": os.getpid(), "recorded": now}


def test_a_run_without_a_generator_is_refused(app: ASGIApp) -> None:
    assert call(app, "/api/runs/a/evaluation").json()["state"] == "none"
    answer = call(app, "/api/runs/a/evaluation", "POST", {})
    assert answer.status == 400
    assert "has no generator yet" in answer.json()["error"]
    assert call(app, "/api/runs/nothing/evaluation").status == 404
    assert call(app, "/api/runs/a/report").status == 404
    odd = {"protocol": "slow"}
    assert call(app, "/api/runs/a/evaluation", "POST", odd).status == 422


def test_an_evaluation_waits_behind_a_run_that_trains(app: ASGIApp, run: Path) -> None:
    (run / "generator.safetensors").write_bytes(b"a generator")
    mine = as_started(["train", "--out", str(run)])
    JobFile(run).write(mine)  # this process stands for one that trains
    started = call(app, "/api/runs/a/evaluation", "POST", {"checkpoint": "best"})
    assert started.json()["state"] == "queued"
    words = JobFile(run, "evaluate").read()["arguments"]
    assert words == ["evaluate", str(run), "--quick", "--checkpoint", "best"]
    again = call(app, "/api/runs/a/evaluation", "POST", {})
    assert "is queued already" in again.json()["error"]
    call(app, "/api/runs/a/evaluation/stop", "POST", {})
    assert call(app, "/api/runs/a/evaluation").json()["state"] == "none"


def test_the_report_runs_no_code(app: ASGIApp, run: Path) -> None:
    (run / "report.html").write_text("<script>alert(1)</script>", encoding="utf-8")
    (run / "report.json").write_text(json.dumps({"verdict": ["Good."]}), encoding="utf-8")
    shown = call(app, "/api/runs/a/evaluation").json()
    assert (shown["verdict"], shown["has_report"]) == (["Good."], True)
    policy = call(app, "/api/runs/a/report").headers["content-security-policy"]
    assert "sandbox;" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy


def test_an_evaluation_that_failed_shows_its_last_lines(app: ASGIApp, run: Path) -> None:
    gone = as_started(["evaluate", str(run)]) | {"pid": 2**22 + 1}
    job = JobFile(run, "evaluate")
    job.write(gone)
    job.log_path.write_text("inkgan: images are 12x12\n", encoding="utf-8")
    shown = call(app, "/api/runs/a/evaluation").json()
    assert (shown["state"], shown["log"]) == ("failed", ["inkgan: images are 12x12"])


def test_a_running_evaluation_says_which_share_is_done(app: ASGIApp, run: Path) -> None:
    mine = as_started(["evaluate", str(run)])
    live = LiveFolder(run)
    live.write_evaluation(0.9, "of an earlier one")
    JobFile(run, "evaluate").write(mine | {"recorded": time.time() + 0.001})
    time.sleep(0.01)
    assert call(app, "/api/runs/a/evaluation").json()["share"] is None
    live.write_evaluation(0.25, "measuring strokes")
    shown = call(app, "/api/runs/a/evaluation").json()
    assert (shown["state"], shown["share"]) == ("running", 0.25)
    assert shown["stage"] == "measuring strokes"
