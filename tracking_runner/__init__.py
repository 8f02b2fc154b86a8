"""Run a tracking session: frames -> raw tracks -> result video and exports.

What is not stale is not made again. Tracks are committed when all of them are there: a run that was cut off tracks its
points again, from their keys, and gives the same as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import get_settings
from engines.registry import preferred
from engines.spec import Job
from errors import Cancelled, PromptError, SplazMatteError
from machine import share_heaps
from pipeline.decode import VideoReader
from pipeline.info import VideoInfo
from pipeline.probe import probe
from pipeline.read_ahead import SourceAhead
from queue_logic.job import Needs
from runner_base.facts import load_info, save_info
from runner_base.frames import extract
from runner_base.plan import Plan
from runner_base.progress import Progress, Reporter
from runner_base.terms import check_choices
from runner_base.watched import Watched
from session_base import EngineChoice, RunRecord
from tracking_runner import deliver_stage, track_stage
from tracking_runner.carry import carry_over
from tracking_runner.deliver_stage import DEFAULT_FORMATS, check_formats
from tracking_runner.plan import foresee, plan_of
from tracking_runner.residuals import residual
from tracking_runner.stages import STAGES, check_stage
from tracking_session_store import TrackingSession, TrackingSessionStore

__all__ = ["STAGES", "TrackingResult", "check_formats", "check_stage", "create_session", "foresee", "run_tracking"]


@dataclass(frozen=True)
class TrackingResult:
    """What a run did."""

    session: TrackingSession
    span: tuple[int, int]
    seconds: dict[str, float]
    """By stage; 0 where there was nothing to do."""
    stage_frames: dict[str, float]
    """Frames that were done in each stage."""
    outputs: dict[str, Path]
    """What was delivered, by format: files, or folders of several."""
    engine: str
    """The tracker; empty of a run that only extracted frames."""
    notices: list[str]
    """What went another way than it was asked to."""
    motions: list[dict[str, Any]]
    """Residuals of the motions that were solved in this run; see `tracking_runner.residuals`."""

    def summary(self) -> dict[str, Any]:
        """Return it as plain values: what --json prints and the queue keeps."""
        return {
            "session_id": self.session.state.id,
            "session_dir": str(self.session.folder),
            "frames": self.span[1] - self.span[0],
            "points": len(self.session.state.points),
            "seconds": self.seconds,
            "stage_frames": self.stage_frames,
            "outputs": {name: str(path) for name, path in self.outputs.items()},
            "engines": {"tracker": self.engine} if self.engine else {},
            "notices": list(self.notices),
            "motions": self.motions,
        }


def create_session(
    store: TrackingSessionStore, video: Path, *, original_name: str = "", move: bool = False
) -> TrackingSession:
    """Make a new session of `video`, after a look at whether it is one; its engine is the best that can run here.

    Raises:
        MediaError: it is not a video, or it cannot be decoded.
        StorageError: the disk is full, read-only or not writable.
    """
    info = probe(video)
    session = store.create(video, original_name=original_name, move=move)
    session.state.commercial = get_settings().commercial
    for job in (Job.TRACKER, Job.SEGMENTER):
        name, params = preferred(job)
        setattr(session.state, job.value, EngineChoice(name=name, params=params))
    session.state.formats = list(DEFAULT_FORMATS)
    session.save()
    save_info(session, info)
    return session


def run_tracking(
    session: TrackingSession,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    on_needs: Callable[[Needs], None] | None = None,
    until: str = deliver_stage.STAGE,
    check: bool = True,
) -> TrackingResult:
    """Do what is missing or stale in `session`, whatever state it is in.

    Args:
        session: the session; its state is saved as the run goes on.
        on_progress: called after each frame or chunk.
        should_stop: asked as often; True stops the run.
        on_needs: told what the run was estimated to need, before it begins.
        until: the last stage to run, of STAGES.
        check: refuse what clearly does not fit this machine.

    Raises:
        PromptError: no points, points outside the clip, or a range that is none.
        Cancelled: `should_stop` said so.
        ResourceError: it does not fit; the message says what would.
        SessionBusyError: another process works on it.
        SplazMatteError: whatever else went wrong; see errors.py.
    """
    share_heaps()
    reporter = Reporter(on_progress, should_stop)
    state = session.state
    with _recorded(session, reporter), reporter.listening():
        plan = plan_of(session, reporter, until)
        plan.begin(load_info(session), on_needs, refuse=check)
        try:
            span, motions = _run_stages(session, reporter, until, plan)
        finally:
            plan.learn()
    outputs = {n: session.results_dir / made.path for n, made in state.delivered.items() if n in state.formats}
    seconds = {stage: round(value, 3) for stage, value in reporter.seconds.items()}
    frames, engine = dict(reporter.frames), "" if until == STAGES[0] else state.tracker.name
    return TrackingResult(session, span, seconds, frames, outputs, engine, reporter.notices, motions)


def _run_stages(
    session: TrackingSession, reporter: Reporter, until: str, plan: Plan
) -> tuple[tuple[int, int], list[dict[str, Any]]]:
    """Run the stages up to `until`; return the range of frames that is asked for, and the residuals of motions."""
    info = extract(session, load_info(session), reporter)
    save_info(session, info)
    if until == STAGES[0]:  # asked for before there are points
        return session.state.range or (0, info.frames), []
    check_choices(session.state, [Job.TRACKER])
    carry_over(session)
    span = _checked(session, info)
    plan.refine(info)
    with VideoReader(session.source, info) as reader, SourceAhead(reader) as source:
        track_stage.track(session, Watched(source, reporter), span, reporter)
    solved = deliver_stage.deliver(session, info, span, reporter) if until == deliver_stage.STAGE else []
    return span, [residual(choice, motion) for choice, motion in solved]


def _checked(session: TrackingSession, info: VideoInfo) -> tuple[int, int]:
    """Return the range, after a look at whether the points are in it.

    Raises:
        PromptError: see `run_tracking`.
    """
    state = session.state
    span = state.range or (0, info.frames)
    if not 0 <= span[0] < span[1] <= info.frames:
        raise PromptError(f"range {span[0]}:{span[1]} is outside the clip, which has the frames 0:{info.frames}")
    if not state.points:
        raise PromptError("there is no point to track; give at least one, as in --points 0:640,360")
    for point in state.points:
        for frame, (x, y) in point.keys.items():
            if not 0 <= frame < info.frames:
                raise PromptError(f"'{point.name}' has a key on frame {frame}; the last is {info.frames - 1}")
            if not (-0.5 <= x <= info.width - 0.5 and -0.5 <= y <= info.height - 0.5):
                raise PromptError(
                    f"{x:g},{y:g} on frame {frame} is outside the picture, which is {info.width}x{info.height}"
                )
    return span


@contextmanager
def _recorded(session: TrackingSession, reporter: Reporter) -> Iterator[None]:
    """Hold the session's lock, and record in its state how the block ended."""
    with session.lock():
        record = RunRecord(status="running")
        session.state.last_run = record
        session.save()
        try:
            yield
            record.status = "done"
        except BaseException as error:
            record.status = "cancelled" if isinstance(error, Cancelled | KeyboardInterrupt) else "failed"
            record.error = str(error) if isinstance(error, SplazMatteError) else repr(error)
            raise
        finally:
            record.seconds, record.frames = dict(reporter.seconds), dict(reporter.frames)
            record.notices = list(reporter.notices)
            _save_quietly(session)


def _save_quietly(session: TrackingSession) -> None:
    """Save how the run ended; on a full disk the error that ended it matters more than this one."""
    try:
        session.save()
    except SplazMatteError:
        if session.state.last_run and session.state.last_run.status == "done":
            raise
