"""The folder of runs, and which names of runs are folders in it."""

import re
from pathlib import Path

from inkgan.errors import ConfigError
from inkgan.io.run_paths import RECIPE

NEW_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RunFolders:
    """Finds runs by name, and nothing outside its folder.

    Args:
        root: the folder that holds a folder for each run.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def paths(self) -> list[Path]:
        """List the run folders."""
        try:
            inside = sorted(self.root.iterdir())
        except OSError:
            return []
        return [path for path in inside if self._is_run(path)]

    def find(self, name: str) -> Path:
        """Return the folder of a run.

        Raises:
            KeyError: there is no such run here.
        """
        path = self.root / name
        if not name or name != path.name or "\0" in name or not self._is_run(path):
            raise KeyError(name)
        return path

    def _is_run(self, path: Path) -> bool:
        if path.name.startswith(".") or path.parent != self.root:
            return False
        try:
            if not (path / RECIPE).is_file():
                return False
            # a link to somewhere else is no run of this folder
            return not path.is_symlink() or path.resolve().parent == self.root
        except OSError:
            return False


def check_new_name(name: str) -> None:
    """Refuse a name that cannot be a new run's.

    Raises:
        ConfigError: it is not made of letters, digits, dot, - and _.
    """
    if not NEW_NAME.fullmatch(name) or name.endswith("."):
        raise ConfigError(
            f"`name` must be letters, digits, dot, - and _, at most 64, not {name[:80]!r}"
        )
