"""What a tracking session's deliverables are made from, as text: another one means that they are out of date."""

from __future__ import annotations

import json

from session_base import digest
from tracking_runner.segments import track_mark
from tracking_session_store import TrackingState

VIDEO = "video"
"""The format that is not an export: the source with the tracks drawn over it."""


def delivery_mark(state: TrackingState, span: tuple[int, int], name: str) -> str:
    """Return what a format has to be made from now."""
    parts = [track_mark(state, point, span) for point in state.points]
    motions = [] if name == VIDEO else [motion.model_dump() for motion in state.motions]
    looks = [point.model_dump_json(exclude={"keys"}) for point in state.points]
    return digest(json.dumps([parts, looks, state.refinement.model_dump(), motions]).encode())


def outdated(state: TrackingState, frames: int) -> list[str]:
    """Return the formats that were delivered from other tracks than a run would give now."""
    span = state.range or (0, frames)
    return [name for name, made in state.delivered.items() if made.mark != delivery_mark(state, span, name)]
