"""A run's estimate through its life: told before it begins, refined by exact facts, compared with what it took."""

from __future__ import annotations

from collections.abc import Callable

from matting_runner.estimate import Estimate, estimate_run, speeds_of
from matting_runner.estimate.proposals import check
from matting_runner.estimate.room import Room
from matting_runner.progress import Reporter, Stage
from matting_runner.speeds import Measured
from pipeline.info import VideoInfo
from queue_logic.job import Needs
from runner_base.facts import load_info
from session_store import MattingSession


def foresee(session: MattingSession, *, until: Stage = Stage.DELIVER, refuse: bool = True) -> Needs:
    """Return what a run of `session` will need, without running it.

    Raises:
        ResourceError: it clearly does not fit this machine, and `refuse` is set.
    """
    plan = Plan(session, Reporter(), until)
    plan.begin(load_info(session), None, refuse=refuse)
    return plan.needs


class Plan:
    """What a run expects of itself.

    Args:
        session: that is run, in the state in which it is.
        reporter: of the run.
        until: the run's last stage.
    """

    def __init__(self, session: MattingSession, reporter: Reporter, until: Stage) -> None:
        self._session = session
        self._reporter = reporter
        self._until = until
        self._speeds = speeds_of(session)
        self._frames: dict[Stage, int] = {}
        self._reference: dict[Stage, float] = {}
        self._keys: dict[Stage, str] = {}
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
            check(self._session, info, estimate, Room.here(self._session.folder), self._estimate)

    def refine(self, info: VideoInfo) -> None:
        """Take the exact facts, where they differ from what was known before."""
        if info.frames != self._length:
            self._expect(info)

    def learn(self) -> None:
        """Compare with what the run took: the next estimate knows better."""
        measured = {}
        for stage, seconds in self._reporter.seconds.items():
            known = Stage(stage)
            done, expected = self._reporter.frames[stage], self._frames.get(known, 0)
            if done and expected:
                reference = self._reference[known] * done / expected
                measured[self._keys[known]] = Measured(done, seconds, reference)
        self._speeds.learn(measured)

    def _estimate(self, session: MattingSession, info: VideoInfo) -> Estimate:
        return estimate_run(session, info, self._speeds, until=self._until)

    def _expect(self, info: VideoInfo) -> Estimate:
        estimate = self._estimate(self._session, info)
        self._length, self.needs = info.frames, estimate.needs
        self._reporter.expect({str(stage): value for stage, value in estimate.seconds.items()})
        for stage, entry in estimate.stages.items():
            if entry.frames:  # a stage that is over has nothing to do any more, but was measured
                self._frames[stage], self._reference[stage] = entry.frames, entry.reference
                self._keys[stage] = entry.speed_key
        return estimate
