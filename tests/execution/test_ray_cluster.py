"""Jobs on a Ray cluster of several nodes: a node is killed, and nothing is lost or doubled.

The nodes are real ones, each with processes of its own, on this machine.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from inkgan.config import Recipe
from inkgan.config.serialize import override
from inkgan.execution.job import Job
from inkgan.execution.ray_cluster import RayCluster
from inkgan.io.live_folder import LiveFolder
from inkgan.runs.seeds import train_seeds
from inkgan.synthesis.synth import synth
from tests.fixtures.run_folders import RECIPE, copy_small_run
from tests.fixtures.synthesis import tree

ray = pytest.importorskip("ray", reason="the extra ray is not installed")
pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="clusters of one machine are POSIX's"),
    pytest.mark.filterwarnings("ignore"),  # those of Ray's own modules
    pytest.mark.timeout(600),
]
STORE = 80_000_000  # bytes of shared memory; Ray's least is 75 MB
QUICK_TO_NOTICE = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 1000,
    "health_check_failure_threshold": 10,  # of a busy machine some are late
}


class Nodes:
    """A cluster of a head, which does no job, and workers of one core each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "object_store_memory": STORE,
                "include_dashboard": False,
                "_system_config": QUICK_TO_NOTICE,
            },
        )
        self.workers: list[Any] = []

    def add(self) -> Any:
        """Add a node with one core."""
        node = self.cluster.add_node(num_cpus=1, object_store_memory=STORE)
        self.workers.append(node)
        return node

    def kill(self, node: Any) -> None:
        """End all processes of a node at once, as when a machine loses its power."""
        self.workers.remove(node)
        self.cluster.worker_nodes.discard(node)
        own = [psutil.Process(each.process.pid) for each in all_of(node)]
        family = own + [child for each in own for child in each.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for each in all_of(node):
            each.process.wait(30)

    def node_of(self, process: int) -> Any:
        """Return the node that has started a process."""
        ancestors = {each.pid for each in psutil.Process(process).parents()}
        for node in self.workers:
            if ancestors & {each.process.pid for each in node.all_processes["raylet"]}:
                return node
        raise AssertionError(f"no node has the process {process}")


def all_of(node: Any) -> list[Any]:
    return [each for processes in node.all_processes.values() for each in processes]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("INKGAN_OFFLINE", "1")
        found = Nodes()
        try:
            for _ in range(4):  # each of the tests below kills one
                found.add()
            yield found
        finally:
            ray.shutdown()
            found.cluster.shutdown()  # type: ignore[no-untyped-call]


def attempts(out: Path, number: int) -> list[int]:
    path = out / f"attempts-{number}"
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 200
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_killed_node_loses_and_doubles_nothing(nodes: Nodes, tmp_path: Path) -> None:
    go = tmp_path / "go"
    jobs = [
        Job(
            f"job-{number}",
            "tests.fixtures.jobs:note",
            {"out": str(tmp_path), "number": number, "waits": str(go)},
        )
        for number in range(6)
    ]
    killed: list[int] = []

    def kill_the_node_of_job_1() -> None:
        wait_until(lambda: bool(attempts(tmp_path, 0) and attempts(tmp_path, 1)))
        nodes.kill(nodes.node_of(attempts(tmp_path, 1)[0]))
        killed.extend(attempts(tmp_path, 1))

    with ThreadPoolExecutor() as threads:
        killing = threads.submit(kill_the_node_of_job_1)
        killing.add_done_callback(lambda _: go.touch())
        outcomes = list(RayCluster(nodes.cluster.address).run(jobs, tmp_path))
        killing.result()
    assert sorted(o.value["square"] for o in outcomes) == [n * n for n in range(6)]  # none twice
    assert {outcome.value["threads"] for outcome in outcomes} == {"1"}
    assert len(killed) == 1
    assert [len(attempts(tmp_path, number)) for number in range(6)] == [1, 2, 1, 1, 1, 1]
    for number in range(6):
        assert (tmp_path / f"result-{number}").read_text() == f"{number * number}\n"
    assert not list(tmp_path.glob(".jobs-*"))


def test_seeds_on_a_cluster_have_the_bytes_of_local_ones(nodes: Nodes, tmp_path: Path) -> None:
    recipe: Recipe = override(RECIPE, ["schedule.images=32000", "schedule.sample_interval=8000"])
    local = train_seeds(recipe, (0, 1), out=tmp_path / "local", workers=1)
    far = tmp_path / "ray"

    def kill_a_node() -> None:
        wait_until((far / "seed-1" / "checkpoints").is_dir)
        nodes.kill(nodes.node_of(LiveFolder(far / "seed-1").process()["pid"]))

    with ThreadPoolExecutor() as threads:
        killing = threads.submit(kill_a_node)
        found = train_seeds(recipe, (0, 1), out=far, on="ray", address=nodes.cluster.address)
        killing.result()
    assert [run.reason for run in found.runs] == ["complete", "complete"]
    assert found.scores == local.scores
    for seed in (0, 1):
        for name in ("generator.safetensors", "recipe.toml", "grid.png"):
            one, other = (tmp_path / where / f"seed-{seed}" / name for where in ("local", "ray"))
            assert one.read_bytes() == other.read_bytes(), name


def test_shards_on_a_cluster_have_the_bytes_of_local_ones(nodes: Nodes, tmp_path: Path) -> None:
    request: dict[str, Any] = {
        "source": copy_small_run(tmp_path / "run"),
        "per_class": 6000,
        "format": "parquet",
        "shard_size": 20_000,
        "device": "cpu",
    }
    synth(tmp_path / "local", workers=1, **request)
    lost: list[str] = []

    def claims() -> list[Path]:
        found = tmp_path.glob(".far.unfinished/*/claims/shard-*")
        return [path for path in found if path.stat().st_size]

    def kill_a_node() -> None:
        wait_until(lambda: bool(claims()))
        path = claims()[0]
        nodes.kill(nodes.node_of(json.loads(path.read_text())["pid"]))
        if not (path.parent.parent / "done" / f"{path.stem}.json").exists():
            lost.append(path.stem)

    with ThreadPoolExecutor() as threads:
        killing = threads.submit(kill_a_node)
        synth(tmp_path / "far", on="ray", address=nodes.cluster.address, **request)
        killing.result()
    assert lost  # in the middle of a shard
    assert tree(tmp_path / "far") == tree(tmp_path / "local")


def test_an_error_on_a_node_is_an_outcome(nodes: Nodes, tmp_path: Path) -> None:
    arguments = {"out": str(tmp_path), "number": 1}
    jobs = [Job(name, f"tests.fixtures.jobs:{name}", arguments) for name in ("fail", "refuse")]
    found = {o.job.id: o.error for o in RayCluster(nodes.cluster.address).run(jobs, tmp_path)}
    assert str(found["fail"]) == "ValueError: 1 is impossible"
    assert type(found["refuse"]).__name__ == "TrainingStopped"
