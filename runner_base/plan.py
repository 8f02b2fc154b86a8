"""A run's estimate through its life: told before it begins, refined by exact facts, compared with what it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.info import VideoInfo
from queue_logic.job import Needs
from runner_base.progress import Reporter
from runner_base.speeds import Measured, Speeds
from session_base import StoredSession


@dataclass(frozen=True)
class StageEstimate:
    """What one stage will take."""

    frames: int
    """To do, 0 if there is nothing."""
    seconds: float
    memory_bytes: int
    """Peak of the whole process while it runs."""
    disk_bytes: int
    """That it adds and leaves."""
    reference: float
    """Seconds on the reference machine."""
    speed_key: str
    """Under which `Speeds` learns how this machine compares."""


@dataclass(frozen=True)
class Estimate:
    """What a run will take."""

    stages: dict[str, StageEstimate]
    needs: Needs

    @property
    def seconds(self) -> dict[str, float]:
        """Return the seconds of each stage."""
        return {stage: entry.seconds for stage, entry in self.stages.items()}

    @property
    def hungriest(self) -> str:
        """Return the stage that takes the most memory."""
        return max(self.stages, key=lambda stage: self.stages[stage].memory_bytes)


def speeds_of(session: StoredSession[Any]) -> Speeds:
    """Return this machine's speeds as the session's workspace knows them."""
    return Speeds(session.folder.parents[1])


class Plan:
    """What a run expects of itself.

    Args:
        reporter: of the run.
        speeds: of this machine.
        estimate: what the run will take, by the facts of its source.
        check: refuses what does not fit.
    """

    def __init__(
        self,
        reporter: Reporter,
        speeds: Speeds,
        estimate: Callable[[VideoInfo], Estimate],
        check: Callable[[VideoInfo, Estimate], None],
    ) -> None:
        self._reporter = reporter
        self._speeds = speeds
        self._estimate = estimate
        self._check = check
        self._known: dict[str, StageEstimate] = {}
        self._length = 0
        self.needs = Needs(memory_bytes=0, disk_bytes=0, seconds=0)
        """What was estimated last."""

    def begin(self, info: VideoInfo, on_needs: Callable[[Needs], None] | None, *, refuse: bool) -> None:
        """Estimate, tell what is needed, and refuse what does not fit.

        Raises:
            ResourceError: it clearly does not fit, and `refuse` is set.
        """
        estimate = self._expect(info)
        if on_needs is not None:
            on_needs(estimate.needs)
        if refuse:
            self._check(info, estimate)

    def refine(self, info: VideoInfo) -> None:
        """Take the exact facts, where they differ from what was known before."""
        if info.frames != self._length:
            self._expect(info)

    def learn(self) -> None:
        """Compare with what the run took: the next estimate knows better."""
        measured = {}
        for stage, seconds in self._reporter.seconds.items():
            done, known = self._reporter.frames[stage], self._known.get(stage)
            if done and known is not None:
                measured[known.speed_key] = Measured(done, seconds, known.reference * done / known.frames)
        self._speeds.learn(measured)

    def _expect(self, info: VideoInfo) -> Estimate:
        estimate = self._estimate(info)
        self._length, self.needs = info.frames, estimate.needs
        self._reporter.expect(estimate.seconds)
        for stage, entry in estimate.stages.items():
            if entry.frames:  # a stage that is over has nothing to do any more, but was measured
                self._known[stage] = entry
        return estimate
