"""What every writer of deliverables takes and keeps to: frames, their times, and whole results or none."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.info import VideoInfo

Picture = NDArray[np.float32]

_SMALLEST_TIMESCALE = 10_000
_LARGEST_TIMESCALE = 2**31 - 1


@dataclass(frozen=True, eq=False)
class DeliverFrame:
    """One frame to deliver.

    Attributes:
        index: its number in the source.
        alpha: float32 [H, W], 0 transparent .. 1 opaque.
        foreground: R'G'B' float32 [H, W, 3], 0..1, straight (not multiplied by alpha), in the source's own transfer
            function; None where only the alpha is delivered.
    """

    index: int
    alpha: NDArray[np.float32]
    foreground: Picture | None = None


class Writer(Protocol):
    """A deliverable being written: it appears under its name when closed, whole, or not at all."""

    def write(self, frame: DeliverFrame) -> None:
        """Add the next frame.

        Raises:
            StorageError: the disk is full or not writable.
            ValueError: not the next frame, or not of the clip's size.
        """
        ...

    def close(self) -> Path:
        """Finish, give the deliverable its name, and return it; one that had the name before is replaced.

        Raises:
            StorageError: the disk is full or not writable.
            ValueError: frames are missing.
        """
        ...

    def abort(self) -> None:
        """Leave nothing of it."""
        ...


class Clock:
    """Exact presentation times of the frames `start` .. `stop` of a clip, the first at 0.

    Attributes:
        start: first frame.
        stop: one past the last frame.
        time_base: seconds per tick, a whole part of a second where a 32-bit timescale can hold it.
    """

    def __init__(self, info: VideoInfo, start: int = 0, stop: int | None = None) -> None:
        """Take the times of `info`; `stop` None means to the end."""
        self.start, self.stop = start, info.frames if stop is None else stop
        if not 0 <= start < self.stop <= info.frames:
            raise ValueError(f"frames {start} to {self.stop} are not within 0 to {info.frames}")
        self._info = info
        exact = 1 / info.rate if info.times is None else info.time_base
        timescale = exact.denominator
        while timescale < _SMALLEST_TIMESCALE:  # as FFmpeg does: QuickTime is vague about coarser ones
            timescale *= 2
        self.time_base = Fraction(1, min(timescale, _LARGEST_TIMESCALE))

    def seconds(self, index: int) -> Fraction:
        """Return when frame `index` is shown, in seconds after frame 0; `frames` for when the last one ends."""
        info = self._info
        if info.times is None:
            return index / info.rate
        if index < info.frames:
            return info.times[index] * info.time_base
        # a container says when frames begin, seldom when the last one ends: it stays for as long as the mean one
        return max(info.frames / info.rate, info.times[-1] * info.time_base + info.time_base)

    @property
    def begin(self) -> Fraction:
        """Return when the first delivered frame is shown, in seconds after the clip's frame 0."""
        return self.seconds(self.start)

    @property
    def end(self) -> Fraction:
        """Return when the last delivered frame ends, in seconds after the clip's frame 0."""
        return self.seconds(self.stop)

    def ticks(self, index: int) -> int:
        """Return when frame `index` is shown, in ticks after the first delivered frame."""
        return round((self.seconds(index) - self.begin) / self.time_base)


class Order:
    """Keeps a writer's frames complete, in order and of one size."""

    def __init__(self, clock: Clock, size: tuple[int, int]) -> None:
        """Expect the frames of `clock`, each of `size` (width, height)."""
        self._next, self._stop, self._shape = clock.start, clock.stop, (size[1], size[0])

    def check(self, frame: DeliverFrame) -> None:
        """Raise ValueError unless `frame` is the next one and of the right size."""
        if frame.index != self._next or frame.index >= self._stop:
            raise ValueError(f"frame {frame.index} came where frame {self._next} of {self._stop} was expected")
        if frame.alpha.shape != self._shape:
            raise ValueError(f"alpha of frame {frame.index} is {frame.alpha.shape}, the clip is {self._shape}")
        if frame.foreground is not None and frame.foreground.shape != (*self._shape, 3):
            raise ValueError(f"foreground of frame {frame.index} is {frame.foreground.shape}, not {self._shape} and 3")
        self._next += 1

    def check_complete(self) -> None:
        """Raise ValueError when frames are missing."""
        if self._next != self._stop:
            raise ValueError(f"frames {self._next} to {self._stop} are missing")
