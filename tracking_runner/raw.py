"""The raw arrays of a tracking session: what the engine said, in pixels of the source, for every frame of the clip."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atomic import commit_file, write_bytes
from errors import storage_errors
from tracking_session_store import RAW, TrackingSession


@dataclass(eq=False)
class RawTracks:
    """T frames of N points; where nothing was tracked a point is not visible, with confidence 0.

    Attributes:
        columns: ids of the N points.
        tracks: float32 [T, N, 2], (x, y).
        visible: bool [T, N].
        confidence: float32 [T, N], 0..1.
    """

    columns: list[int]
    tracks: NDArray[np.float32]
    visible: NDArray[np.bool_]
    confidence: NDArray[np.float32]

    @classmethod
    def empty(cls, frames: int) -> RawTracks:
        """Return the arrays of no points."""
        return cls(
            [], np.zeros((frames, 0, 2), np.float32), np.zeros((frames, 0), bool), np.zeros((frames, 0), np.float32)
        )

    def only(self, columns: list[int]) -> RawTracks:
        """Return these points in this order; those that are not there stand at (0, 0), never visible."""
        frames = len(self.tracks)
        result = RawTracks(
            list(columns),
            np.zeros((frames, len(columns), 2), np.float32),
            np.zeros((frames, len(columns)), bool),
            np.zeros((frames, len(columns)), np.float32),
        )
        known = {point_id: column for column, point_id in enumerate(self.columns)}
        for place, point_id in enumerate(columns):
            if (old := known.get(point_id)) is not None:
                result.tracks[:, place] = self.tracks[:, old]
                result.visible[:, place] = self.visible[:, old]
                result.confidence[:, place] = self.confidence[:, old]
        return result


def load_raw(session: TrackingSession, frames: int) -> RawTracks:
    """Return a session's raw tracks; no points where there are none, or files that do not fit together."""
    columns = session.state.columns
    shapes = ((frames, len(columns), 2), (frames, len(columns)), (frames, len(columns)))
    try:
        arrays = [np.load(_newest(session, name), allow_pickle=False) for name in RAW]
    except (OSError, ValueError):
        return RawTracks.empty(frames)
    if not columns or tuple(array.shape for array in arrays) != shapes:
        return RawTracks.empty(frames)
    return RawTracks(list(columns), arrays[0].astype(np.float32), arrays[1].astype(bool), arrays[2].astype(np.float32))


def save_raw(session: TrackingSession, raw: RawTracks, marks: dict[int, str]) -> None:
    """Write the raw tracks, and record what they were made from: all of it or nothing, wherever it is cut off.

    The arrays are written under names of their own; the state says that they count; then they take the others' names.

    Args:
        session: whose files and state are written.
        raw: what to write.
        marks: {point id: what its track was made from} of all of its columns.

    Raises:
        StorageError: the disk is full, read-only or not writable.
    """
    state = session.state
    settle(session)
    arrays = dict(zip(RAW, (raw.tracks, raw.visible, raw.confidence), strict=True))
    for name, array in arrays.items():
        data = io.BytesIO()
        np.save(data, array, allow_pickle=False)
        with storage_errors(session.folder):
            write_bytes(session.raw_path(name, state.generation + 1), data.getvalue())
    state.generation += 1
    state.columns, state.tracked = list(raw.columns), dict(marks)
    session.save()
    settle(session)


def _newest(session: TrackingSession, name: str) -> Path:
    """Return the file of an array of the state's generation, whether it has its final name yet or not."""
    waiting = session.raw_path(name, session.state.generation)
    return waiting if waiting.exists() else session.raw_path(name)


def settle(session: TrackingSession) -> None:
    """Give arrays that count their final names, where a run was cut off before it had."""
    for name in RAW:
        waiting = session.raw_path(name, session.state.generation)
        if waiting.exists():
            with storage_errors(session.folder):
                commit_file(waiting, session.raw_path(name))
