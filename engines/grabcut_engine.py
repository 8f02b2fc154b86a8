"""The built-in segmenter: prompts on one image -> mask, by graph cuts over colour models. No weights, any CPU.

After Rother, Kolmogorov and Blake, 'GrabCut' (SIGGRAPH 2004): colour models and a minimum cut in turns. What is ours:
the first click is read at several scales at once and the most believable reading taken, colour models are weighed by
the distance to the click, and a later click changes only what touches it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock

import cv2
import numpy as np

from engines.base import Box, Candidate, Image, Point, Prompts, Stroke
from engines.grabcut.candidates import Hypothesis, guess_scales
from engines.grabcut.edit import apply_click
from engines.grabcut.outlines import guess_box, guess_mask
from engines.grabcut.refine import refine
from engines.grabcut.regions import Region, Window, empty_mask, iou, pixel
from engines.grabcut.view import Seed, View
from engines.prompt_checks import check_prompts
from engines.strokes import paint
from errors import EngineFailedError

BASE_SIDE = 960
"""Long side of the image that masks are kept at between prompts."""
DATA_WEIGHT = 2.5
"""Of a pixel's log-odds against grabCut's smoothness; a plateau from 2 to 4."""
KEPT_STATES, KEPT_VIEWS = 128, 16
ALTERNATIVES = 2
"""Other readings of a first prompt that are offered beside the best one."""
CLICK_GAIN = 0.93
"""What is left of the expected error after one more click (measured on simulated clicks)."""


@dataclass(frozen=True, eq=False)
class _State:
    """Readings of the prompts so far: base masks, best first, with the IoU to expect of each."""

    readings: tuple[tuple[Region, float], ...]


class GrabCutSegmenter:
    """Clicks, a box, strokes or a rough mask on one image -> mask.

    The prompts are read in a fixed order: first the rough mask, else the box, else the first positive click, else the
    positive strokes; then all clicks in their order; last the strokes, literally. States are remembered by their
    prompts, so that an added click costs only itself, and one by one or all at once gives the same mask.

    Args:
        detail: working pixels of a graph cut after the first click; more is finer and slower.
        smoothness: 1 as tuned; more gives shorter edges, less follows thin parts (and noise).
        threads: cuts that run side by side; the result does not depend on it.
    """

    def __init__(self, detail: int = 36_000, smoothness: float = 1.0, threads: int = 2) -> None:
        self._detail = detail
        self._data_weight = DATA_WEIGHT / smoothness
        self._threads = threads
        self._lock = Lock()
        self._image: Image | None = None

    def set_image(self, rgb: Image) -> None:
        """Take the image, RGB uint8 [H, W, 3], that the following predictions are about."""
        height, width = rgb.shape[:2]
        scale = min(1.0, BASE_SIDE / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        self._image = rgb
        self._base: Image = rgb if scale == 1 else np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
        self._fx, self._fy = size[0] / width, size[1] / height
        self._states: dict[object, _State] = {}
        self._views: dict[tuple[Window, int], View] = {}

    def predict(self, prompts: Prompts) -> list[Candidate]:
        """Return candidates, best first: several of different extent for a lone first prompt, else one.

        The mask contains every positive click and stroke and no negative one; of two on the same pixel the later
        counts, and a click counts before a stroke. Prompts without anything positive select nothing, with score 0.

        Raises:
            PromptError: see `engines.prompt_checks`.
            EngineFailedError: `set_image` was not called.
        """
        if self._image is None:
            raise EngineFailedError("no image; call set_image before predict")
        height, width = self._image.shape[:2]
        check_prompts(prompts, width, height, "grabcut")
        state = self._read(prompts)
        return [Candidate(self._finish(mask, prompts), score) for mask, score in state.readings]

    def _read(self, prompts: Prompts) -> _State:
        points = tuple(self._to_base(p) for p in prompts.points)
        first = next((p for p in points if p.positive), None)
        positive = tuple(s for s in prompts.strokes if s.positive)
        key: tuple[object, ...]
        if prompts.mask is not None and (prompts.mask > 127).any():
            mask = self._shrink(prompts.mask > 127)
            key = ("mask", hashlib.sha256(np.packbits(mask).tobytes()).digest())
            state = self._remember(key, lambda: self._single(guess_mask(mask, self._view, self._data_weight)))
        elif prompts.box is not None:
            box = self._box_window(prompts.box)
            key = ("box", box)
            state = self._remember(key, lambda: self._from_box(box))
        elif first is not None or positive:
            seed = self._stroke_seed(positive) if first is None else Seed((((first.x, first.y),),))
            key = ("seed", seed, first)
            state = self._remember(key, lambda: self._from_seed(seed, () if first is None else (first,)))
        else:
            return _State(((empty_mask(self._base), 0.0),))
        if first is not None and key[0] == "seed":
            points = (first, *_without(points, first))
        return self._click_through(key, state, points)

    def _click_through(self, key: tuple[object, ...], state: _State, points: tuple[Point, ...]) -> _State:
        for count in range(1, len(points) + 1):
            so_far = points[:count]
            state = self._remember((key, so_far), partial(self._click, state, so_far))
        return state

    def _click(self, state: _State, points: tuple[Point, ...]) -> _State:
        mask, score = state.readings[0]
        if bool(mask[pixel(mask, points[-1])]) == points[-1].positive:
            # The choice between readings stays open only as long as there is one click.
            return state if len(points) == 1 else _State(state.readings[:1])
        with ThreadPoolExecutor(self._threads) as pool:
            mask = apply_click(mask, points, self._view, self._detail, self._data_weight, pool.map)
        return _State(((mask, 1 - (1 - score) * CLICK_GAIN),))

    def _remember(self, key: object, make: Callable[[], _State]) -> _State:
        if key not in self._states:
            if len(self._states) >= KEPT_STATES:
                self._states.clear()
            self._states[key] = make()
        return self._states[key]

    def _from_seed(self, seed: Seed, points: tuple[Point, ...]) -> _State:
        with ThreadPoolExecutor(self._threads) as pool:
            found = guess_scales(self._base, seed, self._view, pool.map, self._data_weight)
        best = refine(found[0].mask, points, self._view, self._data_weight)
        readings = [(best, found[0].score)]
        for item in found[1:]:
            if len(readings) <= ALTERNATIVES and all(iou(item.mask, mask) < 0.85 for mask, _ in readings):
                readings.append((item.mask, min(item.score, found[0].score)))
        return _State(tuple(readings))

    def _from_box(self, box: Window) -> _State:
        with ThreadPoolExecutor(self._threads) as pool:
            return self._single(guess_box(self._base, box, self._view, pool.map, self._data_weight))

    def _single(self, item: Hypothesis) -> _State:
        return _State(((item.mask, item.score),))

    def _view(self, window: Window, area: int) -> View:
        with self._lock:
            if (window, area) not in self._views:
                if len(self._views) >= KEPT_VIEWS:
                    self._views.clear()
                self._views[window, area] = View(self._base, window, area)
            return self._views[window, area]

    def _xy(self, x: float, y: float) -> tuple[float, float]:
        return (x + 0.5) * self._fx - 0.5, (y + 0.5) * self._fy - 0.5

    def _to_base(self, point: Point) -> Point:
        return Point(*self._xy(point.x, point.y), point.positive)

    def _box_window(self, box: Box) -> Window:
        height, width = self._base.shape[:2]
        left, top = self._xy(box.x0 - 0.5, box.y0 - 0.5)
        right, bottom = self._xy(box.x1 + 0.5, box.y1 + 0.5)
        x0, y0 = min(max(round(left + 0.5), 0), width - 1), min(max(round(top + 0.5), 0), height - 1)
        return x0, y0, min(max(round(right + 0.5), x0 + 1), width), min(max(round(bottom + 0.5), y0 + 1), height)

    def _stroke_seed(self, strokes: tuple[Stroke, ...]) -> Seed:
        lines = tuple(tuple(self._xy(x, y) for x, y in stroke.points) for stroke in strokes)
        return Seed(lines, max(stroke.radius for stroke in strokes) * math.sqrt(self._fx * self._fy))

    def _shrink(self, mask: Region) -> Region:
        size = self._base.shape[1], self._base.shape[0]
        small = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 127
        if not small.any():
            # Too little to survive the scaling: keep the pixel that it falls on.
            row, column = (int(n[0]) for n in np.nonzero(mask))
            small[min(int(row * self._fy), size[1] - 1), min(int(column * self._fx), size[0] - 1)] = True
        return np.asarray(small)

    def _finish(self, mask: Region, prompts: Prompts) -> Region:
        """Return a base mask at the image's size, with strokes and clicks as the user put them."""
        assert self._image is not None
        height, width = self._image.shape[:2]
        full = cv2.resize(mask.astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_LINEAR)
        full = (full > 127).astype(np.uint8)
        paint(full, prompts.strokes)
        for point in prompts.points:
            full[pixel(full, point)] = point.positive
        return np.asarray(full > 0)


def _without(points: Iterable[Point], first: Point) -> tuple[Point, ...]:
    """Return the points without the earliest one that equals `first`."""
    rest = list(points)
    rest.remove(first)
    return tuple(rest)
