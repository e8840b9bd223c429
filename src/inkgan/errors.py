"""Every error that inkgan raises on purpose, as one tree.

InkganError                 anything below; the command line prints it as one line
├── ConfigError             a recipe, a parameter or a value that is impossible
├── DataError               a data set that cannot be found, downloaded or read
│   ├── DataNotFoundError   neither on disk nor on any mirror
│   └── DataFormatError     a file whose bytes are not what its format says
├── ArtifactError           a run folder, checkpoint or bundle that cannot be read or written
├── ProcessLostError        another process of a run that several train has ended
└── TrainingStopped         the health monitor stopped an unhealthy run

Messages name parameters in backticks, as Python has them: "`epochs` must be at least 1, not -1",
and recipe fields by their dotted names: "use `optim.lr=1e-4`". The command line replaces them by
the flags of the running command.
"""

import difflib
from collections.abc import Iterable

from inkgan.printable import one_line


class InkganError(Exception):
    """Base of all errors that inkgan raises; the message says what is wrong and what to do.

    The message is one line, whatever names and values it quotes.
    """

    def __str__(self) -> str:
        return one_line(super().__str__())


class ConfigError(InkganError):
    """A recipe, parameter, name or value that is impossible."""


class DataError(InkganError):
    """A data set that cannot be found, downloaded or read."""


class DataNotFoundError(DataError):
    """A data set that is neither on disk nor reachable by network."""


class DataFormatError(DataError):
    """A file whose bytes are not what its format says; the message names the file."""


class ArtifactError(InkganError):
    """A run folder, checkpoint or bundle that cannot be read or written."""


class ProcessLostError(InkganError):
    """Another process of a run that several processes train has ended."""


class TrainingStopped(InkganError):
    """The health monitor stopped a run, because `on_trouble` is "stop"."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Name the nearest right spelling of `wrong`, or list everything `known`.

    Returns a clause to append to a message, for example "; did you mean 'dcgan'?".
    """
    choices = sorted(known)
    close = difflib.get_close_matches(wrong, choices, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; choose one of {', '.join(choices)}" if choices else ""
