"""Which frames each object's masks are carried to, from which keyframes, in which direction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from engines.base import Direction


@dataclass(frozen=True)
class Run:
    """A run through the frames between two keyframes of an object, or between one and the end of the range."""

    object_id: int
    keys: tuple[int, ...]
    """The keyframes that it sees: the one it begins at first."""
    frames: range
    """In the order in which they are made; keyframes are not among them."""

    @property
    def is_reverse(self) -> bool:
        """Tell whether it goes back in time."""
        return self.frames.step < 0


def plan_runs(object_id: int, keys: Iterable[int], start: int, stop: int, direction: Direction) -> list[Run]:
    """Return the runs that make an object's masks for the frames `start` .. `stop`, each frame once.

    Forward runs go from each keyframe to the next; where both directions are asked for they see that next one as well,
    and the frames before the first keyframe are made in reverse. A run sees no other keyframes, so that a corrected one
    makes only the frames up to its neighbours stale.
    """
    known = sorted(keys)
    if not known:
        return []
    runs = []
    if direction is not Direction.FORWARD:
        runs.append(Run(object_id, (known[0],), range(known[0] - 1, start - 1, -1)))
    for before, after in pairwise(known):
        if direction is Direction.BACKWARD:
            runs.append(Run(object_id, (after,), range(after - 1, max(before, start - 1), -1)))
        else:
            seen = (before, after) if direction is Direction.BOTH else (before,)
            runs.append(Run(object_id, seen, range(before + 1, min(after, stop))))
    if direction is not Direction.BACKWARD:
        runs.append(Run(object_id, (known[-1],), range(known[-1] + 1, stop)))
    return [run for run in runs if any(start <= index < stop for index in run.frames)]
