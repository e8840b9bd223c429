"""The Hugging Face hub: what is written loads again, and what is here wins. No network is used."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import requests
from huggingface_hub import ModelCard

import inkgan
from inkgan.cli.main import main
from inkgan.config import serialize as toml
from inkgan.errors import ArtifactError, ConfigError, InkganError
from inkgan.exporters.bundle_export import with_license
from inkgan.exporters.hub_folder import export_hub, push_folder
from inkgan.generation.hub_download import is_hub_name
from inkgan.io.bundle import Bundle, MeasuredScore, load_bundle
from tests.fixtures.bundles import small_bundle

SCORES = {
    "kid": MeasuredScore(0.25, 0.125),
    "recall": MeasuredScore(0.5, 0.75),
    "best_e3": MeasuredScore(1.0),
}


def scored() -> Bundle:
    return dataclasses.replace(with_license(small_bundle(), "cc0-1.0"), scores=SCORES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    export_hub(scored(), tmp_path / "out", name="someone/digits")
    return tmp_path / "out"


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["inkgan", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def test_the_folder_loads_as_any_bundle_does(folder: Path) -> None:
    assert load_bundle(folder / "model.safetensors").digest == scored().digest
    images = inkgan.load(folder).sample([3, 1], seeds=[0, 1])
    assert np.array_equal(
        images, inkgan.load(folder / "model.safetensors").sample([3, 1], seeds=[0, 1])
    )


def test_the_card_is_one_that_the_hub_reads(folder: Path) -> None:
    card = ModelCard.load(folder / "README.md")
    assert card.data.license == "cc0-1.0"
    assert card.data.library_name == "inkgan"
    assert {(r.metric_type, r.metric_value) for r in card.data.eval_results} == {
        ("kid", 0.25),
        ("recall", 0.5),
    }
    assert "| Recall | 50.00 % | 75.00 % |" in card.text
    assert 'inkgan.load("someone/digits")' in card.text
    assert scored().digest in card.text
    assert "![Images drawn by small](samples.png)" in card.text
    assert (folder / "samples.png").is_file()


def test_the_recipe_of_the_card_is_whole(folder: Path) -> None:
    text = ModelCard.load(folder / "README.md").text.partition("```toml\n")[2].partition("```")[0]
    assert toml.from_toml(text) == scored().recipe


def test_config_json_says_the_same_in_plain_json(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == "inkgan"
    assert config["recipe"]["name"] == "small"
    assert config["classes"] == list("0123456789")
    assert config["digest"] == scored().digest


def test_an_unconditional_card_without_scores(tmp_path: Path) -> None:
    export_hub(small_bundle("mlp", ""), tmp_path, half=True)
    card = ModelCard.load(tmp_path / "README.md")
    assert card.data.license == "unknown"
    assert card.data.eval_results is None
    assert "It is unconditional" in card.text
    assert "sample(seeds=[0, 1, 2])" in card.text
    assert small_bundle("mlp", "").rounded().digest in card.text


def test_a_folder_with_other_things_is_left_alone(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="or replace its files with `force=True`"):
        export_hub(scored(), folder)
    export_hub(scored(), folder, force=True)
    (folder / "mine.txt").touch()
    with pytest.raises(ArtifactError, match=r"contains mine\.txt; use another folder$"):
        export_hub(scored(), folder, force=True)
    with pytest.raises(ArtifactError, match="is a file; use the path of a folder"):
        export_hub(scored(), folder / "mine.txt")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a/b", True),
        ("some-one/di.gits_2", True),
        ("a", False),
        ("a/b/c", False),
        ("/a/b", False),
        ("a/b.safetensors", False),
        ("a b/c", False),
        ("", False),
    ],
)
def test_names_of_the_hub(text: str, is_one: bool) -> None:
    assert is_hub_name(text) == is_one


# --- fetching ---


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stand in for the hub: it has one repository; the calls are listed."""
    calls: list[dict[str, Any]] = []

    def download(name: str, file: str, **options: Any) -> str:
        calls.append({"name": name, **options})
        if name != "someone/digits":
            raise OSError("404: repository not found\nand much more")
        return str(folder / file)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(requests, "head", lambda address, timeout: None)
    return calls


