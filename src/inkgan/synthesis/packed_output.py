"""Where a packed data set appears: a folder that is moved into place, or an object store.

Several processes may make the same data set; each opens the output by itself.
"""

import json
import uuid
from pathlib import Path
from typing import Any, Protocol

from inkgan import files
from inkgan.documents import Count, Document, FileName, Sha256, ShortText, check_document
from inkgan.errors import ArtifactError
from inkgan.files import parse_json
from inkgan.storage import LocalStorage, ObjectStorage, Storage, is_url
from inkgan.synthesis.manifest import CARD, MANIFEST, START_OVER, check_manifest, check_plan
from inkgan.synthesis.output_folder import (
    PLAN,
    OutputFolder,
    Plan,
    refuse_other_plan,
    refuse_other_set,
)

ATTEMPT = "attempt"  # in the plan: changes when the data set is started over
WORK = ".unfinished"  # in an object store
RECORDS = "done"  # in the work folder: a record for each shard that is written


class PackedRecord(Document):
    """What is noted of a shard when its file is written.

    Attributes:
        files: that were written.
        images: in the shard.
        bytes: of its file.
        sha256: of its file.
        drawn: images that were drawn for it.
        rejected: images by the reason why they are not in it.
        digits: of each class, by split.
        correct: images of each class that the classifier reads as such.
        confidence: sums over the images of each class; None without a classifier.
    """

    files: list[FileName]
    images: Count
    bytes: Count
    sha256: Sha256
    drawn: Count
    rejected: dict[ShortText, Count]
    digits: dict[ShortText, list[Count]]
    correct: list[Count]
    confidence: list[float] | None


def parse_record(content: bytes, path: str) -> dict[str, Any]:
    """Parse what is noted of a shard.

    Raises:
        ArtifactError: it is damaged.
    """
    record: dict[str, Any] = _parsed(content, path)
    check_document(PackedRecord, record, path, START_OVER)
    return record


class PackedOutput(Protocol):
    """Where a data set appears.

    Attributes:
        place: a path or an address, for messages.
    """

    place: str

    def find_finished(self, plan: Plan, force: bool) -> Plan | None:
        """Return the manifest if this very data set is already there, else None.

        Raises:
            ArtifactError: the place has something else.
        """

    def find_published(self, plan: Plan) -> Plan | None:
        """Return the manifest if the data set of a plan that was started is complete, else None."""

    def start(self, plan: Plan, force: bool) -> Plan:
        """Start to make the data set, or join those who make it; return the plan of its start.

        Raises:
            ArtifactError: it was started with another plan.
        """

    def current(self) -> Plan | None:
        """Return the plan of the data set that is being made here; None where none is."""

    def work(self, plan: Plan) -> Storage:
        """Return where claims and records are kept until the data set is complete."""

    def output(self, plan: Plan) -> Storage:
        """Return where the data set's own files are written."""

    def shared_folder(self, plan: Plan) -> str:
        """Return the path or address that the machine of every job has to see."""

    def publish(self, plan: Plan, manifest: bytes, card: bytes) -> None:
        """Write card and manifest, the manifest last; the data set is complete then."""

    def check_space(self, needed: int) -> None:
        """Refuse a data set for which there is no room, where that can be known."""


def open_output(out: str | Path) -> PackedOutput:
    """Return the output for a folder or for an address such as s3://bucket/data."""
    return ObjectOutput(str(out)) if is_url(out) else FolderOutput(Path(out))


class FolderOutput:
    """A folder; until it is complete everything is in .NAME.unfinished beside it.

    Args:
        path: of the folder, which machines may share.
    """

    def __init__(self, path: Path) -> None:
        self._folder = OutputFolder(path)
        self.place = str(self._folder.path)

    def find_finished(self, plan: Plan, force: bool) -> Plan | None:
        """Return the manifest if this very data set is already there."""
        found = self._folder.find_finished(plan, force)
        if found is not None:
            self._check_sizes(found)
            self._folder.remove_leftovers(plan)
        return found

    def _check_sizes(self, manifest: Plan) -> None:
        """Refuse a data set of which a file is missing or cut; to read all would take minutes."""
        for row in manifest.get("shards", []):
            path = self._folder.path / row["file"]
            if not path.is_file() or path.stat().st_size != row["bytes"]:
                raise ArtifactError(
                    f"{path} is missing or damaged; replace the data set with `force=True`"
                )

    def find_published(self, plan: Plan) -> Plan | None:
        """Return the manifest if the data set of a plan that was started is complete."""
        if self._staging(plan).is_dir():  # what is in its place is an older one
            return None
        return self._folder.find_finished(plan, force=False)

    def start(self, plan: Plan, force: bool) -> Plan:
        """Start to make the data set, or join those who make it."""
        with self._folder.opened(plan | {ATTEMPT: uuid.uuid4().hex[:12]}, force, wait=True) as p:
            return p

    def current(self) -> Plan | None:
        """Return the plan of the data set that is being made here."""
        path = self._folder.work / PLAN
        try:
            plan: Plan = files.read_json(path)
        except ArtifactError:
            return None
        return plan

    def work(self, plan: Plan) -> Storage:
        """Return where claims and records are kept."""
        return LocalStorage(self._folder.work / plan[ATTEMPT])

    def output(self, plan: Plan) -> Storage:
        """Return where the files are written until the folder is moved into place."""
        return LocalStorage(self._staging(plan))

    def shared_folder(self, plan: Plan) -> str:
        """Return the folder of claims and records."""
        return str(self._folder.work / plan[ATTEMPT])

    def publish(self, plan: Plan, manifest: bytes, card: bytes) -> None:
        """Write card and manifest, and move the folder into place."""
        output = self.output(plan)
        output.write(CARD, card)
        output.write(MANIFEST, manifest)
        self._folder.staging = self._staging(plan)
        self._folder.publish()

    def check_space(self, needed: int) -> None:
        """Refuse a data set for which the disk has no room."""
        self._folder.check_disk_space(needed)

    def _staging(self, plan: Plan) -> Path:
        return Path(self._folder.work / plan[ATTEMPT] / "staged")


