"""What a tracking session takes on the disk, by what it is for, and how far its work is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pydantic import BaseModel

from atomic import PARTIAL
from session_base.disk import files
from tracking_session_store.session import TrackingSession
from tracking_session_store.state import TrackingState


class Usage(BaseModel):
    """Bytes of a session's files by part; its results are not among them, they lie in tracking_results/."""

    source: int = 0
    frames: int = 0
    tracks: int = 0
    """The raw arrays."""
    leftovers: int = 0
    """What a killed writer had begun."""
    other: int = 0

    @property
    def total(self) -> int:
        """Return the bytes of all parts."""
        return sum(self.model_dump().values())


def folder_usage(folder: Path, state: TrackingState | None = None) -> Usage:
    """Return the bytes of a session's folder by part."""
    sizes: Counter[str] = Counter()
    for parts, size in files(folder, ()):
        sizes[_part(parts)] += size
    return Usage(**sizes)


def progress(session: TrackingSession) -> float:
    """Return how far a session's work is, 0 .. 1: the mean of points that have tracks and formats that are made.

    It is 1 when its last run was done; what has become stale since still counts, as only a run looks into that.
    """
    state = session.state
    delivered = sum(name in state.delivered for name in state.formats)
    if state.last_run and state.last_run.status == "done" and delivered == len(state.formats):
        return 1.0
    if not state.points or not state.formats:
        return 0.0
    tracked = sum(point.id in state.tracked for point in state.points)
    return (tracked / len(state.points) + delivered / len(state.formats)) / 2


def _part(parts: tuple[str, ...]) -> str:
    first = parts[0]
    if any(name.endswith(PARTIAL) for name in parts):
        return "leftovers"
    if first == "frames":
        return first
    if len(parts) == 1 and first.startswith("raw_"):
        return "tracks"
    return "source" if len(parts) == 1 and first.startswith("source.") else "other"
