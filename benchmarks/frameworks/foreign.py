"""Another framework's side of the comparison: a process of its own, with its own libraries."""

import json
import math
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.frameworks.environment import python_of
from benchmarks.frameworks.plan import plan_of
from benchmarks.machine import peak_memory
from inkgan.config import Recipe
from inkgan.data.dataset import Dataset
from inkgan.errors import InkganError
from inkgan.images import to_array
from inkgan.models.build import build_discriminator, build_generator, count_parameters
from inkgan.models.linear import Linear
from inkgan.models.same_padding import DownsamplingStack, UpsamplingStack

SCRIPTS = {"tensorflow": "keras_loop.py", "jax": "jax_loop.py"}
ERROR = re.compile(r"[\w.]+(Error|Exception): ")  # the line of a traceback that says what
WARM_STEPS = 3
ENDING = 10  # seconds to end by itself


class Foreign:
    """A running side in another framework; it ends with `close`.

    Args:
        framework: tensorflow or jax.
        recipe: unconditional, without augmentation.
        dataset: the training images.
        threads: of each operation.
        compiled: by XLA.
    """

    def __init__(
        self, framework: str, recipe: Recipe, dataset: Dataset, threads: int, compiled: bool = False
    ) -> None:
        self.recipe, self.shape = recipe, dataset.shape
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        plan = plan_of(recipe, dataset.shape)
        (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        images = to_array(dataset.images)
        np.save(folder / "images.npy", images.reshape(*images.shape[:3], -1))
        self._errors = (folder / "errors.txt").open("w+", encoding="utf-8")
        script = Path(__file__).with_name(SCRIPTS[framework])
        command = [python_of(framework), script, folder / "plan.json", folder / "images.npy"]
        self._process = subprocess.Popen(
            [*map(str, command), *(["--compiled"] if compiled else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=os.environ | _threads(threads),
        )
        self.about: dict[str, Any] = self._receive()
        ours = [
            count_parameters(build(recipe.model, dataset.shape, recipe.seed))
            for build in (build_generator, build_discriminator)
        ]
        if self.about["parameters"] != ours:
            raise InkganError(
                f"{framework} trains {self.about['parameters']} parameters, not {ours}"
            )

    def timed(self, steps: int) -> float:
        """Run updates and return their seconds.

        Raises:
            InkganError: the process has ended.
        """
        return float(self._answer(steps))

    def warm_up(self, seconds: float) -> int:
        """Run untimed, compilation included; return the updates that take about `seconds`."""
        self.timed(WARM_STEPS)
        taken, steps = 0.0, 0
        while taken < min(1.0, seconds):
            taken += self.timed(1)
            steps += 1
        return max(1, round(seconds * steps / taken))

    def peak_memory(self) -> float | None:
        """Return the peak of the process' resident memory in MiB, None where it cannot be had."""
        return peak_memory(self._process.pid)

    def outputs(self, generator: nn.Module, discriminator: nn.Module, z: torch.Tensor) -> Any:
        """Return the images and logits of this framework with our weights, as numpy arrays."""
        return self._call("outputs", _arrays(generator, discriminator) | {"z": z.numpy()})

    def start(self, generator: nn.Module, discriminator: nn.Module) -> None:
        """Begin with our weights, and keep the average of the generator that the recipe has."""
        self._call("start", _arrays(generator, discriminator))

    def draw(self, z: torch.Tensor) -> np.ndarray:
        """Return the averaged generator's images, float32 (n, H, W, C) in [-1, 1], of latents."""
        images: np.ndarray = self._call("draw", {"z": z.numpy()})["images"]
        return images

    def _call(self, name: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Call a method of the other side."""
        folder = Path(self._folder.name)
        paths = {"arrays": folder / "arrays.npz", "out": folder / "outputs.npz"}
        np.savez(paths["arrays"], **arrays)  # type: ignore[arg-type]
        self._answer({"call": name, **{key: str(path) for key, path in paths.items()}})
        with np.load(paths["out"]) as found:
            return dict(found)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        self._folder.cleanup()

    def _answer(self, request: object) -> Any:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended, which the next line finds
        return self._receive()

    def _receive(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._errors.seek(0)
            lines = [line for line in self._errors.read().splitlines() if ERROR.match(line)]
            why = f": {lines[-1]}" if lines else ""
            raise InkganError(f"a timed process ended by itself (exit status {code}){why}")
        return json.loads(line)


def _arrays(generator: nn.Module, discriminator: nn.Module) -> dict[str, np.ndarray]:
    """Return the weights of both networks under the names that the other side knows."""
    return {
        f"{name}{place}": array
        for name, network in (("g", generator), ("d", discriminator))
        for place, array in enumerate(exported_weights(network))
    }


def exported_weights(network: nn.Module) -> list[np.ndarray]:
    """Return a network's weights in Keras' order and layout: channels last.

    A stack that works on mirrored images (see `inkgan.models.same_padding`) is mirrored back.
    """
    stacks = [m for m in network.modules() if isinstance(m, DownsamplingStack | UpsamplingStack)]
    mirrored = any(stack.mirrored for stack in stacks)
    found: list[np.ndarray] = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            # torch has (outputs, inputs, h, w), transposed (inputs, outputs, h, w)
            kernel = module.weight.detach().permute(2, 3, 1, 0).numpy()
            found.append(kernel[::-1, ::-1] if mirrored else kernel)
        elif isinstance(module, Linear | nn.Linear):
            # the dense layer beside the maps: its longer side is height, width, channels
            weight = module.weight.detach().numpy()
            found.append((_mirror(weight, stacks[0]) if mirrored else weight).T)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            values = module.weight, module.bias, module.running_mean, module.running_var
            arrays = [value.detach().numpy() for value in values if value is not None]
            one_d = isinstance(module, nn.BatchNorm1d) and mirrored
            found += [_mirror(array, stacks[0]) if one_d else array for array in arrays]
            continue
        else:
            continue
        if module.bias is not None:
            bias = module.bias.detach().numpy()
            is_dense = isinstance(module, Linear | nn.Linear) and bias.size > 1
            found.append(_mirror(bias, stacks[0]) if mirrored and is_dense else bias)
    return [np.ascontiguousarray(array) for array in found]


def _mirror(array: np.ndarray, stack: DownsamplingStack | UpsamplingStack) -> np.ndarray:
    """Mirror the maps that a dense layer reads or writes, along the array's longest axis."""
    ends = [m for m in stack if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    upwards = isinstance(stack, UpsamplingStack)
    channels = ends[0].in_channels if upwards else ends[-1].out_channels
    axis = int(np.argmax(array.shape))
    side = math.isqrt(array.shape[axis] // channels)
    maps = np.moveaxis(array, axis, -1)
    shape = maps.shape
    flipped = maps.reshape(*shape[:-1], side, side, channels)[..., ::-1, ::-1, :]
    return np.moveaxis(flipped.reshape(shape), -1, axis)


def _threads(count: int) -> dict[str, str]:
    """Return the variables that bound the threads of both frameworks."""
    return {
        "OMP_NUM_THREADS": str(count),
        "TF_NUM_INTRAOP_THREADS": str(count),
        "TF_NUM_INTEROP_THREADS": "1",
        "JAX_PLATFORMS": "cpu",
    }
