"""Run folders: resumed with the same recipe, of whatever version, and refused with another."""

import json
from pathlib import Path

import pytest

from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import from_toml, override
from inkgan.errors import ArtifactError
from inkgan.io.run_dir import RunFolder

OLD_RECIPES: dict[str, str] = json.loads(
    (Path(__file__).parents[1] / "config" / "recipes_0_1_0.json").read_text("utf-8")
)


def old_run(folder: Path, name: str) -> Path:
    """Make the folder of a run that version 0.1.0 has started."""
    (folder / "checkpoints").mkdir()
    (folder / "recipe.toml").write_text(OLD_RECIPES[name], encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", OLD_RECIPES)
def test_a_run_of_0_1_0_is_resumed_with_its_recipe(name: str, tmp_path: Path) -> None:
    recipe = from_toml(OLD_RECIPES[name])
    run = RunFolder.create_or_open(old_run(tmp_path, name), recipe)
    assert run.recipe == recipe
    written = (tmp_path / "recipe.toml").read_text(encoding="utf-8")
    assert from_toml(written) == recipe == RunFolder.open(tmp_path).recipe


def test_a_run_of_0_1_0_with_another_recipe_is_refused(tmp_path: Path) -> None:
    folder = old_run(tmp_path, "wgan")
    other = override(RECIPES["wgan"], {"objective.weight_clip": 0.02, "optim.lr": 1e-3})
    with pytest.raises(
        ArtifactError, match=r"`objective\.weight_clip` = 0\.01 \(now 0\.02\), `opt"
    ):
        RunFolder.create_or_open(folder, other)


def test_length_and_intervals_may_change(tmp_path: Path) -> None:
    changes = {
        "schedule.epochs": 99,
        "schedule.images": 5,
        "schedule.sample_interval": 7,
        "schedule.evaluation_interval": 7,
        "notes": "longer",
    }
    RunFolder.create_or_open(old_run(tmp_path, "wgan"), override(RECIPES["wgan"], changes))
    assert RunFolder.open(tmp_path).recipe.schedule.epochs == 99
