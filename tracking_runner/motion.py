"""The motions that a user has asked for, solved from a session's tracks."""

from __future__ import annotations

import numpy as np

from errors import ParameterError
from tracking_export.motion.chain import corner_pin, similarity
from tracking_export.motion.result import Motion
from tracking_export.motion.stabilise import stabilise
from tracking_export.motion.steady import steady_track
from tracking_export.spec import TrackFormat
from tracking_export.tracks import Tracks
from tracking_session_store import MotionChoice, TrackingState


def solve(state: TrackingState, tracks: Tracks, choice: MotionChoice) -> Motion:
    """Return a motion.

    Args:
        state: names the points.
        tracks: of the state's points that are not hidden, in their order; refined as they are to be used.
        choice: what to solve.

    Raises:
        ParameterError: none of its points is left or visible, its corners are no quadrangle, or its reference frame
            is outside the tracks.
    """
    shown = [point.id for point in state.points if not point.hidden]
    places = [place for place, point_id in enumerate(shown) if not choice.points or point_id in choice.points]
    if not places:
        raise ParameterError(f"'{choice.name}' has no points: all of them are hidden or deleted; choose others")
    chosen = tracks.select(places)
    if choice.kind == "steady":
        motion = steady_track(chosen, choice.reference)
    elif choice.kind == "similarity":
        motion = similarity(chosen, choice.reference)
    else:
        motion = corner_pin(chosen, np.array(choice.corners, np.float64).reshape(-1, 2), choice.reference)
    return stabilise(motion, tracks.width, tracks.height, choice.smooth) if choice.stabilises else motion


def carried(spec: TrackFormat, motions: list[Motion]) -> list[Motion]:
    """Return those of the motions that a format can carry."""
    able = spec.corner_pin and spec.similarity
    return [motion for motion in motions if able or (motion.kind == "steady" and not motion.stabilises)]
