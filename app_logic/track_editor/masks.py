"""An object that the user clicks on: a segmenter shows its mask, and points fill it."""

from __future__ import annotations

from itertools import count

import cv2
import numpy as np

from app_logic.track_editor.points import PointEditing
from app_logic.track_view import TrackSight
from engines.registry import get_spec
from engines.spec import Job, PromptKind
from errors import PromptError
from pipeline.masks import Mask
from tracking_runner.interactive import OBJECT_AT
from tracking_runner.queries import spread

_requests = count(1)


class MaskEditing(PointEditing):
    """Points, and the mask that lies over the picture until they fill it; it is no decision, and no step of undo."""

    def click_object(self, frame: int, x: float, y: float, positive: bool = True) -> None:
        """Add a click to the object on `frame`, or begin another one there, and ask the segmenter for its mask.

        Raises:
            PromptError: no such frame, or nothing there that a negative click could take from.
            EngineError: the engine failed; the click is taken back.
        """
        choice = self.session.state.segmenter
        if PromptKind.POINTS not in get_spec(Job.SEGMENTER, choice.name).prompts:
            raise PromptError(f"'{choice.name}' takes no clicks; choose another engine for clicks")
        with self._lock:
            place, before = self._place(frame, x, y), self._sight
            clicks = before.clicks if before.frame == frame else ()
            if not positive and not clicks:
                raise PromptError("there is nothing yet to take from: click on the object first")
            request = next(_requests)
            asked = TrackSight(frame, (*clicks, (*place, positive)), busy=request)
            self._look(asked)
        try:
            png = self._call(
                OBJECT_AT, self._workspace, self.session.state.id, frame, asked.clicks, choice.model_copy()
            )
        except BaseException:
            with self._lock:
                if self._sight.busy == request:
                    self._look(TrackSight(before.frame, before.clicks, before.png, before.version))
            raise
        with self._lock:
            if self._sight.busy == request:
                self._look(TrackSight(frame, asked.clicks, png, request))

    def forget_object(self) -> None:
        """Take the mask away."""
        with self._lock:
            self._look(TrackSight())

    def fill_object(self, amount: int, group: str = "") -> list[int]:
        """Put `amount` points on the object that was clicked on; return their ids.

        Raises:
            PromptError: there is no mask, or an amount that is none.
        """
        with self._lock:
            sight = self._sight
            if not sight.png:
                raise PromptError("click on an object first, to see its mask")
            ids = self.fill_mask(sight.frame, decoded(sight.png), amount, group)
            self._look(TrackSight())
            return ids

    def fill_mask(self, frame: int, mask: Mask, amount: int, group: str = "", colour: str = "") -> list[int]:
        """Put `amount` points on a mask, uint8 [H, W], of a frame; return their ids."""
        with self._lock:
            self._inside(frame)
            return self._add(frame, spread(mask, amount), "mask", group, "points on the object", colour)

    def object_mask(self) -> tuple[int, bytes]:
        """Return the mask's version and the mask as PNG (8-bit grey), empty without one."""
        return self._sight.version, self._sight.png

    def _look(self, sight: TrackSight) -> None:
        self._sight = sight
        self.revision += 1


def decoded(png: bytes) -> Mask:
    """Return the mask, uint8 [H, W], of a grey PNG."""
    mask = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise PromptError("the engine's answer is not a picture; try again")
    return np.asarray(mask)
