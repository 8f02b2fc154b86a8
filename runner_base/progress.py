"""How far a run is: stages, frames, speed, time left; and the place where a run is stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from engines.notice import LOGGER, followed
from errors import Cancelled
from log import LOG, bind, unbind

UNEXPECTED = 0.05
"""Seconds that a frame is taken to need where nothing was expected."""
TRUST = 4.0
"""Seconds of work after which the pace so far says as much as what was expected."""


@dataclass(frozen=True)
class Progress:
    """How far a run is at one moment."""

    stage: str
    done: float
    """Frames of this stage; a frame that takes two passes is done in halves."""
    total: int
    fps: float
    """Frames a second of this stage, 0 before the first."""
    fraction: float
    """Of the whole run, 0 .. 1."""
    seconds_left: float | None
    """Of the whole run: at first as estimated, then more and more by the pace so far."""


class Reporter:
    """Counts frames, tells who listens, and raises Cancelled when the user wants to stop.

    Args:
        on_progress: called after each frame.
        should_stop: asked after each frame.
        clock: seconds, monotonic; tests bring their own.
    """

    def __init__(
        self,
        on_progress: Callable[[Progress], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds: dict[str, float] = {}
        self.frames: dict[str, float] = {}
        self.notices: list[str] = []
        """What engines did other than they were asked to, each once."""
        self._formats: dict[str, str] = {}
        """The one format that a notice is about, of those that are about one."""
        self._on_progress = on_progress
        self._should_stop = should_stop
        self._clock = clock
        self._expected: dict[str, float] = {}
        self._stage = ""
        self._total = 0
        self._cost = 0.0
        self._started = clock()
        self._work_done = 0.0
        self._work_seconds = 0.0

    def expect(self, seconds: Mapping[str, float]) -> None:
        """Say how long each stage that is still to come will take."""
        self._expected = dict(seconds)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Collect the engines' notices and signs of life while the block runs."""
        ear = _Ear(self.notices)
        LOGGER.addHandler(ear)
        try:
            with followed(self.alive):
                yield
        finally:
            self._leave_stage()
            LOGGER.removeHandler(ear)

    def note(self, text: str, *, about: str = "") -> None:
        """Tell the user of something that went another way, once.

        Args:
            text: one line.
            about: the format whose file is not what was asked for; empty where it concerns all of them.
        """
        if text not in self.notices:
            self.notices.append(text)
            LOG.warning(text)
            if about:
                self._formats[text] = about

    def notices_of(self, name: str) -> list[str]:
        """Return the notices that concern the file of a format."""
        return [text for text in self.notices if self._formats.get(text, name) == name]

    def begin(self, stage: str, total: int) -> None:
        """Start a stage of `total` frames."""
        self._leave_stage()
        self._stage, self._total = stage, total
        bind(stage=str(stage))
        LOG.log(logging.INFO if total else logging.DEBUG, "stage begins", frames=total)
        expected = self._expected.pop(stage, 0.0)
        self._cost = expected / total if expected and total else UNEXPECTED
        self._started = self._clock()
        self.frames[stage] = 0.0
        self.seconds[stage] = 0.0
        self.check()

    def tick(self, frames: float = 1.0) -> None:
        """Count a frame, or a part of one.

        Raises:
            Cancelled: the user wants to stop.
        """
        self.frames[self._stage] += frames
        elapsed = self._clock() - self._started
        self._work_done += self._cost * frames
        self._work_seconds += elapsed - self.seconds[self._stage]
        self.seconds[self._stage] = elapsed
        if self._on_progress:
            self._on_progress(self._progress())
        self.check()

    def end(self) -> None:
        """Close the stage: what came after its last frame (flushing, renaming) belongs to it too."""
        self.seconds[self._stage] = self._clock() - self._started

    def check(self) -> None:
        """Raise Cancelled when the user wants to stop; time spent in asking (a pause) is not the stage's."""
        asked = self._clock()
        self.alive()
        self._started += self._clock() - asked

    def alive(self) -> None:
        """Raise Cancelled when the user wants to stop, without counting; from whatever thread reads for the run."""
        if self._should_stop and self._should_stop():
            raise Cancelled("stopped; what was done is kept, `run` goes on from there")

    def _leave_stage(self) -> None:
        """Say in the log what the stage took."""
        if self._stage and self._total:
            done, seconds = self.frames[self._stage], self.seconds[self._stage]
            LOG.info("stage ends", frames=done, of=self._total, seconds=round(seconds, 3))
        self._stage, self._total = "", 0
        unbind("stage")

    def _progress(self) -> Progress:
        done = self.frames[self._stage]
        seconds = self.seconds[self._stage]
        left = max(0, self._total - done) * self._cost + sum(self._expected.values())
        fraction = self._work_done / (self._work_done + left)
        pace = (self._work_seconds + TRUST) / (self._work_done + TRUST)
        return Progress(
            stage=self._stage,
            done=done,
            total=self._total,
            fps=done / seconds if seconds > 0 else 0.0,
            fraction=fraction,
            seconds_left=pace * left,
        )


class _Ear(logging.Handler):
    """Takes down what is logged, each line once."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line down."""
        if (text := record.getMessage()) not in self._heard:
            self._heard.append(text)
