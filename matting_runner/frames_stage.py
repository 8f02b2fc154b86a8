"""Stage 'frames': the source -> JPEGs in frames/ and exact facts."""

from __future__ import annotations

from engines.spec import Job
from matting_runner.history import CHUNK, SessionHistory
from matting_runner.marks import engine_mark
from matting_runner.mask_stages import stale_keyframes, stale_masks
from matting_runner.progress import Reporter, Stage
from pipeline.frames import extract_frames, frame_path, sync_frames
from pipeline.info import VideoInfo
from session_store import MattingSession


def extract(session: MattingSession, info: VideoInfo, reporter: Reporter) -> VideoInfo:
    """Extract the frames that are not there yet, and return the exact facts of the source.

    Raises:
        MediaError: the source cannot be decoded.
        StorageError: the disk is full, read-only or not writable.
    """
    state = session.state
    state.extracted = whole_frames(session)
    if info.exact and state.extracted == info.frames:
        reporter.begin(Stage.FRAMES, 0)
        return info

    def on_frame(done: int, _: VideoInfo) -> None:
        if done - state.extracted >= CHUNK:
            commit(done)
        reporter.tick()

    def commit(done: int) -> None:
        sync_frames(session.frames_dir, state.extracted, done)
        state.extracted = done
        session.save()

    reporter.begin(Stage.FRAMES, info.frames - state.extracted)
    exact = extract_frames(session.source, session.frames_dir, start=state.extracted, on_frame=on_frame)
    commit(exact.frames)
    reporter.end()
    return exact


def frames_needed(session: MattingSession, span: tuple[int, int]) -> bool:
    """Tell whether anything looks at frames/: masks are made from it, alpha and deliverables from the source."""
    history = SessionHistory(session, engine_mark(Job.PROPAGATOR, session.state.propagator))
    return bool(stale_keyframes(session)) or any(stale_masks(session, history, span).values())


def whole_frames(session: MattingSession) -> int:
    """Return how many frames are there from the first on without a gap, as far as the state counts on them."""
    there = {path.name for path in session.frames_dir.glob("*.jpg")}
    counted = range(session.state.extracted)
    return next((i for i in counted if frame_path(session.frames_dir, i).name not in there), len(counted))
