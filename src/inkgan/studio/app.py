"""The application: its pages, and one router for each area of the interface."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.types import ASGIApp

from inkgan.errors import InkganError
from inkgan.studio import api_evaluation, api_play, api_recipes, api_runs, api_uploads
from inkgan.studio.gate import Access, Gate
from inkgan.studio.jobs import Jobs
from inkgan.studio.model_client import ModelClient
from inkgan.studio.run_folders import RunFolders
from inkgan.studio.stream import Follower

TICK_SECONDS = 0.5
STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Settings:
    """What a studio serves.

    Attributes:
        runs: the folder of the runs.
        access: who may talk to it.
        options: of every command, such as {"device": "cpu"}.
        ready: called when the server answers.
    """

    runs: Path
    access: Access
    options: Mapping[str, Any] = field(default_factory=dict)
    ready: Callable[[], None] = field(default=lambda: None)


def create_app(settings: Settings) -> ASGIApp:
    """Build the application, with its gate in front; starts nothing.

    Args:
        settings: what it serves.
    """
    folders = RunFolders(settings.runs)
    jobs = Jobs(folders, settings.options)
    follower = Follower(jobs.entries, folders.find)
    model = ModelClient()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ticking = asyncio.ensure_future(_tick(jobs))
        settings.ready()
        yield
        ticking.cancel()
        await model.close()

    app = FastAPI(title="inkgan studio", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.jobs, app.state.follower, app.state.model = jobs, follower, model
    app.state.spell = settings.access.spell
    app.include_router(api_runs.router)
    app.include_router(api_recipes.router)
    app.include_router(api_evaluation.router)
    app.include_router(api_play.router)
    app.include_router(api_uploads.router)
    app.get("/")(_shell)
    app.get("/static/{path:path}")(_static)
    app.add_exception_handler(InkganError, _explain)
    app.add_exception_handler(KeyError, _missing)
    app.add_exception_handler(RequestValidationError, _invalid)
    return Gate(app, settings.access)


async def _tick(jobs: Jobs) -> None:
    """Keep the queue going, whether anybody looks or not."""
    while True:
        with contextlib.suppress(OSError, InkganError):
            jobs.tick()
        await asyncio.sleep(TICK_SECONDS)


def _shell() -> Response:
    return FileResponse(STATIC / "index.html")


def _static(path: str) -> Response:
    file = (STATIC / path).resolve()
    if not file.is_relative_to(STATIC) or not file.is_file():
        raise KeyError(path)
    return _file(file)


def _file(file: Path) -> Response:
    kind = {".js": "text/javascript", ".svg": "image/svg+xml"}.get(file.suffix)
    return FileResponse(file, media_type=kind, headers={"Cache-Control": "no-cache"})


def _explain(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": request.app.state.spell(str(error))}, 400)


def _missing(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "There is nothing of this name here."}, 404)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    return JSONResponse({"error": f"`{place}`: {first['msg']}"}, 422)
