"""Playing with a trained generator: its page, imitation, and the discriminator's opinion."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field

from inkgan.errors import ConfigError
from inkgan.io.live_folder import LiveFolder
from inkgan.io.run_paths import RunPaths
from inkgan.studio.api_runs import jobs_of
from inkgan.studio.model_client import ModelClient

router = APIRouter(prefix="/api/runs/{name}/play")
Level = Annotated[int, Field(ge=0, le=255)]
# The page is the exported one, with its scripts inside: it runs in a sandbox, without an origin.
PAGE_POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; frame-ancestors 'self'"
)


class Drawing(BaseModel):
    """An image that somebody drew: gray levels row by row, 255 is ink; and what it shows."""

    pixels: list[Level] = Field(max_length=256 * 256)
    label: int = Field(0, ge=0, le=10_000)


@router.get("")
async def describe(name: str, request: Request) -> dict[str, Any]:
    """Say what a run's generator draws."""
    return await _ask(name, request, "describe", {})


@router.get("/page")
async def page(name: str, request: Request) -> Response:
    """Return the page on which the generator writes in the browser."""
    run = jobs_of(request).folders.find(name)
    out = LiveFolder(run).path / f"page-{_changed(run)}.html"
    if not out.is_file():
        for old in out.parent.glob("page-*.html"):
            old.unlink(missing_ok=True)
        await _ask(name, request, "page", {"out": str(out)})
    return FileResponse(
        out, media_type="text/html", headers={"Content-Security-Policy": PAGE_POLICY}
    )


@router.post("/opinion")
async def opinion(name: str, drawing: Drawing, request: Request) -> dict[str, Any]:
    """Say what the discriminator believes of a drawing, and its gradient."""
    return await _ask(name, request, "opinion", drawing.model_dump())


@router.post("/imitation")
async def imitate(name: str, drawing: Drawing, request: Request) -> dict[str, Any]:
    """Find the nearest image that the generator draws."""
    return await _ask(name, request, "imitate", drawing.model_dump())


async def _ask(name: str, request: Request, what: str, more: dict[str, Any]) -> dict[str, Any]:
    run = jobs_of(request).folders.find(name)
    model: ModelClient = request.app.state.model
    known = {"do": what, "run": str(run), "changed": _changed(run)}
    return await model.ask(known | more)


def _changed(run: Path) -> int:
    """Return when the generator was written, so that a newer one is loaded again."""
    try:
        return RunPaths(run).bundle_path.stat().st_mtime_ns
    except OSError:
        raise ConfigError(
            f"the run {run.name!r} has no generator yet: stop it, or let it end"
        ) from None
