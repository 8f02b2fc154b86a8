"""Edits on the picture: clicks, boxes, strokes, masks from files, and the engine's answers to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app_logic.editor.base import MattingEditing
from app_logic.view import preview_mark
from engines.spec import Job, PromptKind
from errors import PromptError
from matting_runner import load_info
from matting_runner.interactive import CLICK, FIND, MATTE_FRAME
from matting_runner.mask_stages import prompt_mark, segmenter_mark
from pipeline.masks import Mask, load_mask_image
from session_store import BoxPrompt, FramePrompts, Keyframe, PointPrompt

Floats = NDArray[Any]
_PREVIEWS = 24
"""Frames whose preview is kept."""
_requests = count(1)


class PromptEditing(MattingEditing):
    """Prompts of an object on a frame; each makes or changes the keyframe there."""

    def add_point(self, object_id: int, frame: int, x: float, y: float, positive: bool = True) -> None:
        """Add a click, in pixels; on a painted or propagated mask it corrects that mask.

        Raises:
            PromptError: no such object or frame, or nothing there that a negative click could take from.
            EngineError: the engine failed; the click is taken back.
        """
        with self._lock:
            item, (x, y) = self._item(object_id), self._place(frame, x, y)
            self._check_takes(PromptKind.POINTS, "clicks")
            prompts = self._prompts(item, frame)
            if not (positive or prompts.base or prompts.box or any(p.positive for p in prompts.points)):
                raise PromptError("there is nothing yet to take from: click on the object first")
            points = [*prompts.points, PointPrompt(x=x, y=y, positive=positive)]
            request = self._ask(object_id, frame, prompts.model_copy(update={"points": points}), "click")
        self._segment(object_id, frame, request)

    def set_box(self, object_id: int, frame: int, x0: float, y0: float, x1: float, y1: float) -> None:
        """Say in which rectangle the object is, in pixels, corners in any order; see `add_point` for errors."""
        with self._lock:
            item = self._item(object_id)
            self._check_takes(PromptKind.BOX, "boxes")
            (x0, y0), (x1, y1) = self._place(frame, x0, y0), self._place(frame, x1, y1)
            box = BoxPrompt(x0=min(x0, x1), y0=min(y0, y1), x1=max(x0, x1), y1=max(y0, y1))
            known = item.prompts.get(frame, FramePrompts())
            prompts = FramePrompts(points=known.points, box=box)  # a box says it anew: no older mask stands behind it
            request = self._ask(object_id, frame, prompts, "box")
        self._segment(object_id, frame, request)

    def paint(
        self, object_id: int, frame: int, points: Sequence[tuple[float, float]], radius: float, positive: bool = True
    ) -> None:
        """Paint on the object's mask, or erase from it, along a line of (x, y) with a round brush, in pixels."""
        with self._lock:
            item = self._item(object_id)
            self._inside(frame)
            if not points or not 0 < radius <= 10_000 or not np.isfinite(points).all():
                raise PromptError("a stroke needs points and a brush of 0 to 10000 pixels")
            mask = self.shown_mask(object_id, frame)
            if mask is None:
                info = load_info(self.session)
                mask = np.zeros((info.height, info.width), np.uint8)
            self._remember("brush" if positive else "eraser")
            item.prompts.pop(frame, None)
            self._busy.pop((object_id, frame), None)
            painted = _stroke(mask, points, radius, positive)
            self._set_keyframe(object_id, frame, painted, Keyframe(origin="mask", digest=""))
            self._save()

    def import_mask(self, object_id: int, frame: int, image: Path) -> None:
        """Take an image as the object's mask on a frame.

        Raises:
            MaskError: it cannot be read or has another size than the video.
        """
        info = load_info(self.session)
        self.use_mask(object_id, frame, load_mask_image(image, (info.width, info.height)), "mask import")

    def use_mask(self, object_id: int, frame: int, mask: Mask, text: str, engine: str = "") -> None:
        """Make `mask`, uint8 [H, W], the keyframe of a frame; `engine` is as in session_store.Keyframe."""
        with self._lock:
            item = self._item(object_id)
            self._inside(frame)
            self._remember(text)
            item.prompts.pop(frame, None)
            self._busy.pop((object_id, frame), None)
            self._set_keyframe(object_id, frame, mask, Keyframe(origin="mask", digest="", engine=engine))
            self._save()

    def keep_mask(self, object_id: int, frame: int) -> None:
        """Make the propagated mask of a frame a keyframe: confirmed, and never made again.

        Raises:
            PromptError: there is none.
        """
        mask = self.shown_mask(object_id, frame)
        if mask is None:
            raise PromptError(f"there is no mask on frame {frame} to keep")
        item = self._item(object_id)
        if frame not in item.keyframes:
            self.use_mask(object_id, frame, mask, "keyframe", f"{Job.PROPAGATOR} {item.propagated.get(frame)}")

    def clear_frame(self, object_id: int, frame: int) -> None:
        """Take away the prompts and the keyframe of a frame."""
        with self._lock:
            item = self._item(object_id)
            if frame in item.keyframes or frame in item.prompts:
                self._remember("deleted keyframe")
                self._drop_keyframe(item, frame)
                self._save()

    def find_text(self, object_id: int, frame: int, text: str) -> list[tuple[bytes, float]]:
        """Return (mask as PNG, score) of every instance of `text` on a frame, the surest first.

        Raises:
            PromptError: the engine takes no text.
        """
        state = self.session.state
        found: list[tuple[bytes, float]] = self._call(FIND, self._workspace, state.id, frame, text, state.segmenter)
        return found

    def use_found(self, object_id: int, frame: int, png: bytes, text: str) -> None:
        """Make one of the instances that were found the object's keyframe."""
        engine = segmenter_mark(self.session.state.segmenter)
        self.use_mask(object_id, frame, decoded(png), f"text '{text}'", engine)

    def preview(self, frame: int) -> bytes:
        """Matte one frame, to see what the run will give; return its alpha, which `preview_png` keeps, as PNG.

        Raises:
            PromptError: there is no mask on that frame.
        """
        self._inside(frame)
        mark = preview_mark(self.session, frame)
        png: bytes = self._timed(MATTE_FRAME, self._workspace, self.session.state.id, frame)
        with self._lock:
            self._previews.pop(frame, None)
            self._previews[frame] = mark, png
            while len(self._previews) > _PREVIEWS:
                self._previews.pop(next(iter(self._previews)))
            self.revision += 1
        return png

    def preview_png(self, frame: int) -> bytes | None:
        """Return the alpha of that frame's preview as PNG (8-bit grey)."""
        found = self._previews.get(frame)
        return found[1] if found else None

    def _place(self, frame: int, x: float, y: float) -> tuple[float, float]:
        """Return the position within the picture, after a look at whether there is such a frame."""
        info = load_info(self.session)
        self._inside(frame)
        if not (np.isfinite(x) and np.isfinite(y)):
            raise PromptError("a position is two numbers, in pixels")
        return min(max(x, 0.0), info.width - 1.0), min(max(y, 0.0), info.height - 1.0)

    def _ask(self, object_id: int, frame: int, prompts: FramePrompts, text: str) -> int:
        """Record the prompts, so that every tab shows them at once, and return the number of this request."""
        item = self._item(object_id)
        self._remember(text)
        self._keep_past(item, frame)
        request = next(_requests)
        self._replaced[request] = item.prompts.get(frame), self._history.newest
        item.prompts[frame] = prompts
        self._busy[object_id, frame] = request
        self._save()
        return request

    def _segment(self, object_id: int, frame: int, request: int) -> None:
        """Ask the engine, unless newer prompts for the same object and frame have come; the newest answer counts."""
        with self._lock:
            if self._busy.get((object_id, frame)) != request:
                return
            prompts, choice = self._item(object_id).prompts[frame], self.session.state.segmenter.model_copy(deep=True)
        try:
            found = self._timed(
                CLICK, self._workspace, self.session.state.id, object_id, frame, prompts, choice,
                wanted=lambda: self._busy.get((object_id, frame)) == request,
            )  # fmt: skip
        except BaseException:
            self._take_back(object_id, frame, request)
            raise
        if found is None:
            return
        with self._lock:
            self._replaced.pop(request, None)
            if self._busy.get((object_id, frame)) != request:
                return
            del self._busy[object_id, frame]
            made_by = prompt_mark(choice, prompts)
            engine = segmenter_mark(choice)
            keyframe = Keyframe(origin="prompts", digest="", made_by=made_by, score=found[1], engine=engine)
            self._set_keyframe(object_id, frame, decoded(found[0]), keyframe)
            self._save()

    def _timed(self, target: str, *arguments: object, wanted: Callable[[], bool] = lambda: True) -> Any:
        """Call an engine, one call at a time; None where it is not `wanted` any more when its turn comes."""
        with self._one_call:
            if not wanted():
                return None
            begin = time.perf_counter()
            try:
                return self._call(target, *arguments)
            finally:
                self.engine_seconds = time.perf_counter() - begin

    def _take_back(self, object_id: int, frame: int, request: int) -> None:
        """Put the prompts of before in the place of those that failed, if they are still the newest."""
        with self._lock:
            before, step = self._replaced.pop(request)
            if self._busy.get((object_id, frame)) != request:
                return
            del self._busy[object_id, frame]
            prompts = self._item(object_id).prompts
            prompts.pop(frame)
            if before is not None:
                prompts[frame] = before
            self._history.drop(step)
            self._save()


