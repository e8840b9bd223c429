"""The one place that chooses a device and changes the settings of the process.

Nothing outside a block of `compute_settings` changes the number of threads, the allocator's
settings or the environment. Applications enter such a block, and a run for its own work.
Importing this module does not import torch: the OpenMP variables count only if they are set before.
"""

import ctypes
import functools
import gc
import os
import platform
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from inkgan.errors import ConfigError
from inkgan.openmp import adaptive_waiting
from inkgan.plural import counted

if TYPE_CHECKING:
    import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of <malloc.h>
LARGEST_THRESHOLD = 32 << 20  # glibc accepts no larger threshold for mmap
COLLECTED_AFTER = 20_000  # new objects; Python's default is 700, in later versions 2,000
MAX_THREADS = 1024  # beyond the cores of any machine; a hundred thousand exhaust the memory

ProcessorTicks = dict[int, tuple[int, int]]


def choose_device(name: str = "auto") -> "torch.device":
    """Return the device called `name`.

    Args:
        name: auto, cpu, cuda, cuda:N or mps. `auto` prefers CUDA, then Apple's MPS, then the CPU.

    Raises:
        ConfigError: the name is unknown or this machine has no such device.
    """
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if not re.fullmatch(r"cpu|mps|cuda(:(0|[1-9][0-9]*))?", name):
        raise ConfigError(f"`device` {name!r} is unknown; choose auto, cpu, cuda, cuda:N or mps")
    kind, _, number = name.partition(":")
    count = torch.cuda.device_count()
    # at most nine digits: torch and int() fail at more
    if kind == "cuda" and (len(number) > 9 or int(number or 0) >= count):
        raise ConfigError(
            f"`device` {name}: torch {torch.__version__} finds {count} CUDA devices here; "
            "use `device='auto'` or `device='cpu'`"
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ConfigError(
            "`device` mps: this torch finds no Apple GPU; use `device='auto'` or `device='cpu'`"
        )
    return torch.device(name)


@functools.cache
def is_intel() -> bool:
    """Tell whether the processor is Intel's."""
    return "GenuineIntel" in (_processor_facts().get("vendor_id") or platform.processor())


@functools.cache
def processor_name() -> str:
    """Return the processor's name as Linux knows it, or what Python knows elsewhere."""
    facts = _processor_facts()
    if "model name" not in facts:
        return platform.processor() or platform.machine()
    family, model = facts.get("cpu family", "?"), facts.get("model", "?")
    return f"{facts['model name']} (family {family}, model {model})"


def _processor_facts() -> dict[str, str]:
    """Return what Linux says of the first core; nothing elsewhere."""
    listing = Path("/proc/cpuinfo")
    facts: dict[str, str] = {}
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            facts.setdefault(key.strip(), value.strip())
    return facts


def default_threads() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), MAX_THREADS)
    return min(os.cpu_count() or 1, MAX_THREADS)


def threads_beside_others() -> int:
    """Choose a number of threads for long work: torch's, or fewer beside busy processes.

    All threads of an operation wait for the last one. A thread that shares its core with another
    process holds them up for some milliseconds each time, and two threads can be several times
    slower than one. Takes a third of a second, unless torch has one thread anyway.

    Returns:
        1 to `torch.get_num_threads()`.
    """
    import torch

    threads = torch.get_num_threads()
    return threads if threads == 1 else min(threads, max(1, round(free_cores())))


def free_cores(seconds: float = 0.3) -> float:
    """Measure how many of the cores that this process may use are idle while it sleeps.

    Args:
        seconds: of the measurement; Linux counts in hundredths.

    Returns:
        0 to `default_threads()`; all of them where the system does not tell, as only Linux does.
    """
    before = processor_ticks()
    time.sleep(seconds)
    idle = idle_cores(before, processor_ticks())
    return float(default_threads()) if idle is None else idle


def idle_cores(before: ProcessorTicks, after: ProcessorTicks) -> float | None:
    """Tell how many of the cores that this process may use were idle between two looks.

    Args:
        before: what `processor_ticks` returned first.
        after: what it returned later.

    Returns:
        0 to `default_threads()`; None where the system does not tell.
    """
    cores = _allowed_cores() & before.keys() & after.keys()
    shares = []
    for core in cores:
        idle, total = (b - a for a, b in zip(before[core], after[core], strict=True))
        shares.append(min(1.0, max(0.0, idle / total)) if total > 0 else 1.0)
    return sum(shares) if shares else None


def _allowed_cores() -> set[int]:
    return set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set()


def processor_ticks() -> ProcessorTicks:
    """Return each core's idle ticks and all its ticks since Linux started; none elsewhere."""
    ticks: ProcessorTicks = {}
    try:
        stat = Path("/proc/stat").read_text(encoding="ascii")
    except OSError:
        return ticks
    for line in stat.splitlines():
        name, *numbers = line.split()
        if name.startswith("cpu") and name != "cpu":
            # user, nice, system, idle, iowait, irq, softirq, steal; guests are among the first
            counts = [int(number) for number in numbers[:8]]
            ticks[int(name.removeprefix("cpu"))] = (counts[3] + counts[4], sum(counts))
    return ticks


