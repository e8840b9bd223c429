"""Loggers beside the run folder: the real packages, offline."""

import dataclasses
import errno
import json
import os
import socketserver
import struct
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inkgan
from inkgan import images
from inkgan.config import Data, Model, Recipe, Schedule
from inkgan.config.serialize import to_toml
from inkgan.errors import ArtifactError, ConfigError
from inkgan.runs.loggers import open_loggers
from inkgan.runs.loggers.open_loggers import LOGGERS, Loggers, choose_loggers
from inkgan.runs.loggers.run_logger import LoggedRun
from inkgan.types import UInt8

PROGRAM = """
import sys
import inkgan
folder = sys.argv[1]
recipe, out = f"{folder}/recipe.toml", f"{folder}/a"
for count in (640, 1280):
    inkgan.train(recipe, out=out, logger="wandb,mlflow", images=count, sample_interval=640)
"""


class Proxy(socketserver.BaseRequestHandler):
    """Notes whoever wants to reach a machine."""

    seen: list[bytes] = []

    def handle(self) -> None:
        self.seen.append(self.request.recv(200))


def records(path: Path) -> Iterator[Any]:
    """Read a file of Weights & Biases: a log of records in blocks of 32 KiB, as LevelDB has it."""
    from wandb.proto import wandb_internal_pb2

    data, place, parts = path.read_bytes(), 7, b""
    while place + 7 <= len(data):
        left = 2**15 - place % 2**15
        if left < 7:
            place += left
            continue
        length, kind = struct.unpack("<HB", data[place + 4 : place + 7])
        parts += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield vars(wandb_internal_pb2)["Record"].FromString(parts)
            parts = b""


