"""What the process with torch answers: the discriminator's opinion, imitation, its page."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inkgan
from inkgan.config import Recipe
from inkgan.config.serialize import override
from inkgan.errors import ConfigError, InkganError
from inkgan.studio import model_worker
from inkgan.studio.model_client import ModelClient
from tests.studio.asgi import call, run_apart, studio


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = override(
        inkgan.RECIPES["vanilla"],
        {
            "data.name": "uci-digits",
            "data.holdout": 0,
            "data.size": 12,
            "model.classes": 10,
            "model.latent_dim": 8,
            "model.generator.widths": [32],
            "model.discriminator.widths": [16],
            "schedule.epochs": 1,
        },
    )
    return inkgan.train(recipe, out=tmp_path_factory.mktemp("runs") / "a").path


def question(run: Path, **more: Any) -> dict[str, Any]:
    return {"run": str(run), "changed": 1, "label": 3, **more}


def test_the_heat_map_is_the_gradient_of_the_logit(run: Path) -> None:
    pixels = np.random.default_rng(0).integers(60, 190, 144)
    answer = model_worker.opinion(question(run, pixels=pixels.tolist()))
    gradient = np.asarray(answer["gradient"])
    assert np.abs(gradient).max() == 1
    assert 0 <= answer["rank"] <= 1
    steps = []
    for place in (0, 50, 77, 143):
        sides = []
        for change in (-8, 8):
            moved = pixels.copy()
            moved[place] += change
            sides.append(model_worker.opinion(question(run, pixels=moved.tolist()))["logit"])
        steps.append(sides[1] - sides[0])
    measured = np.asarray(steps)
    expected = gradient[[0, 50, 77, 143]]
    assert np.corrcoef(measured, expected)[0, 1] > 0.99


def test_an_image_of_the_generator_is_found_again(run: Path) -> None:
    drawn = inkgan.load(run).sample([3], seeds=5)[0]
    found = model_worker.imitate(question(run, pixels=drawn.ravel().tolist()))
    others = inkgan.load(run).sample([3] * 20, seeds=range(10, 30))
    gaps = np.sqrt((((others.astype(float) - drawn) / 255) ** 2).mean(axis=(1, 2)))
    assert found["error"] < gaps.min()
    assert len(found["pixels"]) == 144


def test_drawings_of_another_size_are_refused(run: Path) -> None:
    with pytest.raises(ConfigError, match="`pixels` must be 12 x 12 gray values"):
        model_worker.imitate(question(run, pixels=[0] * 784))


def test_a_run_without_checkpoints_has_no_opinion(tiny: Recipe, tmp_path: Path) -> None:
    run = inkgan.train(override(tiny, {"schedule.epochs": 1}), out=tmp_path / "a").path
    for name in ("last", "best"):
        (run / "checkpoints" / f"{name}.safetensors").unlink()
    (run / "metrics.jsonl").unlink()
    with pytest.raises(InkganError, match="keeps no checkpoint"):
        model_worker.opinion(question(run, changed=2, pixels=[0] * 144))


def test_the_process_answers_refuses_and_is_started_again(run: Path) -> None:
    async def ask() -> None:
        client = ModelClient()
        try:
            found = await client.ask({"do": "describe", **question(run)})
            assert found == {"shape": [1, 12, 12], "classes": [*"0123456789"]}
            with pytest.raises(InkganError, match="12 x 12"):
                await client.ask({"do": "opinion", **question(run, pixels=[1])})
            with pytest.raises(InkganError, match="nothing"):
                await client.ask({"do": "nothing", **question(run)})
            assert client._process is not None
            client._process.kill()
            await client._process.wait()
            assert (await client.ask({"do": "describe", **question(run)}))["shape"][0] == 1
        finally:
            await client.close()

    run_apart(ask())


def test_the_interface_checks_drawings(run: Path) -> None:
    app = studio(run.parent)
    for pixels in ([256], [-1], ["x"], [0] * 70_000):
        path = f"/api/runs/{run.name}/play/opinion"
        assert call(app, path, "POST", {"pixels": pixels}).status == 422
    page = run / ".live" / f"page-{(run / 'generator.safetensors').stat().st_mtime_ns}.html"
    page.write_text("a page", encoding="utf-8")
    answer = call(app, f"/api/runs/{run.name}/play/page")
    policy = answer.headers["content-security-policy"]
    assert answer.text == "a page"
    assert policy.startswith("sandbox allow-scripts allow-downloads;")  # no origin, no cookie
    assert "allow-same-origin" not in policy