def test_a_name_of_the_hub_is_fetched(
    hub: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INKGAN_OFFLINE")
    assert inkgan.load("someone/digits").bundle.digest == scored().digest
    assert hub == [{"name": "someone/digits", "local_files_only": False}]
    with pytest.raises(ArtifactError, match=r"hub does not give it: 404: repository not found$"):
        inkgan.load("someone/else")


def test_a_hub_that_does_not_answer_is_asked_once(
    hub: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(address: str, timeout: float) -> None:
        assert timeout <= 5
        raise requests.ConnectionError

    monkeypatch.delenv("INKGAN_OFFLINE")
    monkeypatch.setattr(requests, "head", fail)
    with pytest.raises(ArtifactError, match=r"'me/nothing' here, .*it cannot be reached"):
        inkgan.load("me/nothing")
    assert [call["local_files_only"] for call in hub] == [True]


def test_a_process_that_has_not_used_the_hub_yet_refuses_in_one_line(tmp_path: Path) -> None:
    """The hub's library makes its submodules attributes only once they are imported."""
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    environment = {**os.environ, **nowhere, "INKGAN_OFFLINE": ""}
    command = [sys.executable, "-c", "import inkgan; inkgan.load('nothing/there')"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert "ArtifactError: there is no run or bundle 'nothing/there' here" in done.stderr
    assert "it cannot be reached" in done.stderr


def test_offline_only_the_cache_is_asked(hub: list[dict[str, Any]]) -> None:
    inkgan.load("someone/digits")
    assert hub[0]["local_files_only"]
    with pytest.raises(ArtifactError, match="INKGAN_OFFLINE is set"):
        inkgan.load("someone/else")


def test_what_is_here_wins(
    hub: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("runs/one/digits", "someone/digits"):
        small_bundle("mlp").save(Path(place) / "generator.safetensors")
    assert inkgan.load("someone/digits").bundle.digest == small_bundle("mlp").digest
    assert inkgan.load("one/digits").bundle.digest == small_bundle("mlp").digest
    with pytest.raises(ArtifactError, match="there is no run or bundle 'someone/digit'"):
        inkgan.load("someone/digit")  # a folder of that name is here: a slip of the pen
    assert hub == []


def without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    without_the_library(monkeypatch)
    with pytest.raises(ConfigError, match=r"'someone/digits' here, .*'inkgan\[hub\]'"):
        inkgan.load("someone/digits")


def test_what_is_here_needs_no_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_the_library(monkeypatch)
    assert inkgan.load(folder).bundle.recipe.name == "small"


# --- pushing ---


class StandIn:
    """A hub that lists what is uploaded."""

    uploads: list[dict[str, Any]]

    def create_repo(self, name: str, exist_ok: bool) -> str:
        if name == "someone/locked":
            raise OSError("401 Unauthorized")
        return f"https://hub/{name}"

    def upload_folder(self, **options: Any) -> None:
        self.uploads.append(options)


def test_pushing(
    tmp_path: Path,
    command: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    StandIn.uploads = []
    monkeypatch.setattr(huggingface_hub, "HfApi", StandIn)
    scored().save(tmp_path / "a.safetensors")
    out = tmp_path / "out"
    assert command("export", "hub", tmp_path / "a.safetensors", out, "--push", "me/digits") == 0
    assert capsys.readouterr().out == "https://hub/me/digits\n"
    assert StandIn.uploads[0]["repo_id"] == "me/digits"
    assert StandIn.uploads[0]["folder_path"] == out
    assert ModelCard.load(out / "README.md").data.license == "cc0-1.0"  # the bundle's own
    with pytest.raises(ArtifactError, match="401 Unauthorized; to log in, run: hf auth login"):
        push_folder(out, "someone/locked")


@pytest.mark.parametrize("name", ["digits", "a/b/c"])
def test_impossible_names_are_refused_before_work(
    name: str, tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("export", "hub", "nothing", tmp_path / "out", "--push", name) == 2
    assert f"must be user/name, not {name!r}" in capsys.readouterr().err


def test_pushing_needs_the_extra(
    tmp_path: Path,
    command: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    without_the_library(monkeypatch)
    assert command("export", "hub", "nothing", tmp_path / "out", "--push", "me/digits") == 2
    assert "pip install 'inkgan[hub]'" in capsys.readouterr().err
    with pytest.raises(InkganError, match="`push` needs the extra"):
        push_folder(tmp_path, "me/digits")