def decoded(png: bytes) -> Mask:
    """Return the mask, uint8 [H, W], of a grey PNG."""
    mask = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise PromptError("the engine's answer is not a picture; try again")
    return np.asarray(mask)


def _stroke(mask: Mask, points: Sequence[tuple[float, float]], radius: float, positive: bool) -> Mask:
    """Return `mask` with a round stroke painted or erased, its edge smooth over the one pixel that it crosses."""
    line = np.zeros(mask.shape, np.float32)
    dots = np.asarray(points, np.float64).reshape(-1, 2)
    for first, last in pairwise([dots[0], *dots]):
        (left, top), (right, bottom) = np.floor([np.minimum(first, last) - radius, np.maximum(first, last) + radius])
        rows = slice(max(0, int(top)), max(0, int(bottom) + 2))
        columns = slice(max(0, int(left)), max(0, int(right) + 2))
        place = line[rows, columns]
        if place.size:
            y, x = np.mgrid[rows.start : rows.start + place.shape[0], columns.start : columns.start + place.shape[1]]
            np.maximum(place, np.clip(radius + 0.5 - _distance(x, y, first, last), 0, 1), out=place)
    painted = np.rint(line * 255).astype(np.uint8)
    return np.maximum(mask, painted) if positive else np.minimum(mask, 255 - painted)


def _distance(x: Floats, y: Floats, first: Floats, last: Floats) -> Floats:
    """Return how far each pixel is from the line between two points."""
    along = last - first
    length = float(along @ along)
    share = ((x - first[0]) * along[0] + (y - first[1]) * along[1]) / length if length else np.zeros(x.shape)
    share = np.clip(share, 0, 1)
    return np.hypot(x - first[0] - share * along[0], y - first[1] - share * along[1])
