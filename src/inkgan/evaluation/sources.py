"""What can be evaluated: a generator, a run, arrays, files of images, or real images themselves."""

from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from inkgan.config import Data
from inkgan.config.serialize import parse_recipe
from inkgan.data.dataset import load_dataset
from inkgan.data.registry import is_built_in
from inkgan.errors import ConfigError, DataError
from inkgan.evaluation.generator_sources import evaluates_alone, generator_source, outside_source
from inkgan.evaluation.image_sources import array_source, file_source, is_image_file
from inkgan.evaluation.onnx_generator import open_onnx
from inkgan.evaluation.outside_generators import LatentOptions, open_function
from inkgan.evaluation.reference import ReferenceImages, class_matched
from inkgan.evaluation.report_document import report_folder
from inkgan.evaluation.results import GeneratedImages, Protocol
from inkgan.evaluation.source_spec import DrawnImages, Source, SourceOptions
from inkgan.generation.generator import Generator
from inkgan.generation.hub_download import FILE as HUB_FILE
from inkgan.generation.load import find, load
from inkgan.generation.protocols import DIGITS
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.features.fitting_split import fitting_images
from inkgan.metrics.features.networks import SIDE
from inkgan.types import Progress

REAL = "data:"
PREFIXES = ("npz:", "folder:", "csv:", "idx:")  # as in `data.name`
ONNX = ".onnx"


def open_images(source: Any, options: SourceOptions | None = None) -> Source:
    """Find out what `source` is, and read what is quickly read.

    Raises:
        InkganError: there is nothing of that name, or it cannot be evaluated.
    """
    options = options or SourceOptions()
    if _is_array(source):
        return array_source(source, options)
    if options.labels is not None:
        raise ConfigError("`labels` belong to an array of images; leave them out")
    if isinstance(source, Generator):
        return generator_source(source.bundle.recipe.name, source, None, options.checkpoint)
    if callable(source):
        return outside_source(open_function(source, options.latents), options.stacked, None)
    generator_class = None
    if isinstance(source, RunFolder):
        source, generator_class = source.path, source.generator_class
    if not isinstance(source, str | Path):
        raise ConfigError(
            "`source` must be a name, a path, a run, a generator, a function that draws images, or "
            f"an array of images, not {type(source).__name__}"
        )
    return _open_named(str(source), options, generator_class)


def _open_named(
    text: str, options: SourceOptions, generator_class: type[nn.Module] | None
) -> Source:
    """Open what a name or a path stands for."""
    if text.lower().endswith(ONNX):
        path = Path(text).expanduser()
        outside = open_onnx(path, options.latents)
        return outside_source(outside, options.stacked, report_folder(path))
    if options.latents != LatentOptions():
        raise ConfigError(
            "`latent_dim` and `conditional` belong to a function, a torch module or an ONNX file; "
            f"{text} is none"
        )
    if text.startswith(REAL):
        return _real_source(text, options)
    prefix = next((prefix for prefix in PREFIXES if text.startswith(prefix)), "")
    path = Path(text.removeprefix(prefix)).expanduser()
    is_pictures = path.is_dir() and not (path / "recipe.toml").exists()
    is_bundle = is_pictures and (path / HUB_FILE).exists()
    if prefix or is_image_file(path) or (is_pictures and not is_bundle):
        if not path.exists():
            raise DataError(f"{path} does not exist")
        return file_source(path, options.stacked)
    generator = load(
        text, device=options.device, checkpoint=options.checkpoint, generator=generator_class
    )
    found = find(text)
    return generator_source(text, generator, report_folder(found), options.checkpoint)


def _is_array(source: Any) -> bool:
    """Return whether something holds images itself: an array, a tensor, a table, a list."""
    return isinstance(source, list | tuple) or hasattr(source, "__array__")


def _real_source(text: str, options: SourceOptions) -> Source:
    """Evaluate a data set's own training images, those that no extractor was fitted to."""
    name = text.removeprefix(REAL)
    dataset = load_dataset(whole_set(name), "train", options.data_dir, options.download)
    if dataset.shape != (1, SIDE, SIDE):
        raise ConfigError(f"{text}: an evaluation takes 28x28 gray images, not {dataset.shape}")
    named_digits = not is_built_in(name) and set(dataset.classes) <= set(DIGITS)
    own = not named_digits and evaluates_alone(name)
    unseen = ~fitting_images(dataset.images[:, 0].numpy())
    pixels, labels = dataset.images[:, 0].numpy()[unseen], dataset.labels.numpy()[unseen]

    def draw(protocol: Protocol, reference: ReferenceImages, progress: Progress) -> DrawnImages:
        count = min(protocol.images, len(labels))
        own = np.array(reference.places(dataset.classes))[labels]
        rows = class_matched(own, reference.test_labels, count, draw=0)
        return DrawnImages(GeneratedImages(pixels[rows], own[rows]))

    facts = {"images": f"{len(labels):,} real training images of {name}, unseen by the extractors"}
    folder = Path(f"{Path(name.rpartition(':')[2]).stem}-evaluation")
    reference = name if own else None
    return Source(
        text, dataset.digest(), draw, folder, facts, classes=dataset.classes, reference=reference
    )


def whole_set(name: str) -> Data:
    """Return the configuration of a data set without a validation split."""
    return parse_recipe({"data": {"name": name, "holdout": 0}}).data
