"""Every error that inkgan raises on purpose, as one tree.

InkganError                 anything below; the command line prints it as one line, exit code 2
├── ConfigError             a recipe, a key or a value that cannot be
├── DataError               a data set that cannot be had or read
│   ├── DataNotFoundError   looked everywhere, downloaded from nowhere
│   └── DataFormatError     a file whose bytes are not what its format says
├── ArtifactError           a run folder, checkpoint or bundle that cannot be read or written
└── TrainingStopped         the health monitor was told to stop an unhealthy run
"""

import difflib
from collections.abc import Iterable


class InkganError(Exception):
    """Base of all errors that name what is wrong and the way out."""


class ConfigError(InkganError):
    """A recipe, key, name or value that cannot be."""


class DataError(InkganError):
    """A data set that cannot be had or read."""


class DataNotFoundError(DataError):
    """A data set that is neither on disk nor reachable by network."""


class DataFormatError(DataError):
    """A file whose bytes are not what its format says; the message names the file."""


class ArtifactError(InkganError):
    """A run folder, checkpoint or bundle that cannot be read or written."""


class TrainingStopped(InkganError):
    """The health monitor ended a run, as it was told to."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Name the nearest right spelling of `wrong`, or list everything `known`.

    Returns a clause to append to a message, for example "; did you mean 'dcgan'?".
    """
    choices = sorted(known)
    close = difflib.get_close_matches(wrong, choices, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; choose one of {', '.join(choices)}" if choices else ""
