"""The folder of a data set: made in a hidden one beside it, and moved there when it is whole."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inkgan import files
from inkgan.config.serialize import flatten
from inkgan.errors import ArtifactError
from inkgan.folder_lock import locked
from inkgan.plural import data_size
from inkgan.synthesis.manifest import MANIFEST, check_files, read_manifest, read_plan

PLAN = "plan.json"
# A data set continues with the number of threads that it was started with, since sums depend on
# it; so it is no difference between two plans.
NOT_COMPARED = {"threads", "attempt"}
Plan = dict[str, Any]


class OutputFolder:
    """Where a data set appears, and the folder beside it in which it is made.

    Attributes:
        path: the data set's folder; it holds a whole data set, or nothing.
        work: .NAME.unfinished beside it: the plan, the shards, the files being written.
        staging: inside `work`: the files of the data set until all of them are written.
    """

    def __init__(self, path: Path) -> None:
        files.require_no_dead_link(path)
        self.path = path.resolve()
        self.work = self.path.parent / f".{self.path.name}.unfinished"
        self.staging = self.work / "staged"

    def find_finished(self, plan: Plan, force: bool) -> Plan | None:
        """Return the manifest if this very data set is already there, else None.

        Args:
            plan: of the data set to make.
            force: another data set may be replaced; None is returned for this very one, too.

        Raises:
            ArtifactError: the path is a file, or holds another data set or other files, or a file
                of the data set is missing or damaged.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ArtifactError(f"{self.path} is a file; use the path of a folder")
        if self.path.is_dir() and os.path.ismount(self.path):
            raise ArtifactError(f"{self.path} is a mounted disk; use a folder inside it")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return None
        path = self.path / MANIFEST
        if not path.is_file():
            raise ArtifactError(
                f"{self.path} is not empty and no data set of inkgan; use another folder"
            )
        manifest = read_manifest(path)
        entries = {entry.name for entry in self.path.iterdir()}
        foreign = sorted(entries - set(manifest.get("entries", [])))
        if force and foreign:
            raise ArtifactError(
                f"{self.path} contains {foreign[0]!r}, which does not belong to its data set and "
                "which `force` would delete: move it elsewhere"
            )
        if force:
            return None
        refuse_other_set(str(self.path), manifest, plan)
        check_files(self.path, manifest, "replace it with `force=True`")
        return manifest

    def check_disk_space(self, needed: int) -> None:
        """Refuse a data set for which the disk has no room.

        Args:
            needed: bytes, an upper bound; what an interrupted attempt has written is subtracted.

        Raises:
            ArtifactError: states how much is needed and how much is free.
        """
        needed -= sum(p.stat().st_size for p in self.work.rglob("*") if p.is_file())
        existing = next(p for p in self.path.parents if p.is_dir())
        free = shutil.disk_usage(existing).free
        if needed > free:
            raise ArtifactError(
                f"cannot write {self.path}: it needs about {data_size(needed)}, and its disk has "
                f"{data_size(free)} free; make fewer images, or use a folder on another disk"
            )

    @contextlib.contextmanager
    def opened(self, plan: Plan, force: bool, wait: bool = False) -> Iterator[Plan]:
        """Start to make the data set, or continue; yield the plan that it was started with.

        Args:
            plan: of the data set.
            force: start over.
            wait: until no other process has the folder open.

        Raises:
            ArtifactError: another process makes it, or an unfinished one has another plan.
        """
        with locked(self.work, f"making {self.path} in", wait=wait):
            yield self._started(plan, force)

    def _started(self, plan: Plan, force: bool) -> Plan:
        path = self.work / PLAN
        if path.is_file() and not force:
            started = read_plan(path)
            refuse_other_plan(str(self.path), started, plan)
            return started
        path.unlink(missing_ok=True)  # first: without a plan, nothing beside it counts
        for entry in self.work.iterdir():
            if entry.name != ".lock":
                files.remove(entry)
        files.write_json(path, plan)
        return plan

    def empty_staging(self) -> Path:
        """Return an empty folder for the data set's files."""
        files.remove(self.staging)
        self.staging.mkdir()
        return self.staging

    def publish(self) -> None:
        """Move the finished files to their place, and remove the working folder."""
        if hasattr(os, "sync"):
            os.sync()  # one wait for the disk instead of thousands
        try:
            if self.path.is_dir():
                shutil.rmtree(self.path)
            self.staging.rename(self.path)
        except OSError as error:
            raise ArtifactError(f"cannot write {self.path}: {error.strerror or error}") from error
        (self.work / PLAN).unlink(missing_ok=True)  # first: it says that the rest counts
        shutil.rmtree(self.work, ignore_errors=True)

    def remove_leftovers(self, plan: Plan) -> None:
        """Remove what an interruption has left after this plan's data set was published."""
        path = self.work / PLAN
        if self.work.is_dir() and not path.is_file():  # of no use without a plan
            shutil.rmtree(self.work, ignore_errors=True)
        try:
            if not path.is_file() or _difference(read_plan(path), plan):
                return
        except ArtifactError:  # a damaged plan is of no finished data set
            return
        with self.opened(plan, force=False):
            shutil.rmtree(self.work, ignore_errors=True)


def refuse_other_set(place: str, manifest: Plan, plan: Plan) -> None:
    """Raise ArtifactError if a finished data set is not that of a plan."""
    # a set that is finished stays what it is, whichever random numbers would be drawn today
    wanted = {key: value for key, value in plan.items() if key != "random_numbers"}
    if difference := _difference(manifest, wanted):
        raise ArtifactError(
            f"{place} contains another data set ({difference}); use another folder, or "
            "replace it with `force=True`"
        )


def refuse_other_plan(place: str, started: Plan, plan: Plan) -> None:
    """Raise ArtifactError if an unfinished data set was started with another plan."""
    if difference := _difference(started, plan):
        raise ArtifactError(
            f"{place} was started with other values ({difference}); repeat the same "
            "call, use another folder, or start over with `force=True`"
        )


def _difference(existing: Plan, requested: Plan) -> str:
    """Return the first value of two plans that differs, as text, or nothing."""
    before = {"random_numbers": 1, "generator.precision": "float32"} | flatten(existing)
    for key, value in flatten(requested).items():
        if key not in NOT_COMPARED and before.get(key) != value:
            return f"{key} was {before.get(key)!r} and is now {value!r}"
    return ""
