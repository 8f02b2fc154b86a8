"""One tracking session's folder and state."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from json_store import Migration
from session_base import StoredSession
from tracking_session_store.state import TrackingState, TrackPoint

COLOURS = ("#e6492d", "#2d9ae6", "#4fc04f", "#e6b42d", "#a05ae6", "#2dd4c8", "#e65aa8", "#8c9a3c")

RAW = ("tracks", "visibility", "confidence")
"""The raw arrays."""


class TrackingSession(StoredSession[TrackingState]):
    """A tracking session; see session_base.StoredSession."""

    model = TrackingState
    migrations: ClassVar[dict[int, Migration]] = {1: lambda data: data, 2: lambda data: data}
    """Each version has new fields with defaults; an older SplazMatte would drop them, and so refuses it."""

    @property
    def results_dir(self) -> Path:
        """Return the folder of the workspace that holds the results of all tracking sessions."""
        return self.folder.parents[1] / "tracking_results"

    def raw_path(self, name: str, generation: int | None = None) -> Path:
        """Return the file of a raw array, one of RAW; of a generation, until it has taken that name."""
        return self.folder / (f"raw_{name}.npy" if generation is None else f"raw_{name}.{generation}.npy")

    def add_point(self, frame: int, x: float, y: float, *, name: str = "", group: str = "") -> TrackPoint:
        """Add a point to follow from (x, y) on `frame`, with the next free id and colour, and return it."""
        used = [*(item.id for item in self.state.points), *self.state.columns]
        number = max(used, default=0) + 1
        colour = COLOURS[(number - 1) % len(COLOURS)]
        point = TrackPoint(id=number, name=name or f"point {number}", colour=colour, group=group, keys={frame: (x, y)})
        self.state.points.append(point)
        return point
