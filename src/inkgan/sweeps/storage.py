"""Where a sweep keeps its trials: a journal file, or PostgreSQL for many machines."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import (
    BaseStorage,
    JournalStorage,
    RDBStorage,
    RetryHeartbeatStaleTrialCallback,
)

from inkgan.errors import ArtifactError, ConfigError
from inkgan.printable import one_line
from inkgan.sweeps.journal import Journal

JOURNAL = "journal.log"
HEARTBEAT_SECONDS, GRACE_SECONDS = 10, 60
MAX_RETRIES = 3
ATTEMPTS = 3  # to connect, a second apart
SCHEMES = ("postgresql://", "postgres://", "postgresql+psycopg://")


def check_storage(storage: str | None) -> None:
    """Refuse a storage that loses trials, or that is unknown.

    Raises:
        ConfigError: says what to use.
    """
    if storage is None or storage.startswith(SCHEMES):
        return
    if storage.startswith("sqlite"):
        raise ConfigError(
            "`storage`: SQLite locks the whole file for each write, and trials of several workers "
            "fail or are lost: leave it out for a journal file, or name a PostgreSQL database"
        )
    scheme = storage.partition(":")[0]
    raise ConfigError(
        f"`storage` {scheme}: is unknown; leave it out for a journal file, or name a PostgreSQL "
        "database, postgresql://USER@HOST/DATABASE"
    )


@contextmanager
def opened_storage(storage: str | None, folder: Path) -> Iterator[BaseStorage]:
    """Open the journal of a folder, or a database; close it at the end.

    Args:
        storage: the address of a PostgreSQL database; None is the journal.
        folder: of the sweep.

    Raises:
        ArtifactError: it cannot be read or reached.
    """
    check_storage(storage)
    if storage is not None:
        database = _open_database(f"postgresql+psycopg://{storage.partition('://')[2]}")
        try:
            yield database
        finally:
            database.remove_session()
            database.engine.dispose()
        return
    yield _replayed(Journal(folder / JOURNAL))


def name_in(storage: BaseStorage, name: str) -> str:
    """Return the name of the sweep that a journal has, also after its folder was renamed."""
    if isinstance(storage, RDBStorage):
        return name
    return next((study.study_name for study in storage.get_all_studies()), name)


def _replayed(journal: Journal) -> JournalStorage:
    """Return the trials that the changes of a journal lead to."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        try:
            return JournalStorage(journal)
        except Exception as error:  # Optuna expects changes that it has written itself
            reason = one_line(f"{type(error).__name__}: {error}")[:200]
            raise ArtifactError(
                f"{journal.path} is damaged: it cannot be replayed ({reason})"
            ) from error


def _open_database(address: str) -> RDBStorage:
    """Connect, and make the tables; where another process makes them at this moment, try again."""
    for attempt in range(ATTEMPTS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            try:
                return RDBStorage(
                    address,
                    engine_kwargs={"pool_pre_ping": True},
                    heartbeat_interval=HEARTBEAT_SECONDS,
                    grace_period=GRACE_SECONDS,
                    heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(MAX_RETRIES),
                )
            except ImportError as error:
                raise ConfigError(
                    f"`storage` needs the extra: pip install 'inkgan[sweep]' ({error})"
                ) from error
            except Exception as error:  # of SQLAlchemy, of the driver, of the server
                reason = one_line(str(error).partition("\n")[0])
        if attempt + 1 < ATTEMPTS:
            time.sleep(1)
    raise ArtifactError(f"cannot use the database of `storage`: {reason}")


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from printing a line for each trial."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
