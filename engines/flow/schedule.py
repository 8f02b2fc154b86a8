"""In which order a propagation visits objects and frames: gaps between keyframes, grouped into blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from engines.base import Direction, Mask


@dataclass(frozen=True)
class Gap:
    """Frames `first` <= t < `stop` of one object between two neighbouring keyframes, or beside the only one.

    `left` and `right` are the keyframes whose masks are carried into the gap; None where nothing comes from that side.
    The frames to fill are those of the range; the gap may begin before it or end after it, where its keyframe lies.
    """

    object_id: int
    first: int
    stop: int
    left: int | None
    right: int | None

    def within(self, wanted: range) -> range:
        """Return the frames of the gap that lie in the range `wanted`."""
        return range(max(self.first, wanted.start), min(self.stop, wanted.stop))

    def anchor(self, heading: int) -> int | None:
        """Return the keyframe that a sweep forwards (+1) or backwards (-1) in time starts from."""
        return self.left if heading > 0 else self.right

    def is_draft(self, heading: int) -> bool:
        """Return whether a sweep in that direction makes drafts: the backward one does where a forward one follows."""
        return heading < 0 and self.left is not None


def find_gaps(keyframes: Mapping[int, Mapping[int, Mask]], start: int, stop: int, direction: Direction) -> list[Gap]:
    """Return every gap that has frames of `start` .. `stop` and a keyframe to fill them from."""
    gaps = []
    for object_id in sorted({object_id for masks in keyframes.values() for object_id in masks}):
        own = sorted(index for index, masks in keyframes.items() if object_id in masks)
        for before, after in pairwise([None, *own, None]):
            left = None if direction is Direction.BACKWARD else before
            right = None if direction is Direction.FORWARD else after
            first = start if before is None else before + 1
            end = stop if after is None else after
            if left is None:
                first = max(first, start)
            if right is None:
                end = min(end, stop)
            has_frames = max(first, start) < min(end, stop)
            if has_frames and (left is not None or right is not None):
                gaps.append(Gap(object_id, first, end, left, right))
    return gaps


def group_blocks(gaps: Iterable[Gap]) -> Iterator[list[Gap]]:
    """Yield the gaps in groups that share no frame, in order of time.

    A block is swept backwards and then forwards before the next one begins, so that finished masks appear early and
    few drafts exist at a time; objects whose gaps overlap go through together and share the flow between two frames.
    """
    block: list[Gap] = []
    end = 0
    for gap in sorted(gaps, key=lambda gap: (gap.first, gap.object_id)):
        if block and gap.first >= end:
            yield block
            block = []
        end = max(end, gap.stop) if block else gap.stop
        block.append(gap)
    if block:
        yield block
