"""Run folders: checkpoints, metrics, environment, recipe and sample grids."""

import json
from pathlib import Path
from random import Random
from typing import Any

import torch

from inkgan import files
from inkgan.images import Shape
from inkgan.io import tensors as tensor_files
from inkgan.io.environment import describe_environment, read_environment
from inkgan.io.metrics_file import read_rows, to_line
from inkgan.io.run_dir import CHECKPOINT, RunFolder
from inkgan.training.state import new_state
from tests.fixtures.run_folders import RECIPE, copy_small_run
from tests.fuzz.harness import FileReader, Reader, register
from tests.fuzz.mutators import mutate_file, mutate_json
from tests.fuzz.readers.bundles import change_tensor

LAST = "checkpoints/last.safetensors"


def restored(folder: Path) -> tuple[Any, Any]:
    """Restore the last checkpoint into a fresh state; return its tensors and counters."""
    state = new_state(RECIPE, Shape(1, 12, 12), torch.device("cpu"))
    run = RunFolder(folder, RECIPE)
    saved = run.load_checkpoint("last")
    assert saved is not None
    state.restore(*saved)
    tensors = {name: tensor.tolist() for name, tensor in state.tensors().items()}
    return tensors, state.counters()


@register
class DamagedCheckpoint(FileReader):
    """Any change of a checkpoint's bytes is refused, or changes nothing."""

    name, file = "checkpoint", "last.safetensors"

    def prepare(self, folder: Path) -> None:
        """Train a small run."""
        copy_small_run(folder / "run")

    def mutate(self, chance: Random, folder: Path) -> str:
        """Damage the last checkpoint."""
        return mutate_file(chance, folder / "run" / LAST)

    def read(self, folder: Path) -> Any:
        """Resume from it."""
        return restored(folder / "run")


@register
class ForgedCheckpoint(DamagedCheckpoint):
    """Counters or tensors with strange values and the right checksum."""

    name, file = "forged-checkpoint", ""

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change the counters or a tensor, and write them with their checksum."""
        path = folder / "run" / LAST
        tensors, document = tensor_files.read(path, CHECKPOINT)
        if chance.random() < 0.5:
            changed = mutate_json(chance, document)
            document, done = (changed if isinstance(changed, dict) else {"x": 1}), "counters"
        else:
            done = change_tensor(chance, tensors)
        tensor_files.write(path, tensors, {"kind": CHECKPOINT, **document})
        return done

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """Other counters are possible ones; the tensors are the same.

        The sums of a window may be infinite, as after a loss that overflows.
        """
        tensors, counters = value
        skipped = {"metrics.sums"} if counters["metrics"] else set()
        assert tensors.keys() == intact[0].keys()
        assert all(tensors[name] == intact[0][name] for name in tensors.keys() - skipped)
        assert counters["step"] >= 0
        assert 0 < counters["lr_scale"] <= 1


@register
class Metrics(FileReader):
    """metrics.jsonl: damaged lines are left out with a warning, all others stay as they are."""

    name, file = "metrics", "metrics.jsonl"

    def prepare(self, folder: Path) -> None:
        """Write a dozen rows."""
        rows = [
            {"step": n, "images": 64 * n, "epoch": n / 9, "seconds": 0.5 * n, "d_loss": 1 / n}
            for n in range(1, 13)
        ]
        (folder / self.file).write_text("".join(map(to_line, rows)), encoding="utf-8")

    def read(self, folder: Path) -> Any:
        """Read them."""
        return read_rows(folder / self.file)

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """Rows have what the curves need; lines without a checksum may have other numbers."""
        for row in value:
            assert row["step"] >= 0
            assert float(row["images"]) >= 0
            assert f"{row['seconds']:.1f}"
            assert all(isinstance(v, int | float | str) for v in row.values())
        json.dumps(value)


@register
class Environment(FileReader):
    """environment.json: a value that resuming needs is there, or the file is refused."""

    name, file = "environment", "environment.json"

    def prepare(self, folder: Path) -> None:
        """Describe this machine."""
        document = describe_environment(torch.device("cpu"), "ab" * 32)
        files.write_json(folder / self.file, document)

    def read(self, folder: Path) -> Any:
        """Read it."""
        return read_environment(folder / self.file)

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """Threads and digest are usable."""
        assert value.threads >= 1
        assert len(value.data_sha256) == 64


@register
class SampleGrids(Reader):
    """samples/: foreign files stay out, damaged grids are left out with a warning."""

    name = "sample-grids"

    def prepare(self, folder: Path) -> None:
        """Train a small run."""
        copy_small_run(folder / "run")

    def mutate(self, chance: Random, folder: Path) -> str:
        """Damage a grid, or put a foreign file beside it."""
        samples = folder / "run" / "samples"
        name = chance.choice(("step-foo.png", "step-.png", "step-99999999.png", "step-1.png", ""))
        if name:
            (samples / name).write_bytes(chance.randbytes(chance.randrange(200)))
            return name
        return mutate_file(chance, chance.choice(sorted(samples.glob("*.png"))))

    def read(self, folder: Path) -> Any:
        """Read every grid."""
        run = RunFolder(folder / "run", RECIPE)
        frames = {run.step_of(path): run.read_frame(path) for path in run.frames()}
        return {step: frame for step, frame in frames.items() if frame is not None}

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """A grid is missing only with a warning."""
        assert warned or value.keys() >= intact.keys()
