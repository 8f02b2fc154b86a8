"""What a page shows of a tracking session, as plain values; tracks themselves go to the browser as bytes."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from app_logic.view import clip_view, short
from runner_base.facts import load_info
from tracking_export.motion.result import Motion
from tracking_export.tracks import Tracks
from tracking_runner.marks import outdated
from tracking_runner.track_stage import stale_points
from tracking_session_store import MotionChoice, TrackingSession, TrackingState, TrackPoint


@dataclass(frozen=True)
class TrackSight:
    """The object that was clicked on, on its way to be filled with points."""

    frame: int = -1
    clicks: tuple[tuple[float, float, bool], ...] = ()
    """(x, y, whether it is on the object)."""
    png: bytes = b""
    version: int = 0
    """Changes with the mask."""
    busy: int = 0
    """The number of the request that an engine works on; 0 if none."""


def track_view(session: TrackingSession, revision: int, sight: TrackSight) -> dict[str, Any]:
    """Return what a page shows: plain values for JSON.

    Args:
        session: the session.
        revision: of this view.
        sight: what lies over the picture and is no decision.
    """
    state, info = session.state, load_info(session)
    span = state.range or (0, info.frames)
    stale = {point.id for point in stale_points(state, span)}
    has_tracks = bool(state.points and state.columns)
    return clip_view(session, revision, info) | {
        "points": [_point(point, state, stale) for point in state.points],
        "tracks": _tracks(state) if has_tracks else None,
        "outdated": outdated(state, info.frames),
        "direction": state.direction,
        "motions": [_motion(state, motion) for motion in state.motions],
        "object": {
            "frame": sight.frame,
            "clicks": [list(click) for click in sight.clicks],
            "version": sight.version if sight.png else 0,
            "busy": bool(sight.busy),
        },
    }


def tracks_mark(state: TrackingState, *, raw: bool) -> str:
    """Return 'raw' or 'refined', and what such tracks are made from now."""
    made = [sorted(state.tracked.items()), state.columns, [(point.id, point.cuts) for point in state.points]]
    return f"{'raw' if raw else 'refined'} {json.dumps([made, None if raw else state.refinement.model_dump()])}"


def motion_mark(state: TrackingState, choice: MotionChoice) -> str:
    """Return what a motion is made from now."""
    hidden = [point.id for point in state.points if point.hidden]
    fields = choice.model_dump(exclude={"name"})
    return json.dumps([fields, hidden, state.range, tracks_mark(state, raw=False)])


def tracks_bytes(tracks: Tracks) -> bytes:
    """Return tracks as the browser reads them.

    Little-endian: uint32 T and N; float32 [T, N, 2] positions in pixels; uint8 [T, N] confidence in 255ths; uint8
    [T, N] whether visible.
    """
    confidence = np.rint(tracks.confidence * 255).astype(np.uint8)
    parts = (np.nan_to_num(tracks.xy).astype("<f4"), confidence, tracks.visible.astype(np.uint8))
    return struct.pack("<II", tracks.length, tracks.count) + b"".join(part.tobytes() for part in parts)


def motion_values(motion: Motion) -> dict[str, Any]:
    """Return what a page shows of a motion that is solved: plain values for JSON."""
    residual = motion.residual[np.isfinite(motion.residual)].astype(float)
    return {
        "first": motion.first_frame,
        "reference": motion.reference,
        "path": np.round(motion.path(), 3).tolist(),
        "residual": [round(float(value), 3) if np.isfinite(value) else None for value in motion.residual],
        "mean": round(float(residual.mean()), 3) if len(residual) else None,
        "worst": round(float(residual.max()), 3) if len(residual) else None,
        "solved": int(motion.solved.sum()),
        "frames": len(motion.matrices),
        "note": motion.note,
        "stabilises": motion.stabilises,
    }


def _tracks(state: TrackingState) -> dict[str, Any]:
    refined = state.refinement != type(state.refinement)()
    return {
        "version": short(tracks_mark(state, raw=False)),
        "raw": short(tracks_mark(state, raw=True)) if refined else None,
        "columns": [point.id for point in state.points],
    }


def _point(point: TrackPoint, state: TrackingState, stale: set[int]) -> dict[str, Any]:
    tracked = point.id in state.tracked
    return {
        "id": point.id,
        "name": point.name,
        "colour": point.colour,
        "group": point.group,
        "origin": point.origin,
        "keys": [[frame, x, y] for frame, (x, y) in sorted(point.keys.items())],
        "hidden": point.hidden,
        "cuts": [list(cut) for cut in point.cuts],
        "state": "new" if not tracked else "stale" if point.id in stale else "tracked",
    }


def _motion(state: TrackingState, choice: MotionChoice) -> dict[str, Any]:
    return choice.model_dump() | {"version": short(motion_mark(state, choice))}
