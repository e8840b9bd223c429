"""A studio in a process of its own, and pages of it in a browser."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
Page = Any  # playwright's
SLOW = 120_000  # milliseconds; a busy machine takes its time to start training


class Server:
    """A studio in a process of its own, which can be killed and started again."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.start()

    def start(self) -> None:
        words = ["studio", "--runs", str(self.runs), "--no-open", "--device", "cpu"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "inkgan", *words], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        self.base = self.url.partition("/?")[0]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()


def go(page: Page, server: Server, place: str) -> None:
    page.goto(f"{server.base}/#/{place}")
    page.wait_for_selector(f"[data-ready={place.partition('?')[0]}]", timeout=SLOW)


def until(page: Page, expression: str, argument: object = None) -> None:
    page.wait_for_function(expression, arg=argument, timeout=SLOW)
