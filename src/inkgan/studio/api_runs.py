"""Runs: the list, what each has written, the stream of its events, and what is done with it."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from inkgan.config import serialize
from inkgan.io.run_paths import RECIPE, RunPaths
from inkgan.studio.command_text import as_command, as_python
from inkgan.studio.jobs import ORDER, Jobs
from inkgan.studio.row_tail import RowTail, parse_row
from inkgan.studio.run_state import JobFile
from inkgan.studio.stream import MOST_CLIENTS, MOST_RUNS, Client, EventStream, events

router = APIRouter(prefix="/api")
FILES = {
    "generator.safetensors": "application/octet-stream",
    "metrics.jsonl": "application/x-ndjson",
    RECIPE: "application/toml",
    "grid.png": "image/png",
    "timeline.gif": "image/gif",
    "curves.png": "image/png",
}


class Action(BaseModel):
    """What is to be done with a run."""

    action: str = Field(max_length=20)


def jobs_of(request: Request) -> Jobs:
    """Return the jobs of the application."""
    jobs: Jobs = request.app.state.jobs
    return jobs


@router.get("/runs")
def list_runs(request: Request) -> dict[str, Any]:
    """List every run, and say where they are and in which order jobs start."""
    jobs = jobs_of(request)
    entries = [entry.to_dict() for entry in jobs.entries()]
    return {"runs": entries, "folder": str(jobs.folders.root), "order": ORDER}


@router.get("/runs/{name}")
def show_run(name: str, request: Request) -> dict[str, Any]:
    """Describe one run: its state, its recipe as values, TOML, command and Python, its files."""
    jobs = jobs_of(request)
    entry, path = jobs.entry(name), jobs.folders.find(name)
    paths = RunPaths(path)
    details: dict[str, Any] = {"log": JobFile(path).log_tail(), "files": _existing(paths)}
    if entry.recipe is not None:
        details |= {
            "values": entry.recipe.model_dump(mode="json"),
            "toml": serialize.to_toml(entry.recipe),
            "command": as_command(entry.recipe, str(path)),
            "python": as_python(entry.recipe, str(path)),
        }
    return entry.to_dict() | details | {"path": str(path)}


@router.get("/runs/{name}/rows")
def rows(
    name: str,
    request: Request,
    first: Annotated[int, Query(ge=0)] = 0,
    count: Annotated[int, Query(ge=1, le=5000)] = 1000,
) -> dict[str, Any]:
    """Return rows of metrics.jsonl from row number `first` on."""
    tail = RowTail(RunPaths(jobs_of(request).folders.find(name)).metrics_path)
    tail.refresh()
    found = [parse_row(line) for line in tail.lines(first, count)]
    return {"first": first, "rows": found, "total": len(tail)}


@router.get("/runs/{name}/samples")
def samples(name: str, request: Request) -> dict[str, Any]:
    """List the sample grids of a run by their steps, and say how the images lie in them."""
    jobs = jobs_of(request)
    paths = RunPaths(jobs.folders.find(name))
    recipe = jobs.entry(name).recipe
    steps = [paths.step_of(frame) for frame in paths.frames()]
    per_step = recipe.schedule.images_per_step if recipe else 1
    classes = recipe.model.classes if recipe else 0
    return {"steps": steps, "images_per_step": per_step, "classes": classes}


@router.get("/runs/{name}/samples/{step}")
def sample(name: str, step: int, request: Request) -> Response:
    """Return one sample grid."""
    paths = RunPaths(jobs_of(request).folders.find(name))
    return _picture(request, paths.frame_path(max(step, 0)))


@router.get("/runs/{name}/files/{file}")
def file(name: str, file: str, request: Request, download: bool = False) -> Response:
    """Return one of the files of a run that people take away."""
    path = jobs_of(request).folders.find(name)
    if file not in FILES or not (path / file).is_file():
        raise KeyError(file)
    if FILES[file].startswith("image/") and not download:
        return _picture(request, path / file)
    return FileResponse(path / file, media_type=FILES[file], filename=f"{name}-{file}")


@router.post("/runs/{name}/actions")
def act(name: str, action: Action, request: Request) -> dict[str, Any]:
    """Pause, step, resume, stop, end or cancel a run."""
    jobs = jobs_of(request)
    jobs.act(name, action.action)
    try:
        return jobs.entry(name).to_dict()
    except KeyError:  # a run that never began and was cancelled
        return {}


@router.get("/events")
async def stream(
    request: Request,
    run: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI's way
    pictures: bool = True,
    last_event_id: Annotated[str, Header(max_length=1000)] = "",
    after: Annotated[str, Query(max_length=1000)] = "",
) -> Response:
    """Stream the states of all runs, and rows and pictures of some.

    The browser sends the id of the last event when it connects again, and gets what follows it;
    a page that reconnects gives the id as `after`.
    """
    follower = request.app.state.follower
    names = list(dict.fromkeys(run))[:MOST_RUNS]
    for name in names:
        follower.run(name)  # a KeyError is a 404
    if follower.clients >= MOST_CLIENTS:
        raise HTTPException(503, "Too many pages are open; close some.")
    client = Client(follower, names, last_event_id or after, pictures=pictures)
    return EventStream(events(client), follower)


def _existing(paths: RunPaths) -> dict[str, int]:
    """Return the sizes of the files that people take away."""
    found = {name: paths.path / name for name in FILES}
    return {name: path.stat().st_size for name, path in found.items() if path.is_file()}


def _picture(request: Request, path: Path) -> Response:
    """Return a small picture, or that it has not changed."""
    try:
        data = path.read_bytes()
    except OSError:
        raise KeyError(path.name) from None
    tag = f'"{hashlib.blake2b(data, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    kind = "image/gif" if path.suffix == ".gif" else "image/png"
    return Response(data, media_type=kind, headers=headers)
