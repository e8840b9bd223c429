"""What a measurement was made on: processor, libraries, memory, and a neighbour if wished for."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from inkgan.io.environment import describe_environment

PREFIXES = ("OMP_", "KMP_", "GOMP_", "MKL_", "DNNL_", "ONEDNN_", "MALLOC_", "LD_PRELOAD")

# It ends at its time, or when whoever started it is gone, so that none is ever left behind.
BUSY = """
import os, sys, time
parent, end = os.getppid(), time.monotonic() + float(sys.argv[1])
while time.monotonic() < end and os.getppid() == parent:
    for _ in range(100_000):
        pass
"""


def describe_machine(data_sha256: str) -> dict[str, Any]:
    """Return what is needed to judge whether two measurements can be compared."""
    environment = describe_environment(torch.device("cpu"), data_sha256)
    return environment | {
        "cores": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "variables": {k: v for k, v in sorted(os.environ.items()) if k.startswith(PREFIXES)},
    }


def peak_memory(process: int | None = None) -> float | None:
    """Return a process' peak of resident memory in MiB, None where it cannot be had.

    That is on Windows, and outside Linux for any process but this one.
    """
    status = Path("/proc", "self" if process is None else str(process), "status")
    if status.is_file():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    if sys.platform == "win32" or process is not None:
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


@contextmanager
def neighbors(count: int, limit: float) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run processes beside the block that would each keep a core busy, for `limit` seconds."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY, str(limit)]) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()
