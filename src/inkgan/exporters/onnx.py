"""Export a generator to ONNX, checked against torch before the file appears."""

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from inkgan.errors import ArtifactError
from inkgan.files import atomic
from inkgan.generation.sampling import latents_from_seeds
from inkgan.io.bundle import Bundle
from inkgan.optional_imports import import_extra

# Of an image's values, which lie in [-1, 1], against torch: of a model in float32, and of one with
# weights in float16, where it is two levels of 255.
TOLERANCE, HALF_TOLERANCE = 1e-4, 2 / 127.5
BATCH_SIZES = (1, 3, 64)  # that are checked


def export_onnx(bundle: Bundle, out: Path, *, half: bool = False) -> float:
    """Write a generator as an ONNX model, after onnxruntime has drawn the same images as torch.

    The inputs are `latent`, float32 (n, latent_dim) from N(0, 1), and for a conditional generator
    `label`, int64 (n,) from 0. The output is `image`, float32 (n, C, H, W) in [-1, 1], where -1 is
    the background; (image + 1) * 127.5, rounded, are the levels of uint8. The model's metadata
    hold its name, classes, styles, license, digest and the type of its weights. Generators of the
    user's own are exported too, if torch can trace them.

    Args:
        bundle: of the generator.
        out: an .onnx file.
        half: store matrices and kernels as float16, half the size. The model casts them to float32
            when it is loaded: inputs, output and computation remain float32.

    Returns:
        The largest difference from torch, over batches of 1, 3 and 64 images.

    Raises:
        ConfigError: the extra `onnx` is not installed.
        ArtifactError: torch cannot trace the network, a weight is too large for float16, the model
            differs from torch by more than 1e-4 (0.016 with `half`), or the file cannot be written.

    Examples:
        >>> export_onnx(inkgan.load("flagship").bundle, Path("digits.onnx"))
    """
    for module in ("onnx", "onnxscript", "onnxruntime"):
        import_extra(module, "onnx", "the export to ONNX")
    network = BoundedGenerator(bundle.generator()).eval()
    example = _inputs(bundle, 2)  # torch would treat a batch of one as a constant
    with _quiet():
        try:
            program = torch.onnx.export(
                network,
                tuple(example.values()),
                input_names=list(example),
                output_names=["image"],
                dynamic_shapes={name: {0: "n"} for name in example},
                dynamo=True,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise ArtifactError(
                f"torch cannot export the generator of {bundle.recipe.name} to ONNX: {error}"
            ) from error
    assert program is not None  # as it is without dynamo
    program.model.metadata_props.update(describe(bundle, half=half))
    tolerance = HALF_TOLERANCE if half else TOLERANCE
    with atomic(out) as temporary:
        program.save(temporary)
        if half:
            _store_as_float16(temporary)
        difference = _difference(temporary, network, bundle)
        if not difference <= tolerance:  # not a number is refused too
            raise ArtifactError(
                f"the ONNX model of {bundle.recipe.name} differs from torch by {difference:.2g}, "
                f"more than {tolerance:.2g}; {out} was not written"
                + ("; use `half=False`" if half else "")
            )
    return difference


def _store_as_float16(path: Path) -> None:
    """Replace the float32 weights of a model by float16, each with a cast back to float32.

    Norms and biases (vectors) stay float32, as in bundles. The casts have the names that the
    weights had, so no other node changes; runtimes compute them once, while they load the model.
    """
    onnx = import_extra("onnx", "onnx", "the export to ONNX")
    model = onnx.load(path)
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        name = tensor.name
        with np.errstate(over="ignore"):  # refused in the next line
            numbers = onnx.numpy_helper.to_array(tensor).astype(np.float16)
        if not np.isfinite(numbers).all():
            raise ArtifactError(f"{name} has numbers beyond float16; use `half=False`")
        tensor.CopyFrom(onnx.numpy_helper.from_array(numbers, f"{name}.float16"))
        casts.append(
            onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)


class BoundedGenerator(nn.Module):
    """A generator with the names of the ONNX inputs, whose images are clamped to [-1, 1]."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, latent: torch.Tensor, label: torch.Tensor | None = None) -> torch.Tensor:
        """Return images in [-1, 1]; networks that do not end in tanh may leave it."""
        images: torch.Tensor = self.generator(latent, label)
        return images.clamp(-1.0, 1.0)


def describe(bundle: Bundle, *, half: bool = False) -> dict[str, str]:
    """Return the metadata of the model; lists are JSON."""
    return {
        "inkgan.name": bundle.recipe.name,
        "inkgan.version": bundle.version,
        "inkgan.digest": bundle.digest,
        "inkgan.classes": json.dumps(bundle.classes if bundle.recipe.model.classes else []),
        "inkgan.styles": json.dumps(bundle.recipe.model.style_measures),
        "inkgan.license": bundle.license,
        "inkgan.weights": "float16" if half else "float32",
    }


def _inputs(bundle: Bundle, count: int) -> dict[str, torch.Tensor]:
    model = bundle.recipe.model
    inputs = {"latent": latents_from_seeds(range(count), model.latent_dim)}
    if model.classes:
        inputs["label"] = torch.arange(count) % model.classes
    return inputs


@torch.no_grad()
def _difference(path: Path, network: nn.Module, bundle: Bundle) -> float:
    runtime = import_extra("onnxruntime", "onnx", "the export to ONNX")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    gaps = []
    for count in BATCH_SIZES:
        inputs = _inputs(bundle, count)
        (drawn,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
        gaps.append((torch.from_numpy(drawn) - network(**inputs)).abs().max())
    return float(torch.stack(gaps).max())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the log and the deprecation warnings of torch's exporter."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.filterwarnings("ignore", "# The axis name: n will not be used")  # it is used
            yield
    finally:
        logger.setLevel(level)
