"""What a tracking session's deliverables are made from, as text: another one means that they are out of date."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from session_base import digest
from tracking_runner.segments import track_mark
from tracking_session_store import TrackingState

_SOLVER = 2
"""Raise it when the same tracks give another motion."""
VIDEO = "video"
"""The format that is not an export: the source with the tracks drawn over it."""


def delivery_marks(state: TrackingState, span: tuple[int, int], names: Iterable[str]) -> dict[str, str]:
    """Return {format: what it has to be made from now}; all but the video are made from the same."""
    parts = [track_mark(state, point, span) for point in state.points]
    looks = [point.model_dump_json(exclude={"keys"}) for point in state.points]

    def mark(motions: list[dict[str, Any]]) -> str:
        return digest(json.dumps([parts, looks, state.refinement.model_dump(), motions]).encode())

    video, exports = mark([]), mark([{"solver": _SOLVER} | one.model_dump() for one in state.motions])
    return {name: video if name == VIDEO else exports for name in names}


def outdated(state: TrackingState, frames: int) -> list[str]:
    """Return the formats that were delivered from other tracks than a run would give now."""
    if not state.delivered:
        return []
    marks = delivery_marks(state, state.range or (0, frames), state.delivered)
    return [name for name, made in state.delivered.items() if made.mark != marks[name]]
