"""The folder of a data set: made in a hidden one beside it, and moved there when it is whole."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inkgan import files
from inkgan.errors import ArtifactError, ConfigError
from inkgan.synthesis.manifest import HEAD, KIND

PLAN = "plan.json"
STAGED = "staged"
# A request goes on with the threads that it began with: sums depend on their number.
UNCOMPARED = {"threads"}
Plan = dict[str, Any]


class Target:
    """Where a data set appears, and the folder beside it in which it is made.

    Attributes:
        out: the data set's folder; it holds a whole data set, or nothing.
        work: .NAME.unfinished beside it: the plan, the shards, the files being written.
    """

    def __init__(self, out: Path) -> None:
        self.out = out.resolve()
        self.work = self.out.parent / f".{self.out.name}.unfinished"
        self.staged = self.work / STAGED

    def check(self, plan: Plan, force: bool) -> Plan | None:
        """Refuse a target that holds something else.

        Returns:
            The manifest where this very data set is there already, else None.

        Raises:
            ArtifactError: a file, another data set, or anything that is no data set.
        """
        if self.out.exists() and not self.out.is_dir():
            raise ArtifactError(f"{self.out} is a file; name a folder")
        if self.out.is_dir() and os.path.ismount(self.out):
            raise ArtifactError(f"{self.out} is a mounted disk; name a folder inside it")
        if not self.out.is_dir() or not any(self.out.iterdir()):
            return None
        held = files.read_json(self.out / HEAD) if (self.out / HEAD).is_file() else {}
        if not isinstance(held, dict) or held.get("kind") != KIND:
            raise ArtifactError(
                f"{self.out} is not empty and no data set of inkgan synth; name another folder"
            )
        foreign = sorted({p.name for p in self.out.iterdir()} - set(held.get("entries", [])))
        if force and foreign:
            raise ArtifactError(
                f"{self.out} holds {foreign[0]!r}, which is not of its data set; --force would "
                "delete it: move it elsewhere"
            )
        if not force and (changed := _difference(held, plan)):
            raise ArtifactError(
                f"{self.out} holds another data set ({changed}); name another folder, or replace "
                "it with --force"
            )
        return None if force else held

    def check_room(self, needed: int) -> None:
        """Refuse a data set for which the disk has no room.

        Raises:
            ConfigError: says how much is needed and how much there is.
        """
        needed -= sum(p.stat().st_size for p in self.work.rglob("*") if p.is_file())
        there = next(p for p in self.out.parents if p.is_dir())
        free = shutil.disk_usage(there).free
        if needed > free:
            raise ConfigError(
                f"the data set needs about {_gigabytes(needed)}, and {there} has "
                f"{_gigabytes(free)} free; ask for fewer images, or name a folder on another disk"
            )

    @contextlib.contextmanager
    def opened(self, plan: Plan, force: bool) -> Iterator[Plan]:
        """Begin to make the data set, or go on; the plan yielded is the one it began with.

        Raises:
            ArtifactError: another process makes it, or an unfinished one has another plan.
        """
        with files.locked(self.work, f"making {self.out} in"):
            yield self._begun(plan, force)

    def _begun(self, plan: Plan, force: bool) -> Plan:
        path = self.work / PLAN
        if path.is_file() and not force:
            held: Plan = files.read_json(path)
            if changed := _difference(held, plan):
                raise ArtifactError(
                    f"{self.out} is being made by another command ({changed}); repeat that one, "
                    "name another folder, or start over with --force"
                )
            return held
        path.unlink(missing_ok=True)  # first: without a plan, nothing beside it counts
        for entry in self.work.iterdir():
            if entry.name != ".lock":
                _remove(entry)
        files.write_json(path, plan)
        return plan

    def fresh_staging(self) -> Path:
        """Return an empty folder for the data set's files."""
        _remove(self.staged)
        self.staged.mkdir()
        return self.staged

    def publish(self) -> None:
        """Move the finished files to where they belong, and forget the folder of their making."""
        if hasattr(os, "sync"):
            os.sync()  # thousands of small pictures, one wait for the disk
        try:
            if self.out.is_dir():
                shutil.rmtree(self.out)
            self.staged.rename(self.out)
        except OSError as error:
            raise ArtifactError(f"cannot write {self.out}: {error.strerror or error}") from error
        shutil.rmtree(self.work, ignore_errors=True)

    def tidy(self, plan: Plan) -> None:
        """Remove what a kill has left after this plan's data set was published."""
        path = self.work / PLAN
        if path.is_file() and not _difference(files.read_json(path), plan):
            with self.opened(plan, force=False):
                shutil.rmtree(self.work, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _difference(held: Plan, asked: Plan) -> str:
    """Name the first value of two plans that differs, or nothing."""
    one, other = _flat(held), _flat(asked)
    for key, value in other.items():
        if one.get(key) != value:
            return f"{key} is {one.get(key)!r} there, and {value!r} is asked for"
    return ""


def _flat(plan: Plan, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in plan.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        elif key not in UNCOMPARED:
            flat[prefix + key] = value
    return flat


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"
