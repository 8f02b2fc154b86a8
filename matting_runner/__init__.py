"""Run a matting session: frames -> keyframes -> masks -> alpha -> deliverables, in chunks that can be gone on from.

Whatever a run is cut off by, the next one goes on from the last committed chunk and gives the same masks and alpha,
byte for byte, as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config import get_settings
from engines.registry import preferred
from engines.spec import Job
from errors import Cancelled, PromptError, SessionError, SplazMatteError
from machine import share_heaps
from matting_runner.contact import write_contact_sheet
from matting_runner.deliver_stage import check_formats, deliver
from matting_runner.estimate.plan import foresee, plan_of
from matting_runner.frames_stage import frames_needed
from matting_runner.marks import alpha_marks, makes_masks
from matting_runner.mask_stages import propagate, read_keyframes, segment, set_keyframe
from matting_runner.matte_stage import matte
from matting_runner.progress import Progress, Reporter, Stage
from matting_runner.prompts import add_mask, check_prompts, guess_prompts
from matting_runner.result import RunResult, result_of
from pipeline.decode import VideoReader
from pipeline.frames import FrameFolder
from pipeline.probe import probe
from pipeline.read_ahead import SourceAhead
from queue_logic.job import Needs
from runner_base.facts import load_info, save_info
from runner_base.frames import extract
from runner_base.plan import Plan
from runner_base.terms import check_choices
from runner_base.watched import Watched
from session_store import EngineChoice, MattingSession, MattingState, RunRecord, SessionStore

__all__ = [
    "Progress",
    "RunResult",
    "Stage",
    "add_mask",
    "check_formats",
    "check_prompts",
    "create_session",
    "export_session",
    "foresee",
    "guess_prompts",
    "load_info",
    "run_matting",
    "set_keyframe",
    "write_contact_sheet",
]


def create_session(store: SessionStore, video: Path, *, original_name: str = "", move: bool = False) -> MattingSession:
    """Make a new session of `video`, after a look at whether it is one; its engines are the best that can run here.

    Args:
        store: of the sessions.
        video: the file; it is copied.
        original_name: what its user calls it, if that is not the file's name; deliverables are named after it.
        move: take the file itself instead of a copy.

    Raises:
        MediaError: it is not a video, or it cannot be decoded.
        StorageError: the disk is full, read-only or not writable.
    """
    info = probe(video)
    session = store.create(video, original_name=original_name, move=move)
    session.state.commercial = get_settings().commercial
    for job in (Job.SEGMENTER, Job.PROPAGATOR, Job.MATTER):
        name, params = preferred(job)
        setattr(session.state, job, EngineChoice(name=name, params=params))
    session.save()
    save_info(session, info)
    return session


def run_matting(
    session: MattingSession,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    on_needs: Callable[[Needs], None] | None = None,
    until: Stage = Stage.DELIVER,
    check: bool = True,
) -> RunResult:
    """Do what is missing or stale in `session`, whatever state it is in.

    Args:
        session: the session; its state is saved as the run goes on.
        on_progress: called after each frame.
        should_stop: asked after each frame; True stops the run with what it has done.
        on_needs: told what the run was estimated to need, before it begins.
        until: the last stage to run.
        check: refuse what clearly does not fit this machine.

    Raises:
        Cancelled: `should_stop` said so; run again to go on.
        ResourceError: it does not fit; the message says what would.
        SessionBusyError: another process works on it.
        SplazMatteError: whatever else went wrong; see errors.py.
    """
    share_heaps()
    reporter = Reporter(on_progress, should_stop)
    with _recorded(session, reporter), reporter.listening():
        plan = plan_of(session, reporter, until)
        plan.begin(load_info(session), on_needs, refuse=check)
        try:
            span = _run_stages(session, reporter, until, plan)
        finally:
            plan.learn()
    return result_of(session, span, session.state.formats, reporter)


def export_session(
    session: MattingSession,
    formats: Sequence[str],
    *,
    premultiplied: bool | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    check: bool = True,
) -> RunResult:
    """Make further formats of a finished session from its lossless alpha; no engine runs.

    Args:
        session: a session whose alpha is complete.
        formats: names in the table of formats.
        premultiplied: whether colours are multiplied by alpha; None for each format's own convention.
        on_progress: called after each frame.
        should_stop: asked after each frame.
        check: refuse what clearly does not fit this machine.

    Raises:
        ResourceError: it does not fit; the message says what would.
        SessionError: its alpha is missing or stale.
        Cancelled: `should_stop` said so.
    """
    share_heaps()
    reporter = Reporter(on_progress, should_stop)
    with session.lock():
        info = load_info(session)
        span = _span(session.state.range, info.frames)
        marks = alpha_marks(session.state, info.frames) if info.exact else []
        if not info.exact or session.state.alpha.stale(*span, marks.__getitem__):
            raise SessionError(f"session {session.state.id} has no complete alpha yet; finish it first: run.py run ID")
        asked = session.state.model_copy(update={"formats": list(formats), "premultiplied": premultiplied})
        plan = plan_of(MattingSession(session.folder, asked), reporter, Stage.DELIVER)
        plan.begin(info, None, refuse=check)
        try:
            deliver(session, info, span, formats, premultiplied, reporter)
        finally:
            plan.learn()
    return result_of(session, span, formats, reporter)


@contextmanager
def _recorded(session: MattingSession, reporter: Reporter) -> Iterator[None]:
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


def _run_stages(session: MattingSession, reporter: Reporter, until: Stage, plan: Plan) -> tuple[int, int]:
    """Run the stages up to `until`; return the range of frames that is asked for."""
    state = session.state
    info = load_info(session)
    wanted = list(Stage)[: list(Stage).index(until) + 1]
    check_choices(state, _jobs(state, until))
    if until is not Stage.FRAMES and info.exact and not frames_needed(session, _span(state.range, info.frames)):
        reporter.begin(Stage.FRAMES, 0)  # they may have been cleaned away
    else:
        info = extract(session, info, reporter)
        save_info(session, info)
    span = _span(state.range, info.frames)
    check_prompts(state.objects, info)
    plan.refine(info)
    with SourceAhead(FrameFolder(session.frames_dir, info.frames, (info.width, info.height))) as ahead:
        frames = Watched(ahead, reporter)
        if Stage.KEYFRAMES in wanted:
            segment(session, frames, reporter)
            read_keyframes(session)
        if makes_masks(state, until):
            propagate(session, frames, span, reporter)
    if Stage.MATTE in wanted:
        with VideoReader(session.source, info) as reader, SourceAhead(reader) as decoded:
            matte(session, Watched(decoded, reporter), span, reporter)
    if Stage.DELIVER in wanted:
        deliver(session, info, span, state.formats, state.premultiplied, reporter)
    return span


def _jobs(state: MattingState, until: Stage) -> list[Job]:
    """Return the jobs whose engines a run up to `until` may need."""
    needed = {
        Job.SEGMENTER: until is not Stage.FRAMES and any(item.prompts for item in state.objects),
        Job.PROPAGATOR: makes_masks(state, until),
        Job.MATTER: until in (Stage.MATTE, Stage.DELIVER),
    }
    return [job for job, is_needed in needed.items() if is_needed]


def _span(wanted: tuple[int, int] | None, frames: int) -> tuple[int, int]:
    """Return the range to deliver.

    Raises:
        PromptError: it lies outside the clip.
    """
    if wanted is None:
        return 0, frames
    if not 0 <= wanted[0] < wanted[1] <= frames:
        raise PromptError(f"range {wanted[0]}:{wanted[1]} is outside the clip, which has the frames 0:{frames}")
    return wanted


def _save_quietly(session: MattingSession) -> None:
    """Save how the run ended; on a full disk the error that ended it matters more than this one."""
    try:
        session.save()
    except SplazMatteError:
        if session.state.last_run and session.state.last_run.status == "done":
            raise