@contextmanager
def compute_settings(
    threads: int | None = None,
    *,
    keep_memory: bool = False,
    adapt_waiting: bool = False,
    collect_rarely: bool = False,
    tf32: bool = False,
) -> Iterator[None]:
    """Change how the process computes inside the block, and restore it afterwards.

    Args:
        threads: inside each operation of torch; sums, and so the last bits of a result, depend on
            it. None leaves torch's setting.
        keep_memory: let glibc keep freed memory for the next training step. By default it maps
            each large tensor afresh and the kernel clears every page again, about a tenth of a
            small network's training step. Does nothing with another C library.
        adapt_waiting: let the waiting threads of OpenMP spin on a quiet machine and sleep on a busy
            one, as `openmp.adaptive_waiting` does; for a block that begins before torch is
            imported.
        collect_rarely: let Python look for unreachable cycles after 20,000 new objects, not 700.
            Importing torch makes so many objects that looking takes a tenth of the start.
        tf32: multiply float32 matrices on CUDA devices as torch convolves there, with inputs
            rounded to ten bits of mantissa.

    Afterwards the number of threads and the environment are as before, and the allocator has the
    highest thresholds that glibc reaches by itself, as after `adapt_allocator`; it has no way back.

    Examples:
        >>> with compute_settings(threads=2, keep_memory=True):
        ...     inkgan.train("dcgan", out="runs/a")
    """
    previous = None if threads is None else _set_threads(threads)
    thresholds = gc.get_threshold()
    if collect_rarely:
        gc.set_threshold(COLLECTED_AFTER, *thresholds[1:])
    if keep_memory:
        _set_allocator(mmap=LARGEST_THRESHOLD, trim=2**31 - 1)
    exact = not _set_tf32(True) if tf32 else False
    try:
        with adaptive_waiting() if adapt_waiting else nullcontext():
            yield
    finally:
        if exact:
            _set_tf32(False)
        if keep_memory:
            _set_allocator(mmap=LARGEST_THRESHOLD, trim=2 * LARGEST_THRESHOLD)
        if collect_rarely:
            gc.set_threshold(*thresholds)
        if previous is not None:
            _set_threads(previous)


def adapt_allocator() -> None:
    """Let glibc adapt to tensors of up to 32 MiB, which it does once such a block was freed.

    Until then it returns the memory of larger tensors to the system, and the kernel clears every
    page again for the next ones: a tenth of the time of drawing. At most 64 MiB more stay with the
    process. It takes microseconds; with another C library nothing changes.
    """
    import torch

    torch.empty(LARGEST_THRESHOLD - (64 << 10), dtype=torch.uint8)  # freed before it is touched


@contextmanager
def own_stream(name: str = "auto") -> Iterator[None]:
    """Give the work of this thread on a CUDA device a stream of its own inside the block.

    Streams of several threads are computed at the same time. At the end of the block all is done.

    Args:
        name: of the device, as for `choose_device`; nothing changes on other kinds.
    """
    import torch

    device = choose_device(name)
    if device.type != "cuda":
        yield
        return
    stream = torch.cuda.Stream(device)
    with torch.cuda.stream(stream):
        yield
    stream.synchronize()  # so that other threads may read what it has computed


def describe(device: "torch.device", threads: int | None = None) -> str:
    """Return the device's name for people, such as "cpu (2 threads)".

    Args:
        device: any of torch's.
        threads: of the CPU; None takes torch's present number.
    """
    import torch

    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device.type != "cpu":
        return str(device)
    return f"cpu ({counted(threads or torch.get_num_threads(), 'thread')})"


def check_threads(count: int | None) -> None:
    """Refuse an impossible number of threads; None is torch's own.

    Raises:
        ConfigError: names the range.
    """
    if count is not None and not 1 <= count <= MAX_THREADS:
        raise ConfigError(f"`threads` must be from 1 to {MAX_THREADS:,}, not {count}")


def _set_threads(count: int) -> int:
    """Set the number of torch's threads, and return the number before."""
    import torch

    check_threads(count)
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    return before


def _set_tf32(allowed: bool) -> bool:
    """Set whether products on CUDA devices may round to TF32, and return whether they might."""
    import torch

    products = torch.backends.cuda.matmul
    before, products.allow_tf32 = products.allow_tf32, allowed
    return bool(before)


def _set_allocator(mmap: int, trim: int) -> None:
    """Set the thresholds above which glibc returns memory to the system, in bytes."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # another C library, or Windows
        return
    mallopt(M_MMAP_THRESHOLD, mmap)
    mallopt(M_TRIM_THRESHOLD, trim)
