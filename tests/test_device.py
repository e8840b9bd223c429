"""Settings of the process: changed inside the block only, and never by importing inkgan."""

import gc
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from inkgan import device
from inkgan.device import compute_settings
from inkgan.errors import ConfigError


def test_settings_are_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    before, thresholds = torch.get_num_threads(), gc.get_threshold()
    products = torch.backends.cuda.matmul
    assert not products.allow_tf32  # torch's default

    @compute_settings(
        before + 1, keep_memory=True, adapt_waiting=True, collect_rarely=True, tf32=True
    )
    def fail() -> None:
        assert products.allow_tf32
        assert torch.get_num_threads() == before + 1
        assert gc.get_threshold() == (20_000, *thresholds[1:])
        assert os.environ["GOMP_SPINCOUNT"] == "100000"
        raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert torch.get_num_threads() == before
    assert gc.get_threshold() == thresholds
    assert not products.allow_tf32
    assert "GOMP_SPINCOUNT" not in os.environ


def test_nothing_is_changed_without_a_wish() -> None:
    before = torch.get_num_threads(), dict(os.environ)
    with compute_settings():
        assert (torch.get_num_threads(), dict(os.environ)) == before


def test_the_processor_is_named_as_linux_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {"vendor_id": "GenuineIntel", "model name": "Abacus", "cpu family": "6", "model": "1"}
    monkeypatch.setattr(device, "_processor_facts", lambda: facts)
    assert device.processor_name.__wrapped__() == "Abacus (family 6, model 1)"
    assert device.is_intel.__wrapped__()
    monkeypatch.setattr(device, "_processor_facts", dict)  # another system
    assert device.processor_name.__wrapped__() == (platform.processor() or platform.machine())


def test_no_threads_are_refused() -> None:
    with (
        pytest.raises(ConfigError, match="`threads` must be from 1 to 1,024, not 0"),
        compute_settings(0),
    ):
        pass


def test_importing_changes_no_setting() -> None:
    code = (
        "import os; before = dict(os.environ)\n"
        "import inkgan, inkgan.device, sys; assert dict(os.environ) == before\n"
        "assert 'torch' not in sys.modules\n"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY",)}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=environment)


FAULTS = """
import resource
import sys

import torch

from inkgan.device import adapt_allocator, compute_settings

def faults():
    "Fill and free 24 MiB, as a network's larger layers do, and count the pages that are new."
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        tensors = [torch.ones(2**21) for _ in range(3)]
        del tensors
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
without = faults()
if sys.argv[1] == "adapt":
    adapt_allocator()
else:
    with compute_settings(keep_memory=True):
        faults()
faults()
print(without, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc's allocator")
@pytest.mark.parametrize("how", ["adapt", "keep"])
def test_freed_memory_is_kept_afterwards(how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True
    )
    without, with_it = map(int, done.stdout.split())
    assert without > 10 * 1024  # of ten times 6,144
    assert with_it < without / 100


def test_free_cores_are_the_idle_shares_of_those_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [
        {0: (100, 1000), 1: (500, 1000), 2: (0, 1000), 3: (7, 7)},
        {0: (130, 1030), 1: (503, 1030), 2: (30, 1030), 3: (7, 7)},
    ]
    monkeypatch.setattr(device, "processor_ticks", iter(looks).__next__)
    monkeypatch.setattr(device, "_allowed_cores", lambda: {0, 1, 3, 9})
    assert device.free_cores(0) == pytest.approx(1 + 0.1 + 1)  # a core without ticks is asleep
    monkeypatch.setattr(device, "processor_ticks", dict)  # another system
    assert device.free_cores(0) == device.default_threads()


def test_ticks_that_cannot_be_read_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    assert device.processor_ticks() == {}
    assert device.free_cores(0) == device.default_threads()


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="only Linux tells")
def test_ticks_are_those_that_psutil_reads() -> None:
    ticks, hertz = device.processor_ticks(), os.sysconf("SC_CLK_TCK")
    others = psutil.cpu_times(percpu=True)
    assert len(ticks) == len(others)
    for core, times in enumerate(others):
        idle, total = ticks[core]
        assert idle / hertz == pytest.approx(times.idle + times.iowait, abs=2)
        assert total / hertz == pytest.approx(sum(times[:8]), abs=2)


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="only Linux tells")
def test_busy_processes_leave_no_core() -> None:
    cores, endless = device.default_threads(), "while True: pass"
    processes = [subprocess.Popen([sys.executable, "-c", endless]) for _ in range(cores)]
    try:
        time.sleep(0.3)  # until they run
        assert device.free_cores() < 0.5 * cores
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    ("free", "threads"), [(2.0, 2), (1.6, 2), (1.4, 1), (1.0, 1), (0.1, 1), (7.9, 2)]
)
def test_threads_leave_busy_cores_alone(
    monkeypatch: pytest.MonkeyPatch, free: float, threads: int
) -> None:
    monkeypatch.setattr(device, "free_cores", lambda: free)
    with compute_settings(2):
        assert device.threads_beside_others() == threads
    with compute_settings(1):
        assert device.threads_beside_others() == 1
