"""What all edits of a tracking session share: points by id, the view, the tracks that are shown."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from app_logic.editing import Call, Editing
from app_logic.track_view import TrackSight, motion_mark, track_view, tracks_mark
from app_logic.undo import Decisions
from app_logic.view import short
from errors import ParameterError, PromptError
from runner_base.facts import load_info
from tracking_export.motion.result import Motion
from tracking_export.tracks import Tracks
from tracking_runner import check_formats
from tracking_runner.motion import solve
from tracking_runner.result import session_tracks
from tracking_session_store import MotionChoice, Refinement, TrackingSession, TrackingState, TrackPoint


class TrackEditing(Editing[TrackingState]):
    """One tracking session that the user edits; see Editing."""

    session: TrackingSession
    decisions = Decisions(
        ("tracker", "segmenter", "direction", "range", "refinement", "motions", "formats", "commercial"), "points", ()
    )

    def __init__(self, workspace: Path, session: TrackingSession, call: Call) -> None:
        super().__init__(workspace, session, call)
        self._sight = TrackSight()
        """What lies over the picture and is no decision: the mask of the object that was clicked on."""
        self._tracks: dict[str, Tracks] = {}
        """The tracks that are shown, by whether they are 'raw' or 'refined' and their mark."""
        self._motions: dict[str, Motion | ParameterError] = {}

    def tracks(self, *, raw: bool = False) -> tuple[str, Tracks] | None:
        """Return the version and the tracks of all points for all frames, hidden ones too, as they are shown.

        Args:
            raw: as the engine gave them: not cleaned, filled or smoothed.

        Returns:
            (as the view names it, tracks); None where nothing is tracked.
        """
        with self._lock:
            state = self.session.state
            key = tracks_mark(state, raw=raw)
            if not state.points or not state.columns:
                return None
            session = TrackingSession(self.session.folder, state.model_copy(deep=True))
            known = self._tracks.get(key)
        if known is None:
            if raw:
                session.state.refinement = Refinement()
            known = session_tracks(session, (info := load_info(session)), (0, info.frames), hidden=True)
            kind = key.partition(" ")[0]
            with self._lock:
                others = {other: kept for other, kept in self._tracks.items() if not other.startswith(kind)}
                self._tracks = others | {key: known}
        return short(key), known

    def motion(self, motion_id: int) -> tuple[str, Motion]:
        """Return a motion's version, as the view names it, and the motion, of the refined tracks of the chosen range.

        Raises:
            ParameterError: there is none of that id, or it cannot be solved; the message says what to do.
        """
        choice = self._motion(motion_id)
        with self._lock:
            state = self.session.state.model_copy(deep=True)
            key = motion_mark(state, choice)
        shown = self.tracks()
        if shown is None:
            raise ParameterError("there are no tracks; track the points first")
        if key not in self._motions:
            self._solve(key, state, shown[1], choice)
        found = self._motions[key]
        if isinstance(found, ParameterError):
            raise found
        return short(key), found

    def _view(self) -> dict[str, Any]:
        return track_view(self.session, self.revision, self._sight)

    def _checked_formats(self, formats: Sequence[str]) -> list[str]:
        return check_formats(formats)

    def _solve(self, key: str, state: TrackingState, tracks: Tracks, choice: MotionChoice) -> None:
        places = [place for place, point in enumerate(state.points) if not point.hidden]
        try:
            span = state.range or (0, tracks.length)
            found: Motion | ParameterError = solve(state, tracks.cut(*span).select(places), choice)
        except ParameterError as error:
            found = error
        with self._lock:
            known = {motion_mark(state, other) for other in state.motions}
            self._motions = {other: kept for other, kept in self._motions.items() if other in known} | {key: found}

    def _motion(self, motion_id: int) -> MotionChoice:
        for motion in self.session.state.motions:
            if motion.id == motion_id:
                return motion
        raise ParameterError("that motion is gone; choose another one")

    def _point(self, point_id: int) -> TrackPoint:
        for point in self.session.state.points:
            if point.id == point_id:
                return point
        raise PromptError("that point is gone; choose another one")

    def _points(self, ids: Collection[int]) -> list[TrackPoint]:
        """Return the points of these ids that are still there.

        Raises:
            PromptError: none is.
        """
        found = [point for point in self.session.state.points if point.id in ids]
        if not found:
            raise PromptError("no point is selected; click on one")
        return found

    def _place(self, frame: int, x: float, y: float) -> tuple[float, float]:
        """Return the position within the picture, after a look at whether there is such a frame."""
        self._inside(frame)
        info = load_info(self.session)
        if not (math.isfinite(x) and math.isfinite(y)):
            raise PromptError("a position is two numbers, in pixels")
        return min(max(x, 0.0), info.width - 1.0), min(max(y, 0.0), info.height - 1.0)
