"""Runs an ONNX model in a process of its own, which a damaged model may crash or keep forever."""

import os
import pickle  # between processes of this program only
import queue
import sys
import weakref
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inkgan.errors import ArtifactError, DataError
from inkgan.execution.worker_processes import ENDED, WorkerProcess
from inkgan.plural import counted
from inkgan.printable import one_line

Feed = dict[str, np.ndarray]
OPEN_SECONDS = 300  # to load a model
RUN_SECONDS = 1200  # for one batch: slower generators would need days for 10,000 images
LEAST_MEMORY = 4 << 30  # bytes of addresses that the process may use in any case
MOST_OUTPUT = 2 << 30  # bytes of the images of one batch


@dataclass(frozen=True)
class ModelInput:
    """An input of a model, as it describes itself.

    Attributes:
        name: of the input.
        type: such as tensor(float).
        shape: a number for each axis; a name, or None, where its length is open.
    """

    name: str
    type: str
    shape: tuple[int | str | None, ...]

    def __str__(self) -> str:
        return one_line(f"{self.name} {self.type} {list(self.shape)}")[:100]


@dataclass(frozen=True)
class ModelDescription:
    """What a model says of itself: its inputs, and the classes that `inkgan export` wrote."""

    inputs: tuple[ModelInput, ...]
    classes: str | None


@dataclass(frozen=True)
class Failure:
    """Why the model cannot be loaded or run, in the words of onnxruntime."""

    words: str


class OnnxProcess:
    """A model in a process of its own, which ends with this object.

    Args:
        path: of the model.
        threads: of each operation.

    Raises:
        ArtifactError: onnxruntime cannot load it, or ends or hangs while it does.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.path = path
        stack = ExitStack()
        self._worker = stack.enter_context(WorkerProcess({}))
        self._end = weakref.finalize(self, stack.close)
        self._replies: queue.SimpleQueue[tuple[WorkerProcess, object]] = queue.SimpleQueue()
        self._worker.start(pickle.dumps(_Model(str(path.resolve()), threads)), self._replies)
        reply = self._reply(None, OPEN_SECONDS)
        if isinstance(reply, Failure):
            raise ArtifactError(f"{path} cannot be read as an ONNX model: {reply.words}")
        assert isinstance(reply, ModelDescription)
        self.description = reply

    def run(self, feed: Feed) -> np.ndarray:
        """Return the first output.

        Raises:
            DataError: the model fails, or ends or hangs its process.
        """
        reply = self._reply(feed, RUN_SECONDS)
        if isinstance(reply, Failure):
            raise DataError(f"{self.path} failed to draw: {reply.words}")
        assert isinstance(reply, np.ndarray)
        return reply

    def _reply(self, task: Feed | None, seconds: int) -> object:
        self._worker.send(pickle.dumps(task))
        reply: object = Failure(f"it takes more than {counted(seconds, 'second')}")
        try:
            for _ in range(seconds):  # a second in which everything is stopped counts as one
                with suppress(queue.Empty):
                    reply = self._replies.get(timeout=1)[1]
                    break
        except BaseException:  # Ctrl-C
            self._end()
            raise
        if reply is ENDED:
            reply = Failure(f"its process ended with {self._worker.exit_status()}")
        elif isinstance(reply, BaseException):
            reply = Failure(_words(reply))
        if isinstance(reply, Failure):
            self._end()
        return reply


class _Model:
    """The model in its process: loaded for the first task, then run for each."""

    def __init__(self, path: str, threads: int) -> None:
        self.path, self.threads = path, threads
        self.session: Any = None

    def __call__(self, task: Feed | None) -> ModelDescription | np.ndarray | Failure:
        """Load it where `task` is None; else run it."""
        try:
            if task is None:
                return self._load()
            images = np.asarray(self.session.run(None, task)[0])
        except Exception as error:  # onnxruntime's own classes have no base of their own
            return Failure(_words(error))
        if images.dtype.kind not in "biuf" or images.nbytes > MOST_OUTPUT:
            return Failure(f"its first output is {images.dtype} {images.shape}")
        return images

    def _load(self) -> ModelDescription:
        _limit_resources()
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = self.threads
        settings.log_severity_level = 4  # what fails is an exception too
        self.session = onnxruntime.InferenceSession(
            self.path, sess_options=settings, providers=["CPUExecutionProvider"]
        )
        inputs = tuple(
            ModelInput(one.name, one.type, tuple(one.shape)) for one in self.session.get_inputs()
        )
        classes = self.session.get_modelmeta().custom_metadata_map.get("inkgan.classes")
        return ModelDescription(inputs, classes)


def _limit_resources() -> None:
    """Keep a crash silent, and a model that asks for any memory from exhausting the machine."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    if sys.platform == "linux":
        import resource

        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        limit = max(memory, LEAST_MEMORY)
        if most != resource.RLIM_INFINITY:
            limit = min(limit, most)
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _words(error: BaseException) -> str:
    return one_line(str(error).partition("\n")[0] or type(error).__name__)[:300]
