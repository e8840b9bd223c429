"""The loggers by name, and several of them as one."""

import contextlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from inkgan.errors import ArtifactError, ConfigError, did_you_mean
from inkgan.runs.loggers.mlflow_logger import MlflowLogger
from inkgan.runs.loggers.run_logger import LoggedRun, RunLogger
from inkgan.runs.loggers.tensorboard_logger import TensorBoardLogger
from inkgan.runs.loggers.wandb_logger import WandbLogger
from inkgan.types import UInt8

NONE = "none"


@dataclass(frozen=True)
class LoggerSpec:
    """A logger.

    Attributes:
        open: begins to record a run.
        modules: that it needs.
        extra: of this package that installs them.
    """

    open: Callable[[LoggedRun], RunLogger]
    modules: tuple[str, ...]
    extra: str

    def is_installed(self) -> bool:
        """Return whether all modules can be found."""
        return all(importlib.util.find_spec(name) is not None for name in self.modules)


LOGGERS: Mapping[str, LoggerSpec] = {
    "tensorboard": LoggerSpec(TensorBoardLogger, ("tensorboard",), "log"),
    "wandb": LoggerSpec(WandbLogger, ("wandb",), "wandb"),
    "mlflow": LoggerSpec(MlflowLogger, ("mlflow", "sqlalchemy", "alembic"), "mlflow"),
}


def choose_loggers(logger: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the loggers that are to be used.

    Args:
        logger: names, as a list or with commas between them; "none" for none. None means
            TensorBoard where it is installed.

    Raises:
        ConfigError: an unknown name, or a logger that is not installed.

    Example:
        >>> choose_loggers("tensorboard,wandb")
        ('tensorboard', 'wandb')
    """
    if logger is None:
        return ("tensorboard",) if LOGGERS["tensorboard"].is_installed() else ()
    parts = logger.split(",") if isinstance(logger, str) else logger
    names = tuple(dict.fromkeys(name.strip() for name in parts))
    if names == (NONE,):
        return ()
    for name in names:
        if name == NONE:
            raise ConfigError(f"`logger` {NONE!r} stands alone, without other names")
        if name not in LOGGERS:
            raise ConfigError(f"`logger` {name!r} is unknown{did_you_mean(name, [*LOGGERS, NONE])}")
        spec = LOGGERS[name]
        if not spec.is_installed():
            raise ConfigError(
                f"`logger={name!r}` needs the extra: pip install 'inkgan[{spec.extra}]'"
            )
    return names


class Loggers:
    """Several loggers as one; with none of them nothing is recorded.

    Args:
        names: from `choose_loggers`.
        run: that is recorded.
    """

    def __init__(self, names: Sequence[str], run: LoggedRun) -> None:
        self._open: dict[str, RunLogger] = {}
        self._folder = run.folder
        try:
            for name in names:
                with self._writing(name):
                    self._open[name] = LOGGERS[name].open(run)
        except BaseException:
            self.close(complete=False)
            raise

    def scalars(self, images: int, values: Mapping[str, float]) -> None:
        """Record numbers at a count of images seen."""
        for name, logger in self._open.items():
            with self._writing(name):
                logger.scalars(images, values)

    def picture(self, images: int, grid: UInt8) -> None:
        """Record a grid at a count of images seen."""
        for name, logger in self._open.items():
            with self._writing(name):
                logger.picture(images, grid)

    def close(self, complete: bool) -> None:
        """Close all loggers, once."""
        with contextlib.ExitStack() as stack:
            while self._open:
                name, logger = self._open.popitem()
                stack.enter_context(self._writing(name))
                stack.callback(logger.close, complete)

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        """Turn a full disk into one line that names the logger."""
        try:
            yield
        except OSError as error:
            raise ArtifactError(
                f"cannot write the records of {name} of {self._folder}: {error.strerror or error}"
            ) from error
