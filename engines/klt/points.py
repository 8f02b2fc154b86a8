"""All points between two frames: the user's and the supports, in one pool, each row on its own."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.klt.motion import Motion, evened
from engines.klt.patches import HALF, SIDE, Look, Patches
from engines.klt.supports import EVERY, GENERATIONS, LAGS, Expected, expect, grid, sow

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
Grey = NDArray[np.uint8]

REMEMBERED = EVERY * GENERATIONS
"""Frames whose positions are kept: the life of a support."""
AGAIN = 48
"""Frames after which a lost point is taken to be where it is expected, before the supports that tell so die."""
SURE = 0.75
"""Likeness from which a place counts as sure: it is what a lost point is expected from."""
MOST_BENT = 4.0
"""How much larger or smaller than at the query a patch may become."""
BLOCK = 512
"""Points that are worked on at once."""
LOOK_EVERY = 3
"""Frames between two looks for a lost point."""
RADIUS = 4.0
"""Pixels around the expected place that are searched at once; it grows by one a frame."""
MOVED = 2.0
"""Pixels that a patch may be put off the place where motion takes its point."""


class Points:
    """Points followed from step to step.

    Args:
        count: of the user's points; the supports have the rows after them.
        size: (width, height) of the pictures.
        visibility: likeness from which a point counts as seen.
        search: pixels around its expected place in which a lost point is looked for at most.
    """

    def __init__(self, count: int, size: tuple[int, int], visibility: float, search: float) -> None:
        self._columns, self._cell_rows = grid(*size)
        self._each = self._columns * self._cell_rows
        total = count + GENERATIONS * self._each
        self._count, self._size = count, size
        self._visibility, self._search_most = visibility, search
        self.xy: Floats = np.zeros((total, 2), np.float32)
        self.linear: Floats = np.tile(np.eye(2, dtype=np.float32), (total, 1, 1))
        self.likeness: Floats = np.zeros(total, np.float32)
        self.seen: Flags = np.zeros(total, bool)
        self._alive: Flags = np.zeros(total, bool)
        self._born = np.full(total, -1)
        self._patches = Patches.empty(total)
        self._recent: Floats = np.zeros((total, SIDE * SIDE), np.float32)
        self._level: Floats = np.ones(total, np.float32)
        self._lost_for = np.zeros(total, int)
        self._sure_xy: Floats = np.zeros((total, 2), np.float32)
        self._sure_linear = self.linear.copy()
        self._sure_step = np.zeros(total, int)
        self._past: Floats = np.zeros((REMEMBERED, total, 2), np.float32)
        self._past_seen: Flags = np.zeros((REMEMBERED, total), bool)
        self._before: Grey | None = None
        self._step = 0

    def advance(self, grey: Grey, step: int, fresh: Indices, places: Floats) -> None:
        """Go on to the next picture.

        Args:
            grey: uint8 [H, W].
            step: its number, one more than the last one's.
            fresh: rows of points that begin here.
            places: float32 [F, 2], where.
        """
        self._step = step
        even, soft = evened(grey), cv2.GaussianBlur(grey, (0, 0), 0.8)
        if self._before is not None:
            motion = Motion(self._before, even)
            alive = np.flatnonzero(self._alive)
            # The supports first: the others lean on where they are now.
            for group in (alive[alive >= self._count], alive[alive < self._count]):
                for rows in _blocks(group):
                    self._go(rows, motion, soft)
                for rows in _blocks(group[~self.seen[group]]):
                    self._recover(rows, soft)
        if step % EVERY == 0:
            self._sow(grey, soft)
        for part in _blocks(np.arange(len(fresh))):
            self._begin(fresh[part], places[part], soft)
        self._past[step % REMEMBERED], self._past_seen[step % REMEMBERED] = self.xy, self.seen
        self._before = even

    def _begin(self, rows: Indices, places: Floats, soft: Grey) -> None:
        if not len(rows):
            return
        linear = np.tile(np.eye(2, dtype=np.float32), (len(rows), 1, 1))
        cut = Patches.cut(soft, places, linear)
        # Where there is nothing to recognise, a patch twice as wide may have something.
        poor = np.flatnonzero(~cut.clear)
        linear[poor] *= 2
        cut.put(poor, Patches.cut(soft, places[poor], linear[poor]))
        self._patches.put(rows, cut)
        self._recent[rows] = cut.values
        self.xy[rows] = self._sure_xy[rows] = places
        self.linear[rows] = self._sure_linear[rows] = linear
        self.likeness[rows], self.seen[rows], self._alive[rows] = 1, True, True
        self._born[rows] = self._sure_step[rows] = self._step
        self._lost_for[rows], self._level[rows] = 0, 1

    def _sow(self, grey: Grey, soft: Grey) -> None:
        rows = self._count + (self._step // EVERY % GENERATIONS) * self._each + np.arange(self._each)
        places, good = sow(grey, self._columns, self._cell_rows)
        self._alive[rows] = self.seen[rows] = False
        self._past_seen[:, rows] = False
        self._begin(rows[good], places[good], soft)

    def _go(self, rows: Indices, motion: Motion, soft: Grey) -> None:
        """Take points to this picture."""
        seen = rows[self.seen[rows]]
        there, good = motion.follow(self.xy[seen])
        found = self._patches.take(seen).align(soft, there, self.linear[seen])
        moved = np.linalg.norm(found.centres - there, axis=1)
        fits = (moved < np.where(good, MOVED, 2 * MOVED)) & self._sane(found.linear) & self._patches.clear[seen]
        stay, _ = self._patches.take(seen).look(soft, there, self.linear[seen])
        centres = np.where(fits[:, None], found.centres, there)
        linear = np.where(fits[:, None, None], found.linear, self.linear[seen])
        own = np.where(fits, found.likeness, stay.likeness)
        recent = Look.of(found.there, self._recent[seen]).likeness
        likeness = self._joined(own, recent)
        level = self._level[seen]
        ok = self._inside(centres) & (likeness > self._visibility * level) & (good | (likeness > 0.9 * level))
        self._level[seen] = np.where(ok, np.maximum(level + 0.2 * (likeness - level), 0.7), level)
        done = seen[ok]
        self._put(done, centres[ok], linear[ok], likeness[ok])
        sure = ok & (likeness > 0.93 * level) & good
        self._keep(seen[sure], found.there[sure])
        self.seen[seen] = ok

    def _joined(self, own: Floats, recent: Floats) -> Floats:
        return np.where(own > 0.3, np.maximum(own, 0.5 * own + 0.5 * recent), own).astype(np.float32)

    def _put(self, rows: Indices, centres: Floats, linear: Floats, likeness: Floats) -> None:
        self.xy[rows], self.linear[rows], self.likeness[rows] = centres, linear, likeness
        self.seen[rows], self._lost_for[rows] = True, 0

    def _keep(self, rows: Indices, there: Floats) -> None:
        """Remember sure places."""
        self._sure_xy[rows], self._sure_linear[rows], self._sure_step[rows] = (
            self.xy[rows],
            self.linear[rows],
            self._step,
        )
        if self._step % 4 == 0:
            self._recent[rows] = there

    def _sane(self, linear: Floats) -> Flags:
        scale = np.sqrt(np.abs(np.linalg.det(linear)))
        return np.asarray((scale < MOST_BENT) & (scale > 1 / MOST_BENT))

    def _inside(self, xy: Floats) -> Flags:
        return np.asarray(((xy >= -0.5) & (xy <= np.array(self._size) - 0.5)).all(axis=1))

    def _recover(self, rows: Indices, soft: Grey) -> None:
        """Look for lost points where they are expected."""
        self._lost_for[rows] += 1
        self.likeness[rows] = 0
        if not len(rows):
            return
        expected = self._expected(rows)
        told = expected.weight > 0.4
        linear = expected.linear @ self._sure_linear[rows]
        told &= self._sane(linear)
        self._again(rows[told], expected.places[told], linear[told])
        places = np.where(told[:, None], expected.places, self._sure_xy[rows])
        linear = np.where(told[:, None, None], linear, self._sure_linear[rows])
        found = self._patches.take(rows).align(soft, places, linear, 4)
        moved = np.linalg.norm(found.centres - places, axis=1)
        clear = self._patches.clear[rows]
        good = self._inside(found.centres) & self._sane(found.linear) & told & (moved < 5)
        good &= np.where(
            clear,
            found.likeness > np.maximum(0.7, self._visibility * self._level[rows]),
            (found.likeness > 0.6) & (moved < 2) & (expected.weight > 1),
        )
        self._put(rows[good], found.centres[good], found.linear[good], found.likeness[good])
        due = ~good & clear & (self._lost_for[rows] % LOOK_EVERY == 0) & (self._search_most > 0)
        for place in np.flatnonzero(due).tolist():
            self._look(rows[place], places[place], linear[place], soft)

    def _expected(self, rows: Indices) -> Expected:
        """Tell where points are by the supports: those that live since, and moved as each did."""
        supports = np.flatnonzero(self.seen & (np.arange(len(self.seen)) >= self._count))
        if not len(supports):
            return Expected(
                self._sure_xy[rows],
                np.tile(np.eye(2, dtype=np.float32), (len(rows), 1, 1)),
                np.zeros(len(rows), np.float32),
            )
        since = self._sure_step[rows]
        then = self._past[since % REMEMBERED][:, supports]
        weight = self._past_seen[since % REMEMBERED][:, supports].astype(np.float32)
        weight *= (self._born[supports][None] <= since[:, None]) & (self._step - since[:, None] < REMEMBERED)
        weight *= self._born[supports][None] >= (self._born[rows] // EVERY * EVERY)[:, None]
        weight *= supports[None] != rows[:, None]
        far = np.linalg.norm(then - self._sure_xy[rows][:, None], axis=2)
        for lag in LAGS:
            earlier = (since - lag) % REMEMBERED
            known = (
                self._past_seen[earlier][:, supports]
                & self._past_seen[earlier, rows][:, None]
                & (since - lag >= np.maximum(self._born[supports][None], self._born[rows][:, None]).T).T
                & (self._step - since + lag < REMEMBERED)[:, None]
            )
            own = self._sure_xy[rows] - self._past[earlier, rows]
            off = np.linalg.norm(then - self._past[earlier][:, supports] - own[:, None], axis=2)
            tolerance = 1.5 + 0.01 * lag * far
            weight *= np.where(known, 1 / (1 + (off / tolerance) ** 4), 1)
        return expect(self._sure_xy[rows], then, self.xy[supports], weight)

    def _again(self, rows: Indices, places: Floats, linear: Floats) -> None:
        """Before the supports of a lost point die, take it to be where they say."""
        late = self._step - self._sure_step[rows] >= AGAIN
        self._sure_xy[rows[late]], self._sure_linear[rows[late]] = places[late], linear[late]
        self._sure_step[rows[late]] = self._step

    def _look(self, row: int, place: Floats, linear: Floats, soft: Grey) -> None:
        """Search around a place for a patch that is straightened as the template is."""
        radius = int(min(self._search_most, RADIUS + self._lost_for[row]))
        if (
            not self._inside(place[None] + 0)[0]
            and not ((place > -radius) & (place < np.array(self._size) + radius)).all()
        ):
            return
        reach = radius + HALF
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
        at = np.stack([x, y], -1) @ linear.T + place
        window = cv2.remap(soft, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        template = self._patches.values[row].reshape(SIDE, SIDE)
        scores = cv2.matchTemplate(window.astype(np.float32), template, cv2.TM_CCOEFF_NORMED)
        _, best, _, (dx, dy) = cv2.minMaxLoc(scores)
        if best < 0.6:
            return
        start = (place + linear @ np.array([dx - radius, dy - radius], np.float32)).astype(np.float32)[None]
        cv2.circle(scores, (dx, dy), 4, -1, -1)
        second = float(scores.max())
        rows = np.array([row])
        found = self._patches.take(rows).align(soft, start, linear[None], 4)
        good = (
            found.likeness[0] > 0.85
            and self._inside(found.centres)[0]
            and np.linalg.norm(found.centres - start) < 4
            and self._sane(found.linear)[0]
        )
        if good and (best - second > 0.06 or np.linalg.norm(found.centres - place) < 3):
            self._put(rows, found.centres, found.linear, found.likeness)


def _blocks(rows: Indices) -> list[Indices]:
    return [rows[place : place + BLOCK] for place in range(0, len(rows), BLOCK)]
