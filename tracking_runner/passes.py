"""One way through the clip with all its queries: what an engine said, and the file that keeps it until all is there."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atomic import discard, write_bytes
from engines.base import Direction
from engines.registry import check_params, get_spec
from engines.spec import Job
from errors import storage_errors
from session_base import EngineChoice, digest
from tracking_session_store import TrackingSession

_FILE = "raw_pass.npz"


@dataclass(frozen=True, eq=False)
class Pass:
    """What a pass found, from frame `start` on: as RawTracks, a column for each query."""

    start: int
    tracks: NDArray[np.float32]
    visible: NDArray[np.bool_]
    confidence: NDArray[np.float32]

    @classmethod
    def empty(cls, span: tuple[int, int], count: int) -> Pass:
        """Return a pass over these frames with nothing found yet."""
        shape = (span[1] - span[0], count)
        return cls(span[0], np.zeros((*shape, 2), np.float32), np.zeros(shape, bool), np.zeros(shape, np.float32))

    def of(self, row: int, start: int, stop: int) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
        """Return the track [T, 2], visibility [T] and confidence [T] of a query on some frames."""
        frames = slice(start - self.start, stop - self.start)
        return self.tracks[frames, row], self.visible[frames, row], self.confidence[frames, row]


def pass_mark(choice: EngineChoice, way: Direction, span: tuple[int, int], queries: NDArray[np.float32]) -> str:
    """Return what a pass is made from."""
    spec = get_spec(Job.TRACKER, choice.name)
    parts = [spec.name, spec.version, check_params(spec, choice.params), way.value, span]
    return digest(json.dumps(parts, sort_keys=True).encode() + queries.tobytes())


def load_pass(session: TrackingSession, mark: str) -> Pass | None:
    """Return the pass that a run which was cut off has left, if it was made from the very same."""
    try:
        with np.load(session.folder / _FILE, allow_pickle=False) as found:
            if str(found["mark"]) != mark:
                return None
            return Pass(int(found["start"]), found["tracks"], found["visible"], found["confidence"])
    except (OSError, ValueError, KeyError):
        return None


def save_pass(session: TrackingSession, found: Pass, mark: str) -> None:
    """Keep a pass until `drop_pass`.

    Raises:
        StorageError: the disk is full, read-only or not writable.
    """
    data = io.BytesIO()
    np.savez(
        data,
        mark=np.array(mark),
        start=np.array(found.start),
        tracks=found.tracks,
        visible=found.visible,
        confidence=found.confidence,
    )
    with storage_errors(session.folder):
        write_bytes(session.folder / _FILE, data.getvalue())


def drop_pass(session: TrackingSession) -> None:
    """Forget the pass that is kept."""
    with storage_errors(session.folder):
        discard(session.folder / _FILE)
