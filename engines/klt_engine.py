"""Point tracking by Lucas and Kanade with a memory of the query's patch. No weights, any CPU.

From frame to frame a point goes where pyramidal Lucas-Kanade (Bouguet 2001) takes it, checked there and back; where
that fails, where the features around it go. Then the query's own patch, bent as the picture around it was, is aligned
with what is there: so errors do not add up, and how well it fits tells whether the point is seen. A point that is lost
moves with its surroundings and is looked for around there, wider and wider.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Direction, FrameSource, Image, TrackChunk
from engines.klt.field import Field, Grey, evened, follow
from engines.klt.patches import HALF, SIDE, Patches

Floats = NDArray[np.float32]
CHUNK = 16
"""Frames of a chunk."""
FOUND_AGAIN = 0.8
"""Likeness from which a patch that is looked for counts as found."""
LOOK_EVERY = 3
"""Frames between two looks for a lost point."""
RADIUS, WIDEST = 6.0, 30.0
"""Pixels around the expected place that are searched, at once and after long."""
MOST_BENT = 2.5
"""How much larger or smaller than at the query a patch may become."""


class KltTracker:
    """Query points -> tracks; see engines.base.PointTracker. Memory does not grow with the clip.

    Args:
        visibility: likeness, 0..1, from which a point counts as seen.
        search: pixels around its expected place in which a lost point is looked for; 0 does not look.
    """

    def __init__(self, visibility: float = 0.5, search: float = WIDEST) -> None:
        self.visibility = visibility
        self.search = search

    def track(
        self, source: FrameSource, queries: Floats, start: int, stop: int, direction: Direction
    ) -> Iterator[TrackChunk]:
        """Yield the tracks; see engines.base.PointTracker."""
        step = -1 if direction is Direction.BACKWARD else 1
        order = range(start, stop)[::step]
        state = _State(queries, self)
        rows: list[tuple[int, Floats, NDArray[np.bool_], Floats]] = []
        for index in order:
            state.advance(source.read(index), index)
            rows.append((index, *state.row()))
            if len(rows) == CHUNK:
                yield _chunk(rows)
                rows = []
        if rows:
            yield _chunk(rows)


def _chunk(rows: list[tuple[int, Floats, NDArray[np.bool_], Floats]]) -> TrackChunk:
    ordered = sorted(rows, key=lambda row: row[0])
    tracks, visible, confidence = (np.stack([row[part] for row in ordered]) for part in (1, 2, 3))
    return TrackChunk(ordered[0][0], tracks.astype(np.float32), visible, confidence.astype(np.float32))


class _State:
    """All points between two frames."""

    def __init__(self, queries: Floats, options: KltTracker) -> None:
        count = len(queries)
        self._options = options
        self._frames = queries[:, 0].astype(int)
        self._xy: Floats = queries[:, 1:].astype(np.float32)
        self._linear: Floats = np.tile(np.eye(2, dtype=np.float32), (count, 1, 1))
        self._likeness: Floats = np.zeros(count, np.float32)
        self._begun = np.zeros(count, bool)
        self._seen = np.zeros(count, bool)
        self._lost_for = np.zeros(count, int)
        self._patches: Patches | None = None
        self._before: Grey | None = None
        self._size = (0, 0)

    def advance(self, rgb: Image, index: int) -> None:
        """Go to the next frame of the order."""
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        self._size = grey.shape[1], grey.shape[0]
        moving, even = np.flatnonzero(self._begun), evened(grey)
        if self._before is not None and len(moving):
            self._move(moving, even)
            self._align(moving, grey)
            self._search(grey)
        self._before = even
        self._begin(np.flatnonzero(self._frames == index), grey)

    def row(self) -> tuple[Floats, NDArray[np.bool_], Floats]:
        """Return positions, visibility and confidence of this frame."""
        confidence = np.where(self._begun, np.clip(self._likeness, 0, 1), 0).astype(np.float32)
        return self._xy.copy(), self._seen.copy(), confidence

    def _begin(self, fresh: NDArray[np.intp], grey: NDArray[np.uint8]) -> None:
        if not len(fresh):
            return
        cut = Patches.cut(grey, self._xy[fresh])
        if self._patches is None:
            count = len(self._frames)
            self._patches = Patches(
                np.zeros((count, SIDE * SIDE), np.float32),
                np.zeros((count, SIDE * SIDE, 6), np.float32),
                np.zeros((count, 6, 6), np.float32),
                np.zeros(count, bool),
            )
        self._patches.values[fresh], self._patches.steepest[fresh] = cut.values, cut.steepest
        self._patches.inverse[fresh], self._patches.clear[fresh] = cut.inverse, cut.clear
        self._begun[fresh] = self._seen[fresh] = True
        self._likeness[fresh] = 1

    def _move(self, points: NDArray[np.intp], even: Grey) -> None:
        """Take points to the next frame: seen ones by their own picture, others with their surroundings."""
        assert self._before is not None
        field = Field.between(self._before, even)
        linear, expected, told = field.around(self._xy[points])
        there, good = follow(self._before, even, self._xy[points], expected)
        own = good & self._seen[points] & (~told | (np.linalg.norm(there - expected, axis=1) < 12))
        self._xy[points] = np.where(own[:, None], there, expected)
        bent = linear @ self._linear[points]
        scale = np.sqrt(np.abs(np.linalg.det(bent)))
        sane = (scale < MOST_BENT) & (scale > 1 / MOST_BENT)
        self._linear[points] = np.where(sane[:, None, None], bent, self._linear[points])

    def _align(self, points: NDArray[np.intp], grey: NDArray[np.uint8]) -> None:
        """Put patches in their place, and see who is there."""
        assert self._patches is not None
        patches = self._patches.take(points)
        centres, linear, likeness = patches.align(grey, self._xy[points], self._linear[points])
        near = np.linalg.norm(centres - self._xy[points], axis=1) < 4
        scale = np.sqrt(np.abs(np.linalg.det(linear)))
        good = near & (likeness > 0.7) & patches.clear & (scale < MOST_BENT) & (scale > 1 / MOST_BENT)
        plain = patches.likeness(grey, self._xy[points], self._linear[points])
        self._xy[points] = np.where(good[:, None], centres, self._xy[points])
        self._linear[points] = np.where(good[:, None, None], linear, self._linear[points])
        self._likeness[points] = np.where(good, likeness, plain)
        # A patch without texture cannot be recognised: such a point is seen as long as its motion can be followed.
        enough = np.where(self._seen[points], self._options.visibility, max(self._options.visibility, 0.7))
        inside = self._inside(self._xy[points])
        self._seen[points] = inside & ((self._likeness[points] >= enough) | (~patches.clear & self._seen[points]))
        self._lost_for[points] = np.where(self._seen[points], 0, self._lost_for[points] + 1)

    def _inside(self, xy: Floats) -> NDArray[np.bool_]:
        return np.asarray(((xy >= -0.5) & (xy <= np.array(self._size) - 0.5)).all(axis=1))

    def _search(self, grey: NDArray[np.uint8]) -> None:
        """Look for lost points around where they should be."""
        assert self._patches is not None
        lost = self._begun & ~self._seen & self._patches.clear
        due = lost & (self._lost_for % LOOK_EVERY == 1) if self._options.search else lost & False
        for point in np.flatnonzero(due).tolist():
            self._look(point, grey)

    def _look(self, point: int, grey: NDArray[np.uint8]) -> None:
        assert self._patches is not None
        radius = int(min(self._options.search, RADIUS + self._lost_for[point]))
        x, y = (int(round(float(value))) for value in self._xy[point])
        reach = radius + HALF
        if not (-radius <= x < self._size[0] + radius and -radius <= y < self._size[1] + radius):
            return
        window = cv2.getRectSubPix(grey, (2 * reach + 1, 2 * reach + 1), (float(x), float(y)))
        # The template as it would look now: straightened windows would cost one a candidate.
        template = self._bent_template(point)
        scores = cv2.matchTemplate(window, template, cv2.TM_CCOEFF_NORMED)
        _, best, _, (dx, dy) = cv2.minMaxLoc(scores)
        if best < FOUND_AGAIN - 0.1:
            return
        place = np.array([[x + dx - radius, y + dy - radius]], np.float32)
        centres, linear, likeness = self._patches.take(np.array([point])).align(grey, place, self._linear[[point]])
        if likeness[0] >= FOUND_AGAIN and self._inside(centres)[0] and np.linalg.norm(centres - place) < 4:
            self._xy[point], self._linear[point], self._likeness[point] = centres[0], linear[0], likeness[0]
            self._seen[point], self._lost_for[point] = True, 0

    def _bent_template(self, point: int) -> NDArray[np.uint8]:
        assert self._patches is not None
        back = np.linalg.inv(self._linear[point])
        y, x = np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1].astype(np.float32)
        at = np.stack([x, y], -1) @ back.T.astype(np.float32) + HALF
        values = self._patches.values[point].reshape(SIDE, SIDE)
        scaled = np.clip((values - values.min()) / max(1e-6, float(np.ptp(values))) * 255, 0, 255).astype(np.uint8)
        return np.asarray(
            cv2.remap(scaled, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
