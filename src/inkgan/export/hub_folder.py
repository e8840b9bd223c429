"""A generator as a repository of the Hugging Face hub: a folder, and its upload."""

from pathlib import Path

from inkgan import files
from inkgan.errors import ArtifactError, ConfigError
from inkgan.export.model_card import card
from inkgan.export.provenance import score_rows
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

    The first is a bundle like any other: `inkgan.load` reads it, the folder, and the repository.

    Args:
        bundle: what to write.
        out: the folder; it is made if it is missing.
        half: store weights as float16.
        name: user/name under which it will be found, for the card.
        force: replace these files where they are there already.

    Raises:
        ArtifactError: the folder holds other things, or cannot be written.
    """
    held = {path.name for path in out.iterdir()} if out.is_dir() else set()
    foreign = held - {FILE, CONFIG, CARD, SAMPLES}
    if out.exists() and not out.is_dir():
        raise ArtifactError(f"OUT {out} is a file; name a folder")
    if foreign or (held and not force):
        raise ArtifactError(
            f"OUT {out} holds {min(foreign or held)}; name another folder"
            + ("" if foreign else ", or replace what is there with --force")
        )
    bundle = bundle.rounded() if half else bundle
    grid, seeds = noise_grid(bundle.generator(), bundle.recipe.model)
    bundle.save(out / FILE, half=half)
    files.write_json(out / CONFIG, _config(bundle, half))
    save_png(out / SAMPLES, grid, {"seeds": seeds})
    files.write_text(out / CARD, card(bundle, name, SAMPLES))


def check_push(name: str) -> None:
    """Refuse a name that cannot be, or an upload without the library, before work starts.

    Raises:
        ConfigError: no user/name, or the extra `hub` is not installed.
    """
    if not is_hub_name(name):
        raise ConfigError(f"--push {name!r}: write it as user/name")
    import_extra("huggingface_hub", "hub", "--push")


def push_folder(folder: Path, name: str) -> str:
    """Upload a folder that `export_hub` has written, and return the repository's address.

    Raises:
        ConfigError: the extra `hub` is not installed.
        ArtifactError: the hub refuses it, or there is no connection.
    """
    hub = import_extra("huggingface_hub", "hub", "--push")
    try:
        api = hub.HfApi()
        address = str(api.create_repo(name, exist_ok=True))
        api.upload_folder(
            repo_id=name,
            folder_path=folder,
            commit_message="Upload by inkgan",
            allow_patterns=[FILE, CONFIG, CARD, SAMPLES],
        )
    except Exception as error:  # the hub's refusals and the connection's, in many libraries' words
        reason = str(error).strip().partition("\n")[0]
        raise ArtifactError(
            f"--push {name}: the Hugging Face hub refuses {folder}: {reason}; to log in, run: "
            "hf auth login"
        ) from error
    return address


def _config(bundle: Bundle, half: bool) -> dict[str, object]:
    """Repeat in plain JSON what the bundle says of itself, for those who read nothing else."""
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
        "scores": {title: [value, floor] for title, value, floor in score_rows(bundle)},
    }
