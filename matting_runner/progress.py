"""How far a run is: stages, frames, speed, time left; and the place where a run is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from errors import Cancelled


class Stage(StrEnum):
    """The stages of a matting run, in order."""

    FRAMES = "frames"
    KEYFRAMES = "keyframes"
    PROPAGATE = "propagate"
    MATTE = "matte"
    DELIVER = "deliver"


COST = {Stage.FRAMES: 1.0, Stage.KEYFRAMES: 40.0, Stage.PROPAGATE: 15.0, Stage.MATTE: 6.0, Stage.DELIVER: 10.0}
"""What a frame of each stage costs against one of extraction, for the fraction done and a first guess at the time."""


@dataclass(frozen=True)
class Progress:
    """How far a run is at one moment."""

    stage: Stage
    done: float
    """Frames of this stage; a frame that takes two passes is done in halves."""
    total: int
    fps: float
    """Frames a second of this stage, 0 before the first."""
    fraction: float
    """Of the whole run, 0 .. 1."""
    seconds_left: float | None
    """Of the whole run; None while there is nothing to tell it from."""


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
        self._on_progress = on_progress
        self._should_stop = should_stop
        self._clock = clock
        self._todo: dict[Stage, int] = {}
        self._stage = Stage.FRAMES
        self._total = 0
        self._started = clock()
        self._work_done = 0.0
        self._work_seconds = 0.0

    def expect(self, frames: dict[Stage, int]) -> None:
        """Say how many frames each stage that is still to come will have."""
        self._todo = dict(frames)

    def begin(self, stage: Stage, total: int) -> None:
        """Start a stage of `total` frames."""
        self._stage, self._total = stage, total
        self._todo.pop(stage, None)
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
        self._work_done += COST[self._stage] * frames
        self._work_seconds += elapsed - self.seconds[self._stage]
        self.seconds[self._stage] = elapsed
        if self._on_progress:
            self._on_progress(self._progress())
        self.check()

    def end(self) -> None:
        """Close the stage: what came after its last frame (flushing, renaming) belongs to it too."""
        self.seconds[self._stage] = self._clock() - self._started

    def check(self) -> None:
        """Raise Cancelled when the user wants to stop."""
        if self._should_stop and self._should_stop():
            raise Cancelled("stopped; what was done is kept, `run` goes on from there")

    def _progress(self) -> Progress:
        done = self.frames[self._stage]
        seconds = self.seconds[self._stage]
        left = max(0, self._total - done) * COST[self._stage]
        left += sum(count * COST[stage] for stage, count in self._todo.items())
        fraction = self._work_done / (self._work_done + left)
        return Progress(
            stage=self._stage,
            done=done,
            total=self._total,
            fps=done / seconds if seconds > 0 else 0.0,
            fraction=fraction,
            seconds_left=self._work_seconds / self._work_done * left if self._work_seconds > 0 else None,
        )
