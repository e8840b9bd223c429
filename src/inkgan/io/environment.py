"""What a run was made with: versions, machine, source revision, data."""

import datetime
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

from inkgan import __version__, files
from inkgan.device import default_threads, describe, set_threads
from inkgan.errors import ArtifactError


def settle_threads(held: Path, asked: int | None) -> str | None:
    """Use the threads that were asked for, those that the run began with, or all cores.

    Returns a warning where this run's bits can no longer equal those of an uninterrupted one.
    """
    began_with = files.read_json(held)["threads"] if held.exists() else None
    threads = default_threads() if began_with is None else int(began_with)
    threads = threads if asked is None else asked
    set_threads(threads)
    if began_with in (None, threads):
        return None
    return (
        f"the run was begun with {began_with} threads; with {threads} it goes on well, "
        "but not to the same bits"
    )


def settle_environment(held: Path, device: torch.device, data_sha256: str, data: str) -> None:
    """Record what a run is made with or, when it goes on, check that its data are the same.

    Raises:
        ArtifactError: the data have changed since the run began.
    """
    if not held.exists():
        files.write_json(held, describe_environment(device, data_sha256))
    elif files.read_json(held)["data_sha256"] != data_sha256:
        raise ArtifactError(
            f"{held.parent} was trained on other images than {data} now holds; bring the old data "
            "back or use another --out"
        )


def describe_environment(device: torch.device, data_sha256: str) -> dict[str, Any]:
    """Return what is needed to judge whether another run can repeat this one to the bit."""
    return {
        "inkgan": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "device": describe(device),
        "threads": torch.get_num_threads(),
        "git": _git_revision(),
        "data_sha256": data_sha256,
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _git_revision() -> str | None:
    """Return the revision of the source tree, with + if it was changed, where there is one."""
    source = Path(__file__)
    if _git(source.parent, "ls-files", "--error-unmatch", source.name) is None:
        return None  # installed somewhere inside another project's repository
    return _git(source.parent, "describe", "--always", "--dirty=+", "--abbrev=12")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
