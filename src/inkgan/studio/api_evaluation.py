"""Evaluations: queue one, follow its stages, read its report."""

import time
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel

from inkgan.errors import ConfigError
from inkgan.io.live_folder import LiveFolder, read_document
from inkgan.io.run_paths import RunPaths
from inkgan.studio.api_runs import jobs_of
from inkgan.studio.command_text import as_evaluation_command, evaluation_arguments
from inkgan.studio.run_state import JobFile

router = APIRouter(prefix="/api/runs/{name}")
PAGE, REPORT = "report.html", "report.json"  # that an evaluation writes into the run folder
REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


class EvaluationRequest(BaseModel):
    """What is to be evaluated: which of the run's generators, and how thoroughly."""

    protocol: Literal["quick", "full"] = "quick"
    checkpoint: Literal["last", "best"] = "last"

    def options(self) -> dict[str, Any]:
        """Return the options of the command."""
        quick = {"quick": True} if self.protocol == "quick" else {}
        best = {"checkpoint": "best"} if self.checkpoint == "best" else {}
        return quick | best


@router.post("/evaluation")
def evaluate(name: str, wanted: EvaluationRequest, request: Request) -> dict[str, Any]:
    """Queue an evaluation of a run."""
    jobs = jobs_of(request)
    run = jobs.folders.find(name)
    if not RunPaths(run).bundle_path.is_file():
        raise ConfigError(f"the run {name!r} has no generator yet: stop it, or let it end")
    state = _state(jobs.is_running(JobFile(run, "evaluate")), JobFile(run, "evaluate").read())
    if state in ("queued", "running"):
        raise ConfigError(f"an evaluation of {name!r} is {state} already")
    jobs.queue(run, "evaluate", evaluation_arguments(run, wanted.options()))
    return show(name, request)


@router.get("/evaluation")
def show(name: str, request: Request) -> dict[str, Any]:
    """Say how far the evaluation of a run is, and what it found."""
    jobs = jobs_of(request)
    run = jobs.folders.find(name)
    job = JobFile(run, "evaluate")
    document = job.read()
    report = read_document(run / REPORT)
    running = jobs.is_running(job)
    state = _state(running, document)
    if state == "ended":
        written = (run / REPORT).stat().st_mtime if report else 0.0
        state = "complete" if written >= document.get("recorded", 0.0) - 2 else "failed"
        cached = any("Evaluated before" in line for line in job.log_tail(40))
        state = "complete" if report and cached else state
    far = LiveFolder(run).evaluation() if running else {}
    if far.get("recorded", 0.0) < document.get("recorded", 0.0):
        far = {}  # of an earlier evaluation
    return {
        "state": state,
        "share": far.get("share"),
        "stage": far.get("stage"),
        "seconds": time.time() - document.get("recorded", time.time()) if running else None,
        "log": job.log_tail(40),
        "verdict": report.get("verdict", []),
        "has_report": bool(report) and (run / PAGE).is_file(),
        "command": as_evaluation_command(run),
    }


@router.post("/evaluation/stop")
def stop(name: str, request: Request) -> dict[str, Any]:
    """Stop an evaluation, or take it out of the queue."""
    run = jobs_of(request).folders.find(name)
    job = JobFile(run, "evaluate")
    if not job.end():
        job.path.unlink(missing_ok=True)
    return {}


@router.get("/report")
def report(name: str, request: Request) -> Response:
    """Return the report of a run as a page that runs no code."""
    path = jobs_of(request).folders.find(name) / PAGE
    if not path.is_file():
        raise KeyError(PAGE)
    headers = {"Content-Security-Policy": REPORT_POLICY}
    return FileResponse(path, media_type="text/html", headers=headers)


def _state(running: bool, document: dict[str, Any]) -> str:
    if running:
        return "running"
    if document.get("state") == "queued":
        return "queued"
    return "ended" if document.get("state") == "started" else "none"
