"""The journal of a sweep: damaged bytes, and changes that were signed again."""

import json
from pathlib import Path
from random import Random
from typing import Any

from inkgan.runs.training_job import JobOptions
from inkgan.sweeps.journal import Journal, checksum_of
from inkgan.sweeps.plan import SweepPlan
from inkgan.sweeps.result import SweepResult
from inkgan.sweeps.search_space import parse_search
from inkgan.sweeps.storage import JOURNAL, name_in, opened_storage, quiet_optuna
from inkgan.sweeps.study import SweepStudy
from inkgan.sweeps.trial_record import TrialRecord
from tests.fixtures.run_folders import RECIPE
from tests.fuzz.harness import FileReader, Reader, register
from tests.fuzz.mutators import mutate_json

SEARCH = [
    "optim.lr=log:1e-4..1e-2",
    "objective.loss=hinge,non-saturating",
    "schedule.batch_size=8..64",
]
PLAN = SweepPlan(RECIPE, parse_search(SEARCH, RECIPE), JobOptions(), 0, True, 1500)
LIMIT = 4
MARK = "of the fuzz"  # in what a trial says: a message of a refusal may end with it


def read_sweep(folder: Path) -> list[TrialRecord]:
    """Open a sweep as the next command would, show it, and ask for a trial."""
    path = str(folder / JOURNAL)
    with quiet_optuna(), opened_storage(None, folder) as storage:
        study = SweepStudy(storage, name_in(storage, "sweep"), PLAN, "here", path)
        records = study.records()
        found = SweepResult(PLAN, folder, tuple(records), study.importances())
        json.dumps(found.to_dict(), allow_nan=False)
        assert found.to_html()
        assert study.interval is None or study.interval >= 1
        for number in study.continued(everything=True):
            PLAN.trial_recipe(study.values(number), 100)
        study.ask(LIMIT)
        study.ask(LIMIT)
        return records


def write_sweep(folder: Path) -> None:
    """Write a sweep with a trial of each kind."""
    with quiet_optuna(), opened_storage(None, folder) as storage:
        study = SweepStudy(storage, "sweep", PLAN, "here", JOURNAL)
        study.set_interval(100)
        for number in range(LIMIT):
            assert study.ask(LIMIT) == number
            study.place(number, folder / f"trial-000{number}")
            study.report(number, 1, 5.0 - number)
        study.complete(0, 4.5)
        study.prune(1, f"worse than the median {MARK}")
        study.refuse(2, f"layers do not fit {MARK}")


class SweepReader(Reader):
    """A sweep of four trials."""

    file = JOURNAL

    def prepare(self, folder: Path) -> None:
        """Write it."""
        write_sweep(folder)

    def read(self, folder: Path) -> list[TrialRecord]:
        """Read its trials."""
        return read_sweep(folder)


@register
class DamagedJournal(SweepReader, FileReader):
    """Damage is refused, or leads to the sweep as it was after one of its changes."""

    name = "sweep-journal"

    def prepare(self, folder: Path) -> None:
        """Write it, and remember the trials after each change."""
        super().prepare(folder)
        lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
        self.states = []
        earlier = folder / "earlier"
        earlier.mkdir()
        for count in range(len(lines) + 1):
            (earlier / JOURNAL).write_bytes(b"".join(lines[:count]))
            self.states.append(read_sweep(earlier))
        (earlier / JOURNAL).unlink()

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """It is one of these."""
        assert value in self.states


@register
class ForgedJournal(SweepReader):
    """Changes with strange values and the right checksums."""

    name, file = "forged-journal", ""  # of another sweep, the refusal names the sweep

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change, remove or repeat a change, and sign all again."""
        changes = list(Journal(folder / JOURNAL).read_logs(0))
        at = chance.randrange(len(changes))
        act = chance.choice(("value", "value", "value", "gone", "twice", "moved"))
        change = changes.pop(at)
        if act == "value":
            changes.insert(at, mutate_json(chance, change))
        elif act == "twice":
            changes[at:at] = [change, change]
        elif act == "moved":
            changes.insert(chance.randrange(len(changes) + 1), change)
        last, lines = "", b""
        for each in changes:
            text = json.dumps(each).encode()
            last = checksum_of(last, text)
            lines += last.encode() + b" " + text + b"\n"
        (folder / JOURNAL).write_bytes(lines)
        return f"{at}: {act}"

    def check(self, value: list[TrialRecord], intact: Any, warned: bool) -> None:
        """Every trial that has ended can be trained."""
        for record in value:
            if record.state in ("complete", "pruned"):
                assert 0 < record.values["optim.lr"] <= 1e-2
                assert isinstance(record.values["schedule.batch_size"], int)
            assert record.distance is None or abs(record.distance) < float("inf")
