"""The one place that chooses a device and a number of threads."""

import ctypes
import os
import re

import torch

from inkgan.errors import ConfigError

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of <malloc.h>
LARGEST_THRESHOLD = 32 << 20  # glibc takes no more


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name`: auto, cpu, cuda, cuda:N or mps.

    `auto` prefers CUDA, then Apple's MPS, then the CPU.

    Raises:
        ConfigError: the name is unknown or the device is not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", name):
        raise ConfigError(f"--device {name!r} is unknown; choose auto, cpu, cuda, cuda:N or mps")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise ConfigError(
            f"--device {name}: torch {torch.__version__} sees {count} CUDA devices here; "
            "use --device auto or --device cpu"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("--device mps: this torch sees no Apple GPU; use --device auto or cpu")
    return device


def default_threads() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_threads(count: int) -> None:
    """Use `count` threads inside each operation; sums, and so the last bits, depend on it."""
    torch.set_num_threads(count)


def keep_memory() -> None:
    """Ask the C library to keep freed memory for the next step, where it is glibc.

    By default it maps each large tensor anew and gives it back, and the kernel clears every page
    again: about a tenth of a small network's training step.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # another C library, or Windows
        return
    mallopt(M_MMAP_THRESHOLD, LARGEST_THRESHOLD)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def describe(device: torch.device) -> str:
    """Return the device's name as a person knows it."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"cpu ({torch.get_num_threads()} threads)" if device.type == "cpu" else str(device)
