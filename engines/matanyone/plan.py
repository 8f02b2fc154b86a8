"""Which runs make an object's alpha, and how two of them are blended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Leg:
    """A run from one keyframe of an object, forward or backward, up to its neighbour or the end of the range."""

    object_id: int
    key: int
    """The keyframe that it begins at."""
    frames: range
    """The frames that are asked for, ascending; those between `key` and them are run through as well."""
    towards: int | None
    """The neighbouring keyframe that pulls at the same frames from the other side; None where none does."""

    @property
    def is_reverse(self) -> bool:
        """Tell whether it goes back in time."""
        return self.frames[0] < self.key

    def weight(self, index: int) -> float:
        """Return how much this run counts at frame `index`: 1 at its keyframe, 0 at the one that it goes towards."""
        if self.towards is None:
            return 1.0
        return 1 - abs(index - self.key) / abs(self.towards - self.key)


def plan_legs(object_id: int, keys: Sequence[int], start: int, stop: int, is_there: Callable[[int], bool]) -> list[Leg]:
    """Return the runs that make an object's alpha for the frames `start` .. `stop`.

    From each keyframe one goes forward up to the next keyframe and one goes back to the one before, so that two meet
    between two keyframes. A keyframe that says that the object is absent starts no run and pulls at none: the object
    is then followed from the other side alone, right up to that keyframe.

    Args:
        object_id: of the object.
        keys: its keyframes, ascending.
        start: first frame.
        stop: one past the last frame.
        is_there: tells whether the object is in the picture on a keyframe; asked about the nearest ones only.
    """
    legs = []
    bounds: list[int | None] = [None, *keys, None]
    for before, after in pairwise(bounds):
        # The keyframe itself belongs to the run that goes forward from it.
        first = start if before is None else max(start, before)
        last = stop if after is None else min(stop, after)
        if first >= last:
            continue
        from_before = before if before is not None and is_there(before) else None
        from_after = after if after is not None and is_there(after) else None
        if from_before is not None:
            legs.append(Leg(object_id, from_before, range(first, last), from_after))
        back = range(first if before is None else max(first, before + 1), last)
        if from_after is not None and back:
            legs.append(Leg(object_id, from_after, back, from_before))
    return legs