class ObjectOutput:
    """Objects below an address; the data set is complete when there is a manifest.json.

    Args:
        url: such as s3://bucket/data.
    """

    def __init__(self, url: str) -> None:
        self._storage = ObjectStorage(url)
        self.place = self._storage.url

    def find_finished(self, plan: Plan, force: bool) -> Plan | None:
        """Return the manifest if this very data set is already there."""
        content = self._storage.read(MANIFEST)
        if content is None:
            if self.current() is None and self._storage.names(""):
                raise ArtifactError(
                    f"{self.place} is not empty and no data set of inkgan; use another address"
                )
            return None
        path = f"{self.place}/{MANIFEST}"
        manifest = check_manifest(_parsed(content, path), path)
        if not force:
            refuse_other_set(self.place, manifest, plan)
            self._storage.remove(WORK)
        return None if force else manifest

    def find_published(self, plan: Plan) -> Plan | None:
        """Return the manifest if the data set of a plan that was started is complete."""
        return None if self._storage.read(MANIFEST) is None else self.find_finished(plan, False)

    def start(self, plan: Plan, force: bool) -> Plan:
        """Start to make the data set, or join those who make it."""
        if force:
            self._remove_all()
        mine = plan | {ATTEMPT: uuid.uuid4().hex[:12]}
        if self._storage.create(f"{WORK}/{PLAN}", _json(mine)):
            return mine
        started = self.current()
        if started is None:
            raise ArtifactError(f"{self.place} was removed by another process; try again")
        refuse_other_plan(self.place, started, plan)
        return started

    def _remove_all(self) -> None:
        """Remove the objects of the data set, complete or not, and no others."""
        names = []
        if (content := self._storage.read(MANIFEST)) is not None:
            names = check_manifest(_parsed(content, MANIFEST), self.place)["entries"]
        for record in self._storage.names(f"{WORK}/{RECORDS}"):
            made = self._storage.read(f"{WORK}/{RECORDS}/{record}")
            names += [] if made is None else parse_record(made, record)["files"]
        for name in (MANIFEST, *names, WORK):  # first: without a manifest the rest does not count
            self._storage.remove(name)

    def current(self) -> Plan | None:
        """Return the plan of the data set that is being made here."""
        path = f"{WORK}/{PLAN}"
        content = self._storage.read(path)
        return None if content is None else check_plan(_parsed(content, path), self.place)

    def work(self, plan: Plan) -> Storage:
        """Return where claims and records are kept."""
        return ObjectStorage(f"{self.place}/{WORK}")

    def output(self, plan: Plan) -> Storage:
        """Return where the files are written: at once where they belong."""
        return self._storage

    def shared_folder(self, plan: Plan) -> str:
        """Return the address of claims and records."""
        return f"{self.place}/{WORK}"

    def publish(self, plan: Plan, manifest: bytes, card: bytes) -> None:
        """Write card and manifest, then remove claims and records."""
        self._storage.write(CARD, card)
        self._storage.write(MANIFEST, manifest)
        self._storage.remove(WORK)

    def check_space(self, needed: int) -> None:
        """Accept every size."""


def is_same(one: Plan | None, other: Plan) -> bool:
    """Return whether the data set has not been started over, or finished, in between."""
    return one is not None and one.get(ATTEMPT) == other[ATTEMPT]


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _parsed(content: bytes, path: str) -> Any:
    try:
        return parse_json(content)
    except ValueError as error:
        raise ArtifactError(f"{path} is damaged: it is not JSON ({error})") from error
