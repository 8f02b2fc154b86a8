"""Which frames go through the network together, and how the answers of neighbouring windows fade into each other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Frames `start` .. `stop` in one go, and which of them count.

    From `first` on it counts at all, from `full` on alone; from `fades` on the next window counts more and more.
    """

    start: int
    stop: int
    first: int
    full: int
    fades: int

    def weight(self, index: int) -> float:
        """Return how much its answer for a frame counts against the window before, 0 .. 1."""
        if index >= self.full:
            return 1.0
        return max(0.0, (index - self.first + 1) / (self.full - self.first + 1))


def shared(length: int, overlap: int) -> int:
    """Return the frames that windows really share: so few that no frame lies in the fades of two pairs of windows."""
    return min(overlap, length // 2)


def plan(frames: int, length: int, overlap: int) -> list[Window]:
    """Return the windows of a clip: a function of its length and of the parameters, whatever range is asked for.

    Args:
        frames: of the clip.
        length: of a window.
        overlap: frames in which two windows fade into each other, at most half a window.

    Every window has `length` frames, as the network answers differently for fewer; only a clip that is shorter has
    one window of its own length. The last one ends with the clip, and shares more frames with the one before.
    """
    if frames <= length:
        return [Window(0, frames, 0, 0, frames)]
    fade = shared(length, overlap)
    last = frames - length
    starts = [*range(0, last, length - fade), last]
    windows = []
    for place, start in enumerate(starts):
        before = starts[place - 1] + length if place else 0
        fades = start + length - (fade if start < last else 0)
        first = before - fade if place else 0
        windows.append(Window(start, start + length, first, before, fades))
    return windows


def touching(windows: list[Window], start: int, stop: int) -> list[Window]:
    """Return the windows that count for a frame of `start` .. `stop`."""
    return [window for window in windows if window.first < stop and window.stop > start]
