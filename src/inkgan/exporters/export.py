"""inkgan.export: one function for every form in which a generator leaves inkgan."""

from pathlib import Path
from typing import Literal, get_args

from inkgan.errors import ArtifactError, ConfigError, did_you_mean
from inkgan.exporters.bundle_export import (
    ExportSource,
    Warn,
    load_scored_bundle,
    warn_user,
    with_license,
)
from inkgan.exporters.html_page import export_page
from inkgan.exporters.hub_folder import check_push, export_hub, push_folder
from inkgan.exporters.onnx import export_onnx
from inkgan.files import require_no_dead_link
from inkgan.generation.load import Checkpoint
from inkgan.types import GeneratorFactory, Progress, silent

Kind = Literal["onnx", "page", "hub", "bundle"]
ENDINGS = {"onnx": ".onnx", "page": ".html", "bundle": ".safetensors"}


def export(
    source: ExportSource,
    kind: Kind,
    out: str | Path,
    *,
    half: bool = False,
    license: str | None = None,
    push: str | None = None,
    checkpoint: Checkpoint = "last",
    force: bool = False,
    generator: GeneratorFactory | None = None,
    warn: Warn = warn_user,
    progress: Progress = silent,
) -> Path:
    """Export a trained generator.

    Args:
        source: a run folder, a bundle file, the name of a run or of a bundle that came with
            inkgan, or the run or generator itself.
        kind: onnx (for onnxruntime and others; needs the extra `onnx`), page (one HTML file that
            draws in any browser), hub (a folder for the Hugging Face hub) or bundle (one file for
            `inkgan.load`, with scores and a license).
        out: file that ends in .onnx, .html or .safetensors, or the folder for the hub.
        half: store weights as float16, half the size; they are used as float32.
        license: of the weights, for bundle and hub: an identifier such as mit or cc0-1.0; the
            bundle's own or mit if left out.
        push: for hub: upload the folder as user/name (needs the extra `hub`).
        checkpoint: of a run folder, its last generator or the best-scored one.
        force: replace existing files.
        generator: the class of a generator of the user's own.
        warn: called with a text about scores that are left out.
        progress: for page: called as `progress(what, done, total)`.

    Returns:
        The file or folder that was written.

    Raises:
        ConfigError: an impossible value, a generator that this kind cannot hold, or a missing
            extra.
        ArtifactError: the source cannot be read, or `out` exists or cannot be written.

    Examples:
        >>> inkgan.export("flagship", "onnx", "digits.onnx")
        >>> inkgan.export(run, "hub", "folder", license="cc0-1.0", push="user/digits")
    """
    out = Path(out)
    _refuse_unused(kind, license=license is not None, push=push is not None)
    if kind != "hub":
        _check_file(out, ENDINGS[kind], force)
    if push is not None:
        check_push(push)
    bundle = load_scored_bundle(source, checkpoint, warn, generator)
    if kind == "onnx":
        export_onnx(bundle, out, half=half)
    elif kind == "page":
        export_page(bundle, out, half=half, progress=progress)
    elif kind == "hub":
        export_hub(with_license(bundle, license), out, half=half, name=push, force=force)
        if push is not None:
            push_folder(out, push)
    else:
        bundle = with_license(bundle, license)
        (bundle.rounded() if half else bundle).save(out, half=half)
    return out


def _refuse_unused(kind: Kind, *, license: bool, push: bool) -> None:
    """Refuse an unknown kind, and parameters that it does not use."""
    if kind not in get_args(Kind):
        raise ConfigError(f"`kind` {kind!r} is unknown{did_you_mean(kind, get_args(Kind))}")
    unused = {
        "license": license and kind in ("onnx", "page"),
        "push": push and kind != "hub",
    }
    for name in (name for name, is_unused in unused.items() if is_unused):
        raise ConfigError(f"`{name}` has no meaning for `kind={kind!r}`; leave it out")


def _check_file(out: Path, ending: str, force: bool) -> None:
    if out.suffix.lower() != ending:
        raise ConfigError(f"`out` must end in {ending}, not {out.name}")
    require_no_dead_link(out)
    if out.is_dir() or (out.exists() and not force):
        raise ArtifactError(f"`out` {out} exists; choose another path, or use `force=True`")
