"""A sweep of two processes on one PostgreSQL server: one is killed, the other does its trial.

INKGAN_TEST_POSTGRESQL names a database for it, such as postgresql://postgres@127.0.0.1:5433/postgres.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from inkgan.config.serialize import override, to_toml
from inkgan.errors import ArtifactError
from inkgan.sweeps.storage import opened_storage
from tests.fixtures.command_line import inkgan
from tests.fixtures.run_folders import RECIPE

SERVER = os.environ.get("INKGAN_TEST_POSTGRESQL", "")
NEEDS_SERVER = pytest.mark.skipif(
    not SERVER, reason="INKGAN_TEST_POSTGRESQL names no server; .ci/run starts one"
)
TRIALS = 4
WORKER = """
import sys
import inkgan.sweeps.driver, inkgan.sweeps.storage
from inkgan.cli.main import main

inkgan.sweeps.storage.HEARTBEAT_SECONDS, inkgan.sweeps.storage.GRACE_SECONDS = 1, 5
inkgan.sweeps.driver.LIFE_SECONDS = 1.0
main(sys.argv[1:])
"""


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 200
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@NEEDS_SERVER
@pytest.mark.timeout(500)
def test_the_trial_of_a_killed_process_is_done_by_another(tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(to_toml(override(RECIPE, ["schedule.images=25600"])))
    name = f"test-{uuid.uuid4().hex}"
    arguments = ["sweep", str(recipe), "--search", "optim.lr=log:1e-4..1e-2", "--workers", "1"]
    arguments += ["--trials", str(TRIALS), "--storage", SERVER, "--study", name, "--no-prune"]

    def start(folder: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments, "--json", "--out", str(tmp_path / folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    first, second = start("one"), start("two")
    try:
        wait_until(
            lambda: any((tmp_path / "one").glob("trial-*/checkpoints")) or bool(first.poll())
        )
        first.send_signal(signal.SIGKILL)
        first.communicate()
        output, errors = second.communicate(timeout=250)
    finally:
        first.kill()
        second.kill()
    assert second.returncode == 0, errors
    trials = json.loads(output)["trials"]
    states = [trial["state"] for trial in trials]
    assert states.count("complete") == TRIALS  # none is lost or doubled
    lost = [trial for trial in trials if trial["state"] == "failed"]
    again = [trial for trial in trials if trial["retry_of"] is not None]
    assert len(lost) == len(again) == 1
    assert len(trials) == TRIALS + 1
    assert again[0]["retry_of"] == lost[0]["number"]
    assert again[0]["values"] == lost[0]["values"]
    assert Path(lost[0]["path"]).parent.name == "one"
    assert Path(again[0]["path"]).parent.name == "two"
    folders = [trial["path"] for trial in trials]
    assert len(set(folders)) == len(folders)
    done = inkgan(*arguments, "--json", "--out", tmp_path / "two")  # nothing is left to do
    assert json.loads(done.stdout)["trials"] == trials


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    opening = opened_storage("postgresql://me:secret@127.0.0.1:1/none", tmp_path)
    with pytest.raises(ArtifactError, match="cannot use the database of `storage`") as caught:
        opening.__enter__()
    assert "secret" not in str(caught.value)