def wandb_rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    for record in records(path):
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            rows.append({i.key or ".".join(i.nested_key): json.loads(i.value_json) for i in items})
    return rows


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train for both loggers in a process of its own, then resume there."""
    folder = tmp_path_factory.mktemp("logged")
    recipe = Recipe(
        name="tiny",
        data=Data.model_validate({"name": "uci-digits", "holdout": 0, "size": 12}),
        model=Model(latent_dim=8),
        schedule=Schedule(batch_size=64, epochs=3),
    )
    (folder / "recipe.toml").write_text(to_toml(recipe), encoding="utf-8")
    Proxy.seen = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        proxy = f"http://127.0.0.1:{server.server_address[1]}"
        environment = os.environ | {"WANDB_MODE": "online", "INKGAN_OFFLINE": "1"}
        for name in ("http_proxy", "https_proxy"):
            environment |= {name: proxy, name.upper(): proxy}
        command = [sys.executable, "-c", PROGRAM, str(folder)]
        subprocess.run(command, env=environment, check=True, timeout=250)
        server.shutdown()
    return folder


def scored(folder: Path) -> list[tuple[int, float]]:
    rows = inkgan.Run.open(folder / "a").rows()
    return [(row["images"], row["e3_distance"]) for row in rows if "e3_distance" in row]


def test_the_network_is_left_alone(logged: Path) -> None:
    assert Proxy.seen == []
    assert not (logged / "a" / "tensorboard").exists()  # exactly the loggers that were named


def test_wandb_gets_everything_and_a_resumed_run_continues(logged: Path) -> None:
    files = sorted((logged / "a").glob("wandb/offline-run-*/run-*.wandb"))
    identity = json.loads((logged / "a" / "loggers.json").read_text())["wandb"]
    assert [path.name for path in files] == [f"run-{identity}.wandb"] * 2
    run = next(r.run for r in records(files[0]) if r.WhichOneof("record_type") == "run")
    assert (run.run_id, run.project, run.display_name) == (identity, "inkgan", "a")
    config = {i.key: json.loads(i.value_json) for i in run.config.update}
    assert config["model.latent_dim"] == 8
    rows = [row for path in files for row in wandb_rows(path)]
    pictures = {row["images"]: row["samples.path"] for row in rows if "samples.path" in row}
    assert list(pictures) == [0, 640, 1280]
    assert (files[0].parent / "files" / pictures[640]).is_file()
    found = [(row["images"], row["e3_distance"]) for row in rows if "e3_distance" in row]
    assert found == scored(logged)


def test_mlflow_gets_everything_and_a_resumed_run_continues(logged: Path) -> None:
    import mlflow

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of SQLAlchemy, about MLflow's code
        client = mlflow.MlflowClient(f"sqlite:///{logged / 'mlflow.db'}")
        experiment = client.get_experiment_by_name("inkgan")
        assert experiment is not None
        (run,) = client.search_runs([experiment.experiment_id])
        history = client.get_metric_history(run.info.run_id, "e3_distance")
        names = [file.path for file in client.list_artifacts(run.info.run_id, "samples")]
    identity = json.loads((logged / "a" / "loggers.json").read_text())["mlflow"]
    assert (run.info.run_id, run.info.run_name) == (identity, "a")
    assert run.info.status == "FINISHED"
    assert run.data.params["model.latent_dim"] == "8"
    assert [(metric.step, metric.value) for metric in history] == scored(logged)
    assert names == [f"samples/images-{count:010d}.png" for count in (0, 640, 1280)]
    folder = logged / "mlflow-artifacts" / identity / "artifacts"
    frame = inkgan.Run.open(logged / "a").frames()[0]
    assert (images.read_picture(folder / names[0]) == images.read_picture(frame)).all()


def test_loggers_are_chosen_by_name() -> None:
    assert choose_loggers(None) == ("tensorboard",)
    assert choose_loggers("none") == ()
    assert choose_loggers("mlflow, wandb,mlflow") == ("mlflow", "wandb")
    assert choose_loggers(["tensorboard"]) == ("tensorboard",)
    with pytest.raises(ConfigError, match=r"`logger` 'wandbb' is unknown; did you mean 'wandb'\?"):
        choose_loggers("wandbb")
    with pytest.raises(ConfigError, match="`logger` 'none' stands alone"):
        choose_loggers("none,wandb")


@pytest.mark.parametrize("name", LOGGERS)
def test_a_missing_package_is_one_line_with_the_command(
    name: str, tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    extra = LOGGERS[name].extra
    with pytest.raises(ConfigError, match=rf"`logger='{name}'` needs .* 'inkgan\[{extra}\]'$"):
        inkgan.train(tiny, out=tmp_path / "a", logger=name)
    assert not (tmp_path / "a").exists()
    assert choose_loggers(None) == ()


def test_loggers_are_not_imported_before_they_are_used() -> None:
    code = "import sys, inkgan; inkgan.train; assert not {'wandb', 'mlflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


class Recorder:
    """A logger that notes its calls; it cannot be closed if `fails`."""

    def __init__(self, calls: list[str], fails: bool = False) -> None:
        self.calls, self.fails = calls, fails

    def scalars(self, images: int, values: Any) -> None:
        self.calls.append(f"scalars {images}")

    def picture(self, images: int, grid: UInt8) -> None:
        self.calls.append(f"picture {images}")

    def close(self, complete: bool) -> None:
        self.calls.append(f"close {complete}")
        if self.fails:
            raise OSError("full")


def test_all_loggers_are_closed_once_whatever_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    specs = {
        "one": open_loggers.LoggerSpec(lambda run: Recorder(calls, fails=True), (), ""),
        "two": open_loggers.LoggerSpec(lambda run: Recorder(calls), (), ""),
    }
    monkeypatch.setattr(open_loggers, "LOGGERS", specs)
    loggers = Loggers(("one", "two"), LoggedRun(tmp_path, {}, 0))
    loggers.scalars(64, {"loss": 1.0})
    with pytest.raises(ArtifactError, match=r"records of one of .*: full"):
        loggers.close(complete=True)
    loggers.close(complete=False)
    assert calls == ["scalars 64", "scalars 64", "close True", "close True"]


class FullDisk:
    """Has no room for anything."""

    def fail(self, *_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    scalars = picture = close = fail


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = dataclasses.replace(LOGGERS["tensorboard"], open=lambda run: FullDisk())
    monkeypatch.setattr(open_loggers, "LOGGERS", {"tensorboard": full, "other": full})
    loggers = Loggers(("tensorboard", "other"), LoggedRun(tmp_path / "a", {}, 0))
    grid = np.zeros((2, 2), np.uint8)
    message = r"cannot write the records of \w+ of .*a: No space left on device$"
    writes: tuple[Callable[[], None], ...] = (
        lambda: loggers.scalars(64, {"loss": 1.0}),
        lambda: loggers.picture(64, grid),
        lambda: loggers.close(complete=False),
    )
    for write in writes:
        with pytest.raises(ArtifactError, match=message):
            write()
    loggers.close(complete=False)  # all were closed, although the first could not be
