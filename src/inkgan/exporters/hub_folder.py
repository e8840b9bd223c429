"""Export a generator as a repository of the Hugging Face hub: a folder, and its upload."""

from pathlib import Path

from inkgan import files
from inkgan.errors import ArtifactError, ConfigError
from inkgan.exporters.model_card import model_card
from inkgan.exporters.provenance import score_rows
from inkgan.generation.hub_download import FILE, is_hub_name
from inkgan.generation.sampling import noise_grid
from inkgan.images import save_png
from inkgan.io.bundle import Bundle
from inkgan.optional_imports import import_extra

CONFIG, CARD, SAMPLES = "config.json", "README.md", "samples.png"


def export_hub(
    bundle: Bundle, out: Path, *, half: bool = False, name: str | None = None, force: bool = False
) -> None:
    """Write model.safetensors, config.json, a model card README.md and samples.png to a folder.

    The first is a bundle: `inkgan.load` reads the file, the folder, and the uploaded repository.

    Args:
        bundle: of the generator.
        out: the folder; it is made if it is missing.
        half: store weights as float16.
        name: user/name on the hub, for the card; None if the folder is not uploaded.
        force: replace these files if they exist.

    Raises:
        ArtifactError: the folder contains other files, or cannot be written.

    Examples:
        >>> export_hub(inkgan.load("flagship").bundle, Path("folder"), name="user/digits")
    """
    existing = {path.name for path in out.iterdir()} if out.is_dir() else set()
    foreign = existing - {FILE, CONFIG, CARD, SAMPLES}
    if out.exists() and not out.is_dir():
        raise ArtifactError(f"`out` {out} is a file; use the path of a folder")
    if foreign or (existing and not force):
        raise ArtifactError(
            f"`out` {out} contains {min(foreign or existing)}; use another folder"
            + ("" if foreign else ", or replace its files with `force=True`")
        )
    bundle = bundle.rounded() if half else bundle
    if existing:  # the files in it are replaced one by one
        _write(bundle, out, half, name)
        return
    with files.atomic_folder(out) as temporary:
        _write(bundle, temporary, half, name)


def _write(bundle: Bundle, folder: Path, half: bool, name: str | None) -> None:
    grid, seeds = noise_grid(bundle.generator(), bundle.recipe.model)
    bundle.save(folder / FILE, half=half)
    files.write_json(folder / CONFIG, _config(bundle, half))
    save_png(folder / SAMPLES, grid, {"seeds": seeds})
    files.write_text(folder / CARD, model_card(bundle, name, SAMPLES))


def check_push(name: str) -> None:
    """Refuse an impossible name, or an upload without the library, before work starts.

    Raises:
        ConfigError: `name` is not user/name, or the extra `hub` is not installed.
    """
    if not is_hub_name(name):
        raise ConfigError(f"`push` must be user/name, not {name!r}")
    import_extra("huggingface_hub", "hub", "`push`")


def push_folder(folder: Path, name: str) -> str:
    """Upload a folder written by `export_hub`, and return the address of the repository.

    Raises:
        ConfigError: the extra `hub` is not installed.
        ArtifactError: the hub refuses it, or there is no connection.
    """
    hub = import_extra("huggingface_hub", "hub", "`push`")
    try:
        api = hub.HfApi()
        address = str(api.create_repo(name, exist_ok=True))
        api.upload_folder(
            repo_id=name,
            folder_path=folder,
            commit_message="Upload by inkgan",
            allow_patterns=[FILE, CONFIG, CARD, SAMPLES],
        )
    except Exception as error:  # of the hub, the connection or the disk, from many libraries
        reason = str(error).strip().partition("\n")[0]
        raise ArtifactError(
            f"the Hugging Face hub refused to upload {folder} as {name}: {reason}; to log in, run: "
            "hf auth login"
        ) from error
    return address


def _config(bundle: Bundle, half: bool) -> dict[str, object]:
    """Return the bundle's metadata as plain JSON, for programs that read nothing else."""
    document = bundle.document()
    del document["kind"]
    return {
        "model_type": "inkgan",
        "library_name": "inkgan",
        "torch_dtype": "float16" if half else "float32",
        "latent_dim": bundle.recipe.model.latent_dim,
        "conditional": bundle.recipe.model.classes > 0,
        "digest": bundle.digest,
        **document,
        "scores": {title: [value, baseline] for title, value, baseline in score_rows(bundle)},
    }
