"""Join the processes that torchrun, or another launcher of its kind, has started for one run.

Each process gets its place from the environment: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT,
and LOCAL_RANK and LOCAL_WORLD_SIZE for its place on its own machine. torch.distributed is imported
only where there are several processes.
"""

import contextlib
import functools
import hashlib
import itertools
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch

from inkgan import __version__
from inkgan import device as devices
from inkgan.config import Recipe
from inkgan.config.serialize import to_toml
from inkgan.errors import ConfigError
from inkgan.io.run_paths import RunPaths
from inkgan.training.distributed import ProcessGroupWorld, World

VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
# How long a process waits for the others; pauses and evaluations are made of shorter waits. A
# process that ends is noticed at once, and a machine that is lost by torchrun's heartbeat.
TIMEOUT = timedelta(hours=1)
CONNECTION_TIMEOUT = timedelta(seconds=5)
_joined = itertools.count()


def is_one_of_several() -> bool:
    """Return whether a launcher has started this process together with others."""
    return all(name in os.environ for name in VARIABLES) and _number("WORLD_SIZE") > 1


def number_of_processes() -> int:
    """Return how many processes have been started together, on all machines."""
    return _number("WORLD_SIZE") if is_one_of_several() else 1


def is_restarted_after_failure() -> bool:
    """Return whether torchrun starts these processes again if one of them fails."""
    return is_one_of_several() and _number("TORCHELASTIC_MAX_RESTARTS", default=0) > 0


def is_leader() -> bool:
    """Return whether this process writes and reports, as rank 0 of several does, or is alone."""
    return not is_one_of_several() or _number("RANK") == 0


def processes_on_this_machine() -> int:
    """Return how many processes of the run this machine has."""
    return _number("LOCAL_WORLD_SIZE", "WORLD_SIZE") if is_one_of_several() else 1


def device_of_process(name: str) -> torch.device:
    """Return the device of this process: a GPU of its own, or the CPU.

    Args:
        name: auto, cpu, cuda or cuda:N, as for `choose_device`.

    Raises:
        ConfigError: the processes of this machine cannot have a device of this kind each.
    """
    chosen = devices.choose_device(name)
    here = processes_on_this_machine()
    if chosen.type == "mps":
        raise ConfigError("several processes train on CPUs or CUDA GPUs: use `device='cpu'`")
    if chosen.type != "cuda" or (here == 1 and chosen.index is not None):
        return chosen
    if chosen.index is not None:
        raise ConfigError(
            f"`device` {name} is one GPU, and this machine has {here} processes of the run; use "
            "`device='cuda'`, which gives each its own"
        )
    count = torch.cuda.device_count()
    if count < here:
        raise ConfigError(
            f"{here} processes on this machine need as many GPUs, and torch finds {count}; start "
            "fewer, or use `device='cpu'`"
        )
    return torch.device("cuda", _number("LOCAL_RANK", "RANK"))


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """Connect to the other processes of the run inside the block.

    On CPUs the processes exchange tensors by gloo, on GPUs by NCCL, and decisions always by gloo.

    Args:
        device: of this process's tensors.

    Raises:
        ConfigError: another process cannot be reached.
    """
    import torch.distributed as dist

    if device.type == "cuda":
        torch.cuda.set_device(device)
    is_own = not dist.is_initialized()
    try:
        if is_own:
            store, rank, size = _meet()
            dist.init_process_group(
                "gloo", store=store, rank=rank, world_size=size, timeout=TIMEOUT
            )
        control = dist.new_group(backend="gloo", timeout=TIMEOUT)
        group = control
        if device.type == "cuda":
            group = dist.new_group(backend="nccl", timeout=TIMEOUT, device_id=device)
    except (RuntimeError, ValueError) as error:
        where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise ConfigError(
            f"cannot reach the other processes of the run at {where}: {error}"
        ) from error
    try:
        yield ProcessGroupWorld(dist.get_rank(), dist.get_world_size(), group, control)
    finally:
        if is_own:
            dist.destroy_process_group()


def default_threads_of_process() -> int:
    """Return an equal share of this machine's cores."""
    return max(1, devices.default_threads() // processes_on_this_machine())


def check_processes(
    world: ProcessGroupWorld, recipe: Recipe, data_sha256: str, device: torch.device, out: Path
) -> None:
    """Refuse processes that would not train the same model, or would lose it.

    Args:
        world: all processes.
        recipe: of this process.
        data_sha256: digest of its training images and labels.
        device: that it trains on.
        out: the run folder as it knows it.

    Raises:
        ConfigError: the processes differ; on each of them.
    """
    mine = {
        "recipe": hashlib.sha256(to_toml(recipe).encode()).hexdigest(),
        "training images": data_sha256,
        "version of inkgan": __version__,
        "version of torch": torch.__version__,
        "kind of device": device.type,
    }
    has_run = RunPaths(out).checkpoint_path("last").exists()
    others = world.share([mine, has_run, socket.gethostname()])
    first, first_has_run, first_host = others[0]
    for rank, (values, has_run_there, host) in enumerate(others):
        for name, value in values.items():
            if value != first[name]:
                raise ConfigError(
                    f"process {rank} on {host} has another {name} than process 0 on {first_host}"
                )
        if has_run_there and not first_has_run:
            raise ConfigError(
                f"`out` {out} has a run on {host}, but not on {first_host}, whose process is the "
                "first and writes it: use a folder that all machines share, or start the machine "
                "that has the run first"
            )


def _meet() -> tuple[Any, int, int]:
    """Return a new store of keys that all processes share, with this one's rank and their number.

    The store that torchrun provides still has the keys of processes that have failed and were
    started again; who reads their addresses waits for the dead. So process 0 opens a store of its
    own, and the others ask for its port until they find one that answers as announced.
    """
    import torch.distributed as dist

    new_store: Any = dist.TCPStore  # type: ignore[attr-defined]
    shared, rank, size = _shared_store(tuple(os.environ[name] for name in VARIABLES))
    key, host = f"inkgan/{next(_joined)}", os.environ["MASTER_ADDR"]
    if rank == 0:
        own = new_store(host, 0, is_master=True, timeout=TIMEOUT, wait_for_workers=False)
        token = secrets.token_hex(8)
        own.set("token", token)
        shared.set(key, f"{own.port} {token}")
        return own, rank, size
    deadline = time.monotonic() + TIMEOUT.total_seconds()
    while time.monotonic() < deadline:
        port, token = shared.get(key).decode().split()
        with contextlib.suppress(RuntimeError):  # nobody is there any more
            found = new_store(host, int(port), timeout=CONNECTION_TIMEOUT, wait_for_workers=False)
            if found.get("token").decode() == token:
                found.set_timeout(TIMEOUT)
                return found, rank, size
        time.sleep(0.1)
    raise ConfigError("process 0 does not answer")


@functools.cache
def _shared_store(place: tuple[str, ...]) -> tuple[Any, int, int]:
    """Return the store of the launcher, kept for the life of this process."""
    from torch.distributed.rendezvous import rendezvous

    store, rank, size = next(rendezvous("env://", timeout=TIMEOUT))
    return store, rank, size


def _number(*names: str, default: int | None = None) -> int:
    """Return the first of these variables of the environment that is set, as a whole number.

    Raises:
        ConfigError: it is no number.
    """
    name = next((name for name in names if name in os.environ), "")
    if not name and default is not None:
        return default
    try:
        return int(os.environ[name])
    except ValueError:
        raise ConfigError(f"{name}={os.environ[name]!r} in the environment is no number") from None
