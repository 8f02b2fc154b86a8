"""Edits beside the points: direction, refinement, motions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic import ValidationError

from app_logic.track_editor.base import TrackEditing
from errors import ParameterError
from runner_base.facts import load_info
from session_base import checked_name
from tracking_session_store import MotionChoice, Refinement

_INSET = 0.2
"""Share of the picture that a new corner pin's corners are inside it."""


class ChoiceEditing(TrackEditing):
    """What the user decides beside the points."""

    def set_direction(self, direction: str) -> None:
        """Choose whether points are tracked forward only, or in both directions."""
        if direction not in ("forward", "both"):
            raise ParameterError("the direction is forward or both")
        self._set("direction", direction=direction)

    def set_refinement(self, *, final: bool = True, **fields: Any) -> None:
        """Change what is done to the tracks where they are shown and exported; the raw result stays.

        Args:
            final: False while a slider is being dragged; all of a drag is one step of undo.
            fields: of Refinement.

        Raises:
            ParameterError: a value outside its range.
        """
        with self._lock:
            state = self.session.state
            refinement = _checked(Refinement, {**state.refinement.model_dump(), **fields})
            if refinement == state.refinement and final:
                return
            self._remember("refinement", f"refinement {sorted(fields)}", final=final)
            state.refinement = refinement
            self._save()

    def add_motion(self, kind: str, ids: Collection[int], name: str) -> int:
        """Add a motion to solve from points; return its id.

        Args:
            kind: steady, similarity or corner-pin.
            ids: of the points; none for all that are not hidden.
            name: as it is shown.

        Raises:
            ParameterError: another kind.
            PromptError: the points are gone.
        """
        with self._lock:
            state, info = self.session.state, load_info(self.session)
            number = max((motion.id for motion in state.motions), default=0) + 1
            points = [point.id for point in self._points(ids)] if ids else []
            motion = _checked(MotionChoice, {"id": number, "kind": kind, "name": checked_name(name), "points": points})
            if kind == "corner-pin":
                left, right = info.width * _INSET, info.width * (1 - _INSET)
                top, bottom = info.height * _INSET, info.height * (1 - _INSET)
                motion.corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
            self._remember("new motion")
            state.motions.append(motion)
            self._save()
            return number

    def set_motion(self, motion_id: int, *, final: bool = True, **fields: Any) -> None:
        """Change a motion's fields: points, corners, reference, stabilises, smooth.

        Raises:
            ParameterError: no such motion, or a value outside its range.
        """
        with self._lock:
            known = self._motion(motion_id)
            changed = _checked(MotionChoice, {**known.model_dump(), **fields})
            if changed == known and final:
                return
            self._remember("motion", f"motion {motion_id} {sorted(fields)}", final=final)
            motions = self.session.state.motions
            motions[motions.index(known)] = changed
            self._save()

    def rename_motion(self, motion_id: int, name: str) -> None:
        """Name a motion."""
        self.set_motion(motion_id, name=checked_name(name))

    def move_corner(self, motion_id: int, corner: int, x: float, y: float, *, final: bool = True) -> None:
        """Move a corner, 0..3, of a corner pin on its reference frame; it may lie outside the picture."""
        corners = list(self._motion(motion_id).corners)
        if not 0 <= corner < len(corners):
            raise ParameterError("a corner pin has four corners")
        corners[corner] = (x, y)
        self.set_motion(motion_id, final=final, corners=corners)

    def remove_motion(self, motion_id: int) -> None:
        """Take a motion away."""
        with self._lock:
            motion = self._motion(motion_id)
            self._remember("deleted motion")
            self.session.state.motions.remove(motion)
            self._save()


def _checked(kind: Any, fields: dict[str, Any]) -> Any:
    """Return the model of these fields; raises ParameterError where one is outside its range."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise ParameterError(f"'{first['loc'][0]}' is out of range: {first['msg']}") from None
