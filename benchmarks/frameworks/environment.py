"""Makes the environments of other frameworks, with venv and pip, once."""

import subprocess
import sys
import venv
from pathlib import Path

from inkgan.errors import DataError

FOLDER = Path(__file__).parents[1] / "environments"
REQUIREMENTS = {"tensorflow": "tensorflow-cpu==2.21.*", "jax": "jax==0.10.*"}
LONGEST = 1800  # seconds of an installation


def python_of(framework: str) -> Path:
    """Return the interpreter of a framework's environment; make the environment if it is missing.

    Raises:
        DataError: pip could not install the framework.
    """
    folder = FOLDER / framework
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    ready = folder / "ready"
    wanted = REQUIREMENTS[framework]
    if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
        return python
    print(f"{framework}: installing {wanted} into {folder}", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True, clear=True)
    command = [str(python), "-m", "pip", "install", "--quiet", wanted]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=LONGEST)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        last = str(getattr(error, "stderr", "") or error).strip().splitlines()[-1]
        raise DataError(f"pip cannot install {wanted}: {last}") from error
    ready.write_text(wanted, encoding="utf-8")
    return python
