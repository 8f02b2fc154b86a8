"""All points between two frames: the user's and the supports, in one pool, each row on its own."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.klt.motion import Motion, evened
from engines.klt.patches import SIDE, Look, Patches
from engines.klt.search import search
from engines.klt.supports import EVERY, GENERATIONS, LAGS, Expected, expect, grid, sow

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
Grey = NDArray[np.uint8]

REMEMBERED = EVERY * GENERATIONS
"""Frames whose positions are kept: the life of a support."""
AGAIN = 48
"""Frames after which a lost point is taken to be where it is expected, before the supports that tell so die."""
SURE = 0.93
"""Share of its own usual likeness from which a point's place counts as sure: a lost point is expected from there."""
GUESSED, GUESSED_FLAT = 0.85, 0.75
"""The same share where motion is but a guess, with something to recognise and without: flat points often are."""
FITS, FOUND = 0.78, 0.85
"""Likeness from which a patch counts as found: where its point is expected, and after a search."""
MOST_BENT = 4.0
"""How much larger or smaller a patch may become."""
BLOCK = 256
"""Points that are worked on at once: with larger matrices BLAS starts threads, which cost more than they bring."""
LOOK_EVERY = 3
"""Frames between two looks for a lost point."""
RADIUS = 4.0
"""Pixels around the expected place that are searched at once; it grows by one a frame."""
CUT, ENOUGH = 0.3, 8
"""Share of the supports that stay from one picture to the next, below which that is a cut; of at least so many."""
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
        self.begun: Flags = np.zeros(total, bool)
        self._born = np.full(total, -1)
        self._patches = Patches.empty(total)
        self._recent: Floats = np.zeros((total, SIDE * SIDE), np.float32)
        self._level: Floats = np.ones(total, np.float32)
        self._lost_for = np.zeros(total, int)
        self._led: Flags = np.zeros(total, bool)
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
            alive, seen = np.flatnonzero(self.begun), np.flatnonzero(self.seen)
            there, good = motion.follow(self.xy[seen])
            # Where a lost point is, nobody knows: with what moved with it before or, where that says little, with the
            # picture. Either is a better guess than that it stays.
            adrift = alive[~self.seen[alive] & ~self._led[alive] & (alive < self._count)]
            self.xy[adrift] = motion.roughly(self.xy[adrift])
            young = self._young()
            before = int(self.seen[young].sum())
            for part in _blocks(np.arange(len(seen))):
                self._go(seen[part], there[part], good[part], soft)
            if before >= ENOUGH and self.seen[young].sum() < CUT * before:
                # What still looks alike after a cut does so by chance.
                self.seen[:] = False
            # The supports first: the others lean on where they are now.
            lost = alive[~self.seen[alive]]
            for group in (lost[lost >= self._count], lost[lost < self._count]):
                for rows in _blocks(group):
                    self._recover(rows, soft)
        if step % EVERY == 0:
            self._sow(grey, soft)
        for part in _blocks(np.arange(len(fresh))):
            self._begin(fresh[part], places[part], soft)
        self._past[step % REMEMBERED], self._past_seen[step % REMEMBERED] = self.xy, self.seen
        self._before = even

    def _young(self) -> Indices:
        """Return the rows of the latest supports, which are there whatever other points are asked for."""
        first = self._count + ((self._step - 1) // EVERY % GENERATIONS) * self._each
        return np.arange(first, first + self._each)

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
        self.likeness[rows], self.seen[rows], self.begun[rows] = 1, True, True
        self._born[rows] = self._sure_step[rows] = self._step
        self._lost_for[rows], self._led[rows], self._level[rows] = 0, False, 1

    def _sow(self, grey: Grey, soft: Grey) -> None:
        rows = self._count + (self._step // EVERY % GENERATIONS) * self._each + np.arange(self._each)
        places, good = sow(grey, self._columns, self._cell_rows)
        self.begun[rows] = self.seen[rows] = False
        self._past_seen[:, rows] = False
        self._begin(rows[good], places[good], soft)

    def _go(self, seen: Indices, there: Floats, good: Flags, soft: Grey) -> None:
        """Take points to this picture, to where motion says they are; it may be `good` or a guess."""
        patches = self._patches.take(seen)
        found = patches.align(soft, there, self.linear[seen])
        moved = np.linalg.norm(found.centres - there, axis=1)
        fits = (moved < np.where(good, MOVED, 2 * MOVED)) & self._sane(found.linear) & patches.clear
        stay, _ = patches.look(soft, there, self.linear[seen])
        centres = np.where(fits[:, None], found.centres, there)
        linear = np.where(fits[:, None, None], found.linear, self.linear[seen])
        own = np.where(fits, found.likeness, stay.likeness)
        recent = Look.of(found.there, self._recent[seen]).likeness
        likeness = self._joined(own, recent)
        level = self._level[seen]
        ok = (
            self._inside(centres)
            & (likeness > self._visibility * level)
            & (good | (likeness > np.where(patches.clear, GUESSED, GUESSED_FLAT) * level))
        )
        self._level[seen] = np.where(ok, np.maximum(level + 0.2 * (likeness - level), 0.7), level)
        self.xy[seen[~ok]] = there[~ok]
        done = seen[ok]
        self._put(done, centres[ok], linear[ok], likeness[ok])
        sure = ok & (likeness > SURE * level) & good
        self._keep(seen[sure], found.there[sure])
        self.seen[seen] = ok

    def _joined(self, own: Floats, recent: Floats) -> Floats:
        return np.where(own > 0.3, np.maximum(own, 0.5 * own + 0.5 * recent), own).astype(np.float32)

    def _put(self, rows: Indices, centres: Floats, linear: Floats, likeness: Floats) -> None:
        self.xy[rows], self.linear[rows], self.likeness[rows] = centres, linear, likeness
        self.seen[rows], self._lost_for[rows], self._led[rows] = True, 0, False

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
        # Those that have long been lost can wait for the next picture.
        rows = rows[(self._lost_for[rows] < 4) | (self._lost_for[rows] % 2 == 1)]
        if not len(rows):
            return
        expected = self._expected(rows)
        told = expected.weight > 0.4
        linear = expected.linear @ self._sure_linear[rows]
        told &= self._sane(linear)
        self._again(rows[told], expected.places[told], linear[told])
        firmly = told & (expected.weight > 1)
        self.xy[rows[firmly]], self._led[rows] = expected.places[firmly], firmly
        places = np.where(told[:, None], expected.places, self._sure_xy[rows])
        linear = np.where(told[:, None, None], linear, self._sure_linear[rows])
        good = self._settle(rows, places, linear, told, firmly, soft)
        # Supports find back by each other; where all of them are lost, as after a flash, they have to be looked for.
        own = (rows < self._count) | ~self.seen[self._young()].any()
        due = (
            ~good & self._patches.clear[rows] & own & (self._lost_for[rows] % LOOK_EVERY == 0) & (self._search_most > 0)
        )
        self._look(rows[due], places[due], linear[due], soft)

    def _settle(self, rows: Indices, places: Floats, linear: Floats, told: Flags, firmly: Flags, soft: Grey) -> Flags:
        """Take lost points to be seen where they are expected, if they look right there; return which do."""
        patches = self._patches.take(rows)
        found = patches.align(soft, places, linear)
        moved = np.linalg.norm(found.centres - places, axis=1)
        enough = np.maximum(FITS, self._visibility * self._level[rows])
        clear = patches.clear & (moved < 5) & (found.likeness > enough)
        # Where there is nothing to align, a point is where it is expected, as long as there is still nothing.
        here = patches.look(soft, places, linear)[0].likeness
        flat = ~patches.clear & (here > FITS * self._level[rows]) & firmly
        found.centres[flat], found.linear[flat], found.likeness[flat] = places[flat], linear[flat], here[flat]
        good = self._inside(found.centres) & self._sane(found.linear) & told & (clear | flat)
        self._put(rows[good], found.centres[good], found.linear[good], found.likeness[good])
        return good

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

    def _look(self, rows: Indices, places: Floats, linear: Floats, soft: Grey) -> None:
        """Search for lost points around places."""
        radii = np.minimum(self._search_most, RADIUS + self._lost_for[rows]).astype(int)
        near = ((places > -radii[:, None]) & (places < np.array(self._size) + radii[:, None])).all(axis=1)
        rows, places, linear, radii = rows[near], places[near], linear[near], radii[near]
        patches = self._patches.take(rows)
        starts, alone = search(soft, patches, places, linear, radii)
        found = patches.align(soft, starts, linear)
        good = (found.likeness > FOUND) & self._inside(found.centres) & self._sane(found.linear)
        good &= np.linalg.norm(found.centres - starts, axis=1) < 4
        good &= alone | (np.linalg.norm(found.centres - places, axis=1) < 3)
        self._put(rows[good], found.centres[good], found.linear[good], found.likeness[good])


def _blocks(rows: Indices) -> list[Indices]:
    return [rows[place : place + BLOCK] for place in range(0, len(rows), BLOCK)]
