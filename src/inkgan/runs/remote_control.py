"""Pause, single steps and stop, as those who watch a run ask for them by a file."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from inkgan.io.live_folder import Control, LiveFolder

LOOK_INTERVAL = 0.1  # seconds between two looks at the file
HOLD_INTERVAL = 0.03  # the same while a run is paused
RECORD_INTERVAL = 5.0  # seconds between two notes of how far training is


class RemoteControl:
    """Does what the control file of a run says, after each update.

    Args:
        live: the files of the run.
        total_images: of the whole run.
    """

    def __init__(self, live: LiveFolder, total_images: int) -> None:
        self._live, self._total_images = live, total_images
        self._due = self._recorded_at = 0.0
        self._changed: int | None = None
        self._control = Control()
        self._steps_done = 0
        self._images = 0
        self._ended = False

    @contextmanager
    def recorded(self, images: int) -> Iterator[None]:
        """Record in the run's folder that this process trains it, and how it ends."""
        self._live.clear()
        self._images = images
        self._record("training")
        try:
            yield
        except Exception as error:
            self.end("failed", str(error))
            raise
        finally:  # also where the caller stops iterating
            if not self._ended:
                self.end("interrupted")

    def end(self, reason: str, message: str = "") -> None:
        """Record how the run has ended for now."""
        self._ended = True
        self._record("ended", reason=reason, message=message)

    def after_update(
        self,
        images: int,
        *,
        should_stop: Callable[[], bool],
        on_pause: Callable[[], None],
        draw: Callable[[], None],
        resume_clock: Callable[[], None],
    ) -> bool:
        """Wait while the run is paused; return whether the run is to end.

        Args:
            images: seen so far.
            should_stop: ends the waiting, as a signal does.
            on_pause: called when a pause begins.
            draw: called now and then during a pause.
            resume_clock: called when a pause ends, which is no training time.
        """
        self._images = images
        now = time.perf_counter()
        was_stepping = self._control.wish == "pause"
        if now < self._due and not was_stepping:
            return False
        self._due = now + LOOK_INTERVAL
        if now - self._recorded_at > RECORD_INTERVAL:
            self._record("training")
        self._look()
        if self._control.wish == "pause":
            if not was_stepping:
                self._steps_done = self._control.steps  # wanted before the pause: done long ago
                on_pause()
            self._hold(should_stop, draw)
            resume_clock()
        return self._control.wish == "stop"

    def _hold(self, should_stop: Callable[[], bool], draw: Callable[[], None]) -> None:
        """Wait until the file says something else, or wants a single step."""
        self._record("paused")
        drawn_at = 0.0
        while self._control.wish == "pause" and not should_stop():
            if self._control.steps > self._steps_done:
                self._steps_done += 1
                break
            if time.perf_counter() - drawn_at > 1.0:
                draw()
                drawn_at = time.perf_counter()
            time.sleep(HOLD_INTERVAL)
            self._look()
        if self._control.wish == "run":
            self._record("training")

    def _look(self) -> None:
        changed = None
        with suppress(OSError):
            changed = self._live.control_path.stat().st_mtime_ns
        if changed != self._changed:
            self._changed, self._control = changed, self._live.control()

    def _record(self, state: str, **more: object) -> None:
        self._recorded_at = time.perf_counter()
        self._live.write_process(
            {
                "pid": os.getpid(),
                "recorded": time.time(),
                "state": state,
                "images": self._images,
                "total_images": self._total_images,
                **more,
            }
        )
