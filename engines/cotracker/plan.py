"""Which frames a pass goes through, in which windows, and which points go together. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.base import Direction

Floats = NDArray[np.float32]
BLANKS = 64
"""Most frames of a chunk in which no point has begun."""


@dataclass(frozen=True)
class Window:
    """Frames that the network sees together; places count from the pass's first frame, in its direction."""

    start: int
    stop: int
    final: int
    """How many of its frames, from the first on, no later window changes."""


def plan_windows(length: int, size: int, overlap: int) -> list[Window]:
    """Return windows of `size` frames that overlap by `overlap`, the last one shorter where the clip ends.

    Args:
        length: frames of the pass, at least one.
        size: of a window.
        overlap: frames of a window that the one before had too, less than `size`.
    """
    step = size - overlap
    starts = range(0, max(1, length - overlap), step)
    return [
        Window(start, min(start + size, length), step if start != starts[-1] else length - start) for start in starts
    ]


@dataclass(frozen=True)
class Pass:
    """A way through a range of a clip, from the first query to the range's end; backward it goes back in time."""

    start: int
    stop: int
    first: int
    """The frame that it begins at."""
    step: int
    """1, or -1 for a pass back in time."""

    @classmethod
    def over(cls, frames: NDArray[np.int64], start: int, stop: int, direction: Direction) -> Pass:
        """Return the pass over the frames `start` .. `stop` for queries on those frames.

        It begins at the first of them: frames before have nothing to follow, and the network learns nothing there.
        """
        if direction is Direction.BACKWARD:
            return cls(start, stop, int(frames.max()), -1)
        return cls(start, stop, int(frames.min()), 1)

    def __len__(self) -> int:
        """Return the number of frames that it goes through."""
        return self.stop - self.first if self.step > 0 else self.first - self.start + 1

    def frame(self, place: int) -> int:
        """Return the frame at a place of the pass."""
        return self.first + self.step * place

    def places(self, frames: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of frames."""
        return (frames - self.first) * self.step

    def blanks(self) -> list[tuple[int, int]]:
        """Return the (start, stop) of chunks before the first query, in the order in which they are yielded."""
        if self.step > 0:
            return [(at, min(at + BLANKS, self.first)) for at in range(self.start, self.first, BLANKS)]
        after = self.first + 1
        return [(max(after, at - BLANKS), at) for at in range(self.stop, after, -BLANKS)]


def plan_groups(count: int, most: int) -> list[NDArray[np.int64]]:
    """Return the indices of `count` points in as few groups of at most `most` as there can be, of about equal size."""
    return np.array_split(np.arange(count), -(-count // most))


def scale_of(size: tuple[int, int], inside: tuple[int, int]) -> Floats:
    """Return what (x, y) of a picture of `size` are multiplied by where its corners' centres lie on those of `inside`.

    Both are (width, height). A side of one pixel has the one position 0.
    """
    return np.array([(to - 1) / max(side - 1, 1) for side, to in zip(size, inside, strict=True)], np.float32)
