"""Do independent tasks in several processes, which do not outlive the one that started them.

Other than those of `multiprocessing`, these processes do not run the main script again, so that a
script needs no `if __name__ == "__main__":` to call a function that starts them. A process ends by
itself at the end of its input, which comes however its parent ends.
"""

import contextlib
import io
import os
import pickle  # between processes of this program only
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, BinaryIO, TypeVar, cast

from inkgan.device import compute_settings
from inkgan.errors import InkganError

DETACHED = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # on Windows
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ENDED = object()
"""The reply of a process that has ended; not one of its own."""

Task = TypeVar("Task")


def completed(
    work: Callable[[Task], object], tasks: Iterable[Task], processes: int
) -> Generator[Task, None, None]:
    """Do tasks in several processes, and yield each one when it is done.

    Args:
        work: does one task; its result is dropped. It can be pickled, as a function of a module or
            an object with `__call__`.
        tasks: in the order in which they begin; only those that are being done are in memory.
        processes: how many tasks are done at a time; 1 starts no process.

    Raises:
        InkganError: a process was ended from outside.
        Exception: what `work` raised. No process is left then, and none if the caller stops early.

    Example:
        >>> for shard in completed(compose_and_save, shards, processes=2):
        ...     print(shard.number)
    """
    if processes == 1:
        for task in tasks:
            work(task)
            yield task
        return
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(WorkerProcess()) for _ in range(processes)]
        replies: queue.SimpleQueue[tuple[WorkerProcess, object]] = queue.SimpleQueue()
        waiting = iter(tasks)
        busy: dict[WorkerProcess, Task] = {}
        packed = pickle.dumps(work)
        for worker, task in zip(workers, waiting, strict=False):
            worker.start(packed, replies)
            worker.send(pickle.dumps(task))
            busy[worker] = task
        while busy:
            worker, reply = replies.get()
            if isinstance(reply, BaseException):
                raise reply
            if reply is ENDED:
                raise InkganError(
                    f"a process that was at work ended with {worker.exit_status()}; is there "
                    "enough memory? Repeat the same call to continue, or use `workers=1`"
                )
            done = busy.pop(worker)
            for task in waiting:
                worker.send(pickle.dumps(task))
                busy[worker] = task
                break
            yield done


class WorkerProcess:
    """One process that does a task after another, or several at a time.

    Args:
        environment: variables that it has beside those of this process.
        at_once: how many tasks it does at a time, each in a thread; replies come as they are done.
    """

    def __init__(self, environment: Mapping[str, str] = ONE_THREAD, at_once: int = 1) -> None:
        path = [str(folder) for folder in sys.path]
        program = f"import sys; sys.path[:] = {path!r}; from {__name__} import serve; "
        program += f"serve({at_once})"
        # In a session of its own, it gets no Ctrl-C from the terminal: its parent ends it.
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment},
            start_new_session=True,
            creationflags=DETACHED,
        )
        self._reader: threading.Thread | None = None

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._reader is not None:
            self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):  # what could not be sent is of no use any more
                pipe.close()

    def start(
        self, work: bytes, replies: "queue.SimpleQueue[tuple[WorkerProcess, object]]"
    ) -> None:
        """Send what to do, and begin to put each reply into a queue."""
        self._reader = threading.Thread(target=self._read, args=(replies,), daemon=True)
        self._reader.start()
        self.send(work)

    def send(self, message: bytes) -> None:
        """Send something pickled; of a process that has ended, the queue says so."""
        pipe = cast(BinaryIO, self._process.stdin)
        with contextlib.suppress(OSError):
            pipe.write(message)
            pipe.flush()

    def exit_status(self) -> str:
        """Say how the process ended."""
        code = self._process.wait()
        if code >= 0:
            return f"exit code {code}"
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"

    def _read(self, replies: "queue.SimpleQueue[tuple[WorkerProcess, object]]") -> None:
        pipe = cast(BinaryIO, self._process.stdout)
        while True:
            try:
                reply = pickle.load(pipe)
            except (EOFError, OSError, pickle.UnpicklingError):
                replies.put((self, ENDED))
                return
            replies.put((self, reply))


def serve(at_once: int = 1) -> None:
    """Be such a process: read what to do, then tasks, and reply to each; end with the input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = sys.stdin.buffer
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints is no reply
    try:
        work = pickle.load(requests)
    except EOFError:  # the parent has ended already
        return
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests, tasks), daemon=True).start()
    one_reply = threading.Lock()

    def work_on() -> None:
        while True:
            reply = _reply(work, tasks.get())
            try:
                with one_reply:
                    replies.write(reply)
                    replies.flush()
            except OSError:
                os._exit(0)

    with compute_settings(keep_memory=True):
        for _ in range(at_once - 1):
            threading.Thread(target=work_on, daemon=True).start()
        work_on()


def _receive(requests: io.BufferedIOBase, tasks: "queue.SimpleQueue[Any]") -> None:
    """Pass tasks on; the end of the input is the end of the process, in the middle of a task."""
    while True:
        try:
            tasks.put(pickle.load(requests))
        except (EOFError, OSError, pickle.UnpicklingError):
            os._exit(0)


def _reply(work: Callable[[Any], object], task: object) -> bytes:
    """Do a task; return its result or what was raised, pickled."""
    try:
        return pickle.dumps(work(task))
    except Exception as error:
        return pickle.dumps(error)
