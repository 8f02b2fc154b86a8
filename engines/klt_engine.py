"""Point tracking by Lucas and Kanade with a memory of the query's patch. No weights, any CPU.

From frame to frame a point goes where rough dense flow (DIS, Kroeger et al. 2016) and then pyramidal Lucas-Kanade
(Bouguet 2001) take it, checked there and back. Then the query's own patch is aligned with what is there: so errors do
not add up, and how well it fits tells whether the point is seen. A point that is lost is looked for where the points
that moved with it are now; until it is found it is said to be there or, where they do not tell, goes on with the flow.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Direction, FrameSource, Image, TrackChunk
from engines.klt.points import Points
from engines.klt.supports import EVERY

Floats = NDArray[np.float32]
Row = tuple[Floats, NDArray[np.bool_], Floats]
"""Positions, visibility and confidence of a frame."""
CHUNK = 16
"""Frames of a chunk."""
LONGEST = 1280
"""Long side of the pictures that are worked on."""
LEAST = 64
"""Least side of them: smaller ones are continued by their edge."""


class KltTracker:
    """Query points -> tracks; see engines.base.PointTracker. Memory does not grow with the clip.

    Args:
        visibility: likeness, 0..1, from which a point counts as seen.
        search: pixels around its expected place in which a lost point is looked for; 0 does not look.
    """

    def __init__(self, visibility: float = 0.65, search: float = 30.0) -> None:
        self.visibility = visibility
        self.search = search

    def track(
        self, source: FrameSource, queries: Floats, start: int, stop: int, direction: Direction
    ) -> Iterator[TrackChunk]:
        """Yield the tracks; see engines.base.PointTracker."""
        order = list(range(start, stop))[:: -1 if direction is Direction.BACKWARD else 1]
        run = _Run(self, queries, source.size)
        steps = np.array([order.index(int(frame)) for frame in queries[:, 0]])
        # Supports are sown at fixed steps, and nobody leans on those from before: a run may begin there.
        first = int(steps.min()) // EVERY * EVERY
        for place in range(0, len(order), CHUNK):
            rows: list[Row] = []
            for step in range(place, min(place + CHUNK, len(order))):
                if step >= first:
                    run.advance(source.read(order[step]), step, np.flatnonzero(steps == step))
                rows.append(run.row())
            if direction is Direction.BACKWARD:
                rows.reverse()
            tracks, visible, confidence = (np.stack(part) for part in zip(*rows, strict=True))
            yield TrackChunk(min(order[place : place + CHUNK]), tracks, visible, confidence)


class _Run:
    """The user's points in pixels of the source, over points in pixels of the pictures worked on."""

    def __init__(self, options: KltTracker, queries: Floats, size: tuple[int, int]) -> None:
        self._factor = min(1.0, LONGEST / max(size))
        work = max(1, round(size[0] * self._factor)), max(1, round(size[1] * self._factor))
        self._work = work
        self._scale = np.array([work[0] / size[0], work[1] / size[1]], np.float32)
        self._xy = queries[:, 1:].astype(np.float32)
        self._queries = self._xy.copy()
        self._points = Points(len(queries), work, options.visibility, options.search)

    def advance(self, rgb: Image, step: int, fresh: NDArray[np.intp]) -> None:
        """Go to the next frame of the order."""
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        if self._work != (grey.shape[1], grey.shape[0]):
            grey = cv2.resize(grey, self._work, interpolation=cv2.INTER_AREA)
        lacking = [max(0, LEAST - side) for side in grey.shape]
        if any(lacking):
            grey = cv2.copyMakeBorder(grey, 0, lacking[0], 0, lacking[1], cv2.BORDER_REPLICATE)
        self._points.advance(grey, step, fresh, (self._queries[fresh] + 0.5) * self._scale - 0.5)
        count = len(self._xy)
        begun = self._points.begun[:count]
        self._xy[begun] = (self._points.xy[:count][begun] + 0.5) / self._scale - 0.5
        self._xy[fresh] = self._queries[fresh]

    def row(self) -> Row:
        """Return positions, visibility and confidence of this frame; a lost point is where it is thought to be."""
        count = len(self._xy)
        return self._xy.copy(), self._points.seen[:count].copy(), np.clip(self._points.likeness[:count], 0, 1)
