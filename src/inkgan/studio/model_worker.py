"""A process that has torch and answers questions about trained networks, one line of JSON each.

The server starts it when the first question comes, so that the server itself stays small and a
network that takes long holds up no page. It ends when its input ends.
"""

import json
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inkgan.device import compute_settings, default_threads
from inkgan.errors import ConfigError, InkganError
from inkgan.exporters.html_page import export_page
from inkgan.generation.generator import Generator
from inkgan.generation.load import load
from inkgan.generation.sampling import latents_from_seeds
from inkgan.images import to_float
from inkgan.inversion.optimize import invert
from inkgan.io.run_dir import RunFolder
from inkgan.models.build import build_discriminator
from inkgan.models.conditioning import Discriminator
from inkgan.types import UInt8

COMPARED = 64  # images of the generator that a drawing is compared with


@lru_cache(maxsize=2)
def _generator(run: str, changed: int) -> Generator:
    return load(run, device="cpu")


@lru_cache(maxsize=2)
def _discriminator(run: str, changed: int) -> Discriminator:
    """Return the discriminator of a run's last checkpoint, in evaluation mode.

    Raises:
        ConfigError: the run keeps none, or its class is one of the user's own.
    """
    folder = RunFolder.open(Path(run))
    saved = folder.load_checkpoint("last")
    if saved is None:
        raise ConfigError("this run keeps no checkpoint, and so no discriminator")
    shape = _generator(run, changed).bundle.shape
    network = build_discriminator(folder.recipe.model, shape, folder.recipe.seed)
    prefix = "discriminator."
    tensors = {k.removeprefix(prefix): t for k, t in saved[0].items() if k.startswith(prefix)}
    network.load_state_dict(tensors)
    return network.eval()


def page(question: Mapping[str, Any]) -> dict[str, Any]:
    """Write the page on which a run's generator writes in the browser."""
    run, changed = question["run"], question["changed"]
    export_page(_generator(run, changed).bundle, Path(question["out"]), half=True)
    return {}


def describe(question: Mapping[str, Any]) -> dict[str, Any]:
    """Say what can be drawn: the size of an image, and the classes."""
    bundle = _generator(question["run"], question["changed"]).bundle
    classes = [*bundle.classes] if bundle.recipe.model.classes else []
    return {"shape": [*bundle.shape], "classes": classes}


def opinion(question: Mapping[str, Any]) -> dict[str, Any]:
    """Say what the discriminator believes of an image, and which ink it would like to be other.

    The gradient of the logit with respect to each pixel says whether more ink there would make the
    image look more real (above 0) or less.
    """
    run, changed, label = question["run"], question["changed"], int(question["label"])
    generator, network = _generator(run, changed), _discriminator(run, changed)
    image = to_float(_image(question["pixels"], generator))
    x, y = image.requires_grad_(), torch.tensor([label])
    logit = network.outputs(x, y).logits
    (gradient,) = torch.autograd.grad(logit.sum(), x)
    latents = latents_from_seeds(range(COMPARED), generator.latent_dim)
    labels = torch.full((COMPARED,), label)
    with torch.no_grad():
        own = network.outputs(generator.forward(latents, labels), labels).logits
    largest = float(gradient.abs().max())
    scaled = gradient[0, 0] / largest if largest > 0 else gradient[0, 0]
    return {
        "logit": float(logit[0].detach()),
        "rank": float((own < logit[0]).float().mean()),
        "own": float(own.mean()),
        "gradient": [round(value, 4) for value in scaled.flatten().tolist()],
    }


def imitate(question: Mapping[str, Any]) -> dict[str, Any]:
    """Find the nearest image that the generator draws."""
    generator, label = _generator(question["run"], question["changed"]), int(question["label"])
    image = _image(question["pixels"], generator)
    unknown = np.full((1, generator.latent_dim), np.nan)
    found = invert(generator, image[:, 0].numpy(), [label], unknown)
    return {"pixels": found.drawn[0].ravel().tolist(), "error": float(found.errors[0])}


ANSWERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "page": page,
    "describe": describe,
    "opinion": opinion,
    "imitate": imitate,
}


def _image(pixels: list[int], generator: Generator) -> torch.Tensor:
    """Return a drawing as uint8 (1, 1, H, W).

    Raises:
        ConfigError: it is not of the generator's size, or the generator draws in color.
    """
    channels, height, width = generator.bundle.shape
    if channels != 1 or len(pixels) != height * width:
        raise ConfigError(f"`pixels` must be {height} x {width} gray values of this generator")
    array: UInt8 = np.asarray(pixels, np.uint8).reshape(1, 1, height, width)
    return torch.from_numpy(array)


def main() -> None:
    """Answer questions from standard input until it ends."""
    with compute_settings(threads=default_threads()):
        for line in sys.stdin:
            question = json.loads(line)
            try:
                answer = ANSWERS[question["do"]](question)
            except InkganError as error:
                answer = {"refused": str(error)}
            except (RuntimeError, ValueError, KeyError, IndexError) as error:
                answer = {"refused": f"{type(error).__name__}: {error}"}
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
