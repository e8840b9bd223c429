"""Damaged run folders: skipped and said, made again, or refused in one line with the way out."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import inkgan
from inkgan.config.serialize import override
from inkgan.errors import ArtifactError, InkganError
from inkgan.evaluation.report.compare import compare
from inkgan.files import DamagedFileWarning
from inkgan.io import tensors as tensor_files
from inkgan.io.environment import read_environment
from inkgan.io.run_dir import CHECKPOINT, RunFolder
from inkgan.runs.trainer import Trainer
from tests.fixtures.run_folders import RECIPE, copy_small_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(copy_small_run(tmp_path / "run"), RECIPE)


def resume(run: RunFolder) -> None:
    for _ in Trainer(RECIPE, run.path).events():
        pass


def checkpoint(run: RunFolder, name: str = "last") -> tuple[dict[str, torch.Tensor], Any]:
    return tensor_files.read(run.checkpoint_path(name), CHECKPOINT)


def forge(run: RunFolder, tensors: dict[str, torch.Tensor], document: Any) -> None:
    path = run.checkpoint_path("last")
    tensor_files.write(path, tensors, {"kind": CHECKPOINT, **document})


# --- metrics.jsonl ---


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: b"\xff" + line,
        lambda line: line[: len(line) // 2],
        lambda line: b"[" * 5000,
        lambda line: b"null",
        lambda line: line.replace(b'"step"', b'"stop"'),
        lambda line: line.replace(b'"images": ', b'"images": -'),
        lambda line: line.replace(b'"seconds": ', b'"seconds": 1e999, "x": '),
        lambda line: line.replace(b"{", b'{"d_loss": "high", '),
        lambda line: line.replace(b"{", b'{"x": ' + b"9" * 400 + b", "),
    ],
)
def test_a_damaged_line_is_left_out_and_said(
    run: RunFolder, damage: Callable[[bytes], bytes]
) -> None:
    whole = run.rows()
    lines = run.metrics_path.read_bytes().split(b"\n")
    lines[1] = damage(lines[1])
    run.metrics_path.write_bytes(b"\n".join(lines))
    with pytest.warns(DamagedFileWarning, match=r"metrics\.jsonl: 1 line of \d is damaged"):
        assert run.rows() == [whole[0], *whole[2:]]


def test_several_damaged_lines_are_counted_and_removed_by_resuming(run: RunFolder) -> None:
    whole = run.rows()
    lines = run.metrics_path.read_bytes().split(b"\n")
    run.metrics_path.write_bytes(b"\n".join([b"x", *lines[1:3], b"y", *lines[3:]]))
    with pytest.warns(DamagedFileWarning, match="2 lines of .* are damaged .*line 1 is the first"):
        resume(run)
    assert run.rows() == whole[1:]  # and without a warning


# --- environment.json, recipe.toml ---


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "valid dictionary"),
        (b"{}", "it has no inkgan"),
        (lambda d: d.pop("threads"), "it has no threads"),
        (lambda d: d.update(threads=0), "threads = 0"),
        (lambda d: d.update(threads="2"), "threads = '2'"),
        (lambda d: d.update(data_sha256="none"), "data_sha256 = 'none'"),
    ],
)
def test_a_damaged_environment_is_refused_with_the_way_out(
    run: RunFolder, content: bytes | Callable[[Any], object], message: str
) -> None:
    path = run.environment_path
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        document = json.loads(path.read_text())
        content(document)
        path.write_text(json.dumps(document))
    with pytest.raises(ArtifactError) as caught:
        read_environment(path)
    for words in ("environment.json", message, "remove it to resume"):
        assert words in str(caught.value)


def test_a_run_resumes_without_its_environment(run: RunFolder) -> None:
    run.environment_path.write_bytes(b"")
    with pytest.raises(ArtifactError, match=r"environment\.json: it is not JSON"):
        resume(run)
    run.environment_path.unlink()
    resume(run)
    assert read_environment(run.environment_path).threads >= 1


@pytest.mark.parametrize("content", [b"name = '\xff'", b"a = [" * 5000, b"", b"seed = 'x'"])
def test_a_damaged_recipe_is_refused(run: RunFolder, content: bytes) -> None:
    (run.path / "recipe.toml").write_bytes(content)
    for use in (resume, lambda run: compare([run.path, run.path])):
        if content:
            with pytest.raises(InkganError, match=r"recipe\.toml"):
                use(run)
    if not content:  # the recipe of all defaults, which this run has not
        with pytest.raises(ArtifactError, match="run of another recipe"):
            resume(run)


# --- sample grids ---


def test_damaged_and_foreign_grids_are_left_out(run: RunFolder, tmp_path: Path) -> None:
    first, second, *_ = run.frames()
    first.write_bytes(first.read_bytes()[:100])
    foreign = run.samples_path / "step-foo.png"
    foreign.write_bytes(b"mine")
    shutil.copy(second, run.samples_path / "step-1.png")
    assert [run.step_of(path) for path in run.frames()] == [0, 20, 40, 60]
    with pytest.warns(DamagedFileWarning, match=r"step-00000000\.png is no readable picture"):
        resume(run)
    assert foreign.read_bytes() == b"mine"
    other = copy_small_run(tmp_path / "other")
    with pytest.warns(DamagedFileWarning):
        compare([run.path, other])


def test_the_newest_grid_is_drawn_again(run: RunFolder) -> None:
    newest = run.frames()[-1]
    drawn = newest.read_bytes()
    newest.write_bytes(b"")
    with pytest.warns(DamagedFileWarning):
        resume(run)
    assert newest.read_bytes() == drawn


def test_without_any_grid_there_is_nothing_to_compare(run: RunFolder, tmp_path: Path) -> None:
    other = copy_small_run(tmp_path / "other")
    for path in run.frames():
        path.write_bytes(b"")
    with (
        pytest.warns(DamagedFileWarning),
        pytest.raises(ArtifactError, match="no readable sample grid"),
    ):
        compare([run.path, other])


# --- checkpoints ---


@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_a_damaged_checkpoint_names_the_best_one_which_resumes(
    run: RunFolder, damage: str, tmp_path: Path
) -> None:
    path = run.checkpoint_path("last")
    content = path.read_bytes()
    trained = checkpoint(run)
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    with pytest.raises(ArtifactError, match=r"last\.safetensors.*to resume from the best check"):
        resume(run)
    step = checkpoint(run, "best")[1]["counters"]["step"]
    with pytest.raises(ArtifactError, match=f"after {step * 64:,} images, copy .*best"):
        resume(run)
    shutil.copy(run.checkpoint_path("best"), path)
    resume(run)
    again = checkpoint(run)
    assert all(torch.equal(again[0][name], tensor) for name, tensor in trained[0].items())
    assert [run.step_of(frame) for frame in run.frames()] == [0, 20, 40, 60]


@pytest.mark.parametrize("name", ["last", "best"])
def test_a_checkpoint_of_another_run_is_refused(run: RunFolder, tmp_path: Path, name: str) -> None:
    other = override(RECIPE, ["seed=1", "optim.lr=1e-3"])
    for _ in Trainer(other, tmp_path / "other").events():
        pass
    swapped = RunFolder.open(tmp_path / "other").checkpoint_path(name)
    shutil.copy(swapped, run.checkpoint_path(name))
    reason = rf"{name}\.safetensors is of another recipe: `optim\.lr` = .*, `seed` = 1 \(now 0\)"
    if name == "last":
        with pytest.raises(ArtifactError, match=reason):
            resume(run)
    else:
        with pytest.raises(ArtifactError, match=reason):
            inkgan.load(run.path, checkpoint="best")


def test_a_longer_run_takes_the_checkpoint_of_the_shorter_one(run: RunFolder) -> None:
    longer = override(RECIPE, ["schedule.images=4480", "notes=longer"])
    for _ in Trainer(longer, run.path).events():
        pass
    assert checkpoint(run)[1]["counters"]["step"] == 70


def test_without_the_best_checkpoint_the_message_says_so(run: RunFolder) -> None:
    for name in ("last", "best"):
        run.checkpoint_path(name).write_bytes(b"rubbish")
    with pytest.raises(ArtifactError, match=r"last\.safetensors .*; nothing else is saved"):
        resume(run)
    with pytest.raises(ArtifactError, match=r"best\.safetensors .*; the last checkpoint does not"):
        inkgan.load(run.path, checkpoint="best")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(step=float("-inf")), "counters.step = -inf"),
        (lambda c: c.update(step=-1), "counters.step = -1"),
        (lambda c: c.update(lr_scale="mlp"), "counters.lr_scale = 'mlp'"),
        (lambda c: c.update(lr_scale=2.0), "counters.lr_scale = 2.0"),
        (lambda c: c.update(seconds=None), "counters.seconds = None"),
        (lambda c: c.update(streaks=[]), "counters.streaks = []"),
        (lambda c: c.update(streaks={"nan": 0.5}), "counters.streaks.nan = 0.5"),
        (lambda c: c.update(best_score=float("nan")), "counters.best_score = nan"),
        (lambda c: c.update(metrics=True), "counters.metrics = True"),
        (lambda c: c.pop("rollbacks"), "it has no counters.rollbacks"),
        (lambda c: c.update(more=1), "unknown field counters.more"),
    ],
)
def test_impossible_counters_are_refused(
    run: RunFolder, change: Callable[[Any], object], message: str
) -> None:
    tensors, document = checkpoint(run)
    change(document["counters"])
    forge(run, tensors, document)
    with pytest.raises(ArtifactError) as caught:
        run.load_checkpoint("last")
    assert message in str(caught.value)
    assert "last.safetensors" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("g_optimizer.0.exp_avg", lambda t: t[:1], r"is float32 \(1, .*needs float32 \(16"),
        ("g_optimizer.0.exp_avg_sq", lambda t: t.double(), "is float64"),
        ("d_optimizer.1.exp_avg_sq", lambda t: None, "is missing"),
        ("d_optimizer.1.step", lambda t: t * float("nan"), "has impossible numbers"),
        ("g_optimizer.0.exp_avg_sq", lambda t: t - 1, "has impossible numbers"),
        ("generator.layers.0.weight", lambda t: t / 0, "is not finite everywhere"),
        ("ema.layers.0.weight", lambda t: None, "is missing"),
        ("metrics.sums", lambda t: t[:1], r"is float32 \(1,\)"),
        ("metrics.sums", lambda t: t + float("inf"), "is not zero in a window without steps"),
        ("g_optimizer.99.exp_avg", lambda t: torch.zeros(1), "does not belong to this recipe"),
    ],
)
def test_impossible_tensors_are_refused(
    run: RunFolder, name: str, change: Callable[[torch.Tensor], Any], message: str
) -> None:
    tensors, document = checkpoint(run)
    changed = change(tensors.get(name, torch.zeros(1)))
    tensors.pop(name, None)
    forge(run, tensors if changed is None else {**tensors, name: changed}, document)
    with pytest.raises(ArtifactError, match=rf"last\.safetensors.*{name} {message}.*to resume"):
        resume(run)


def test_a_whole_run_is_read_without_a_warning(run: RunFolder) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resume(run)
