"""Stage 'frames' of every kind of run: the source -> JPEGs in frames/ and exact facts."""

from __future__ import annotations

from typing import Any

from pipeline.frames import extract_frames, frame_path, sync_frames
from pipeline.info import VideoInfo
from runner_base.progress import Reporter
from session_base import StoredSession

STAGE = "frames"
CHUNK = 48
"""Frames that are committed together."""


def extract(session: StoredSession[Any], info: VideoInfo, reporter: Reporter) -> VideoInfo:
    """Extract the frames that are not there yet, and return the exact facts of the source.

    Raises:
        MediaError: the source cannot be decoded.
        StorageError: the disk is full, read-only or not writable.
    """
    state = session.state
    state.extracted = whole_frames(session)
    if info.exact and state.extracted == info.frames:
        reporter.begin(STAGE, 0)
        return info

    def on_frame(done: int, _: VideoInfo) -> None:
        if done - state.extracted >= CHUNK:
            commit(done)
        reporter.tick()

    def commit(done: int) -> None:
        sync_frames(session.frames_dir, state.extracted, done)
        state.extracted = done
        session.save()

    reporter.begin(STAGE, info.frames - state.extracted)
    exact = extract_frames(session.source, session.frames_dir, start=state.extracted, on_frame=on_frame)
    commit(exact.frames)
    reporter.end()
    return exact


def whole_frames(session: StoredSession[Any]) -> int:
    """Return how many frames are there from the first on without a gap, as far as the state counts on them."""
    there = {path.name for path in session.frames_dir.glob("*.jpg")}
    counted = range(session.state.extracted)
    return next((i for i in counted if frame_path(session.frames_dir, i).name not in there), len(counted))
