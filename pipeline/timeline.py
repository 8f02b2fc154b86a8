"""From the timestamps that a decoder gives to the times that a clip is shown at: exact, repaired, constant or not."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

STANDARD_RATES = tuple(
    Fraction(*pair)
    for pair in (
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (50, 1), (60000, 1001), (60, 1),
        (48, 1), (120000, 1001), (120, 1), (240, 1), (48000, 1001), (100, 1), (15, 1), (15000, 1001),
        (12, 1), (12000, 1001), (10, 1), (20, 1), (8, 1), (6, 1), (5, 1), (2, 1), (1, 1),
    )
)  # fmt: skip
FALLBACK_RATE = Fraction(25)

_MISSING = -(2**63)
_FINE = Fraction(1, 100)
"""A tick of at most this part of a frame tells 24 from 24000/1001 by itself."""
_ROUNDED = Fraction(1, 10)
"""Up to this part of a frame, a tick may be off by one either way: muxers round twice (1/1000 in Matroska)."""
_JUMP_SECONDS = 10
"""A longer step forward in a broadcast stream is a new clock, not a pause (ffmpeg's -dts_delta_threshold)."""


@dataclass(frozen=True)
class Timeline:
    """When frames are shown.

    Attributes:
        rate: frames a second: exact for a constant rate, the mean for a variable one.
        times: ticks of each frame, the first at 0, strictly rising; None for a constant rate.
        first: the first frame's own timestamp in ticks.
        repaired: timestamps that were missing, repeated or ran backwards.
    """

    rate: Fraction
    times: tuple[int, ...] | None
    first: int
    repaired: int


class Clock:
    """Collects the timestamps of one pass over a clip: 8 bytes a frame."""

    def __init__(self, time_base: Fraction, declared: Iterable[Fraction | None], *, resets: bool = False) -> None:
        """Start a pass.

        Args:
            time_base: seconds per tick.
            declared: the rates that the container states, most trusted first.
            resets: whether the format's clock may jump (MPEG transport and program streams).
        """
        self.time_base = time_base
        self._declared = [rate for rate in declared if rate and Fraction(1, 1000) < rate <= 1000]
        self._resets = resets
        self._stamps = array("q")

    def __len__(self) -> int:
        """Return the number of frames seen."""
        return len(self._stamps)

    def add(self, pts: int | None) -> None:
        """Take the next frame's timestamp in ticks."""
        self._stamps.append(_MISSING if pts is None else pts)

    def finish(self) -> Timeline:
        """Return the timeline of what was added; at least one frame."""
        stamps = np.array(self._stamps, dtype=np.int64)
        step = self._step(stamps)
        ticks, repaired = self._repair(stamps, step)
        first = int(stamps[0]) if stamps[0] != _MISSING else 0
        rate = constant_rate(ticks, self.time_base, self._declared)
        if rate is not None:
            return Timeline(rate, None, first, repaired)
        mean = Fraction(len(ticks) - 1) / (int(ticks[-1]) * self.time_base)
        return Timeline(mean, tuple(int(t) for t in ticks), first, repaired)

    def _step(self, stamps: NDArray[np.int64]) -> int:
        """Return the usual distance between frames, in ticks."""
        known = stamps[stamps != _MISSING]
        steps = np.diff(known)
        steps = steps[steps > 0]
        if len(steps):
            return int(np.median(steps))
        rate = self._declared[0] if self._declared else FALLBACK_RATE
        return max(1, round(1 / (rate * self.time_base)))

    def _repair(self, stamps: NDArray[np.int64], step: int) -> tuple[NDArray[np.int64], int]:
        """Return strictly rising ticks from 0, and how many timestamps could not stay."""
        jump = int(_JUMP_SECONDS / self.time_base) if self._resets else None
        steps = np.diff(stamps)
        if (stamps != _MISSING).all() and (steps > 0).all() and (jump is None or (steps <= jump).all()):
            return stamps - stamps[0], 0
        ticks, bad, offset, last = np.full(len(stamps), _MISSING, np.int64), 0, 0, None
        for i, stamp in enumerate(stamps.tolist()):
            if stamp == _MISSING or (last is not None and last - 10 * step < stamp + offset <= last):
                bad += 1
                continue
            if last is not None and (stamp + offset <= last or (jump and stamp + offset - last > jump)):
                gap = i - _last_known(ticks, i)
                offset, bad = last + gap * step - stamp, bad + 1
            last = ticks[i] = stamp + offset
        _fill(ticks, step)
        return ticks - ticks[0], bad


def _last_known(ticks: NDArray[np.int64], before: int) -> int:
    index = before - 1
    while ticks[index] == _MISSING:
        index -= 1
    return index


def _fill(ticks: NDArray[np.int64], step: int) -> None:
    """Give missing ticks the places between their neighbours; where there is no room, move what follows."""
    known = np.flatnonzero(ticks != _MISSING)
    if not len(known):
        ticks[:] = np.arange(len(ticks), dtype=np.int64) * step
        return
    ticks[: known[0]] = ticks[known[0]] - step * np.arange(known[0], 0, -1)
    for left, right in zip(known, [*known[1:], None], strict=True):
        stop = len(ticks) if right is None else int(right)
        count = stop - int(left)
        if right is not None and count > 1:
            short = count - int(ticks[right] - ticks[left])
            if short > 0:
                later = ticks[right:]
                later[later != _MISSING] += short
        span = count * step if right is None else int(ticks[right] - ticks[left])
        ticks[left + 1 : stop] = ticks[left] + span * np.arange(1, count) // count


def constant_rate(ticks: NDArray[np.int64], time_base: Fraction, declared: Iterable[Fraction]) -> Fraction | None:
    """Return the rate that explains every tick, or None if there is none.

    A constant rate r puts frame i at i/r, rounded to a tick. Where ticks are fine, equal steps give r exactly; where
    they are coarse (1/1000), the rates that the file declares, then the standard ones are tried.

    Args:
        ticks: int64 [N], rising from 0.
        time_base: seconds per tick.
        declared: rates that the container states, most trusted first.
    """
    declared = list(declared)
    if len(ticks) < 2:
        return declared[0] if declared else FALLBACK_RATE
    steps = np.diff(ticks)
    even = 1 / (int(steps[0]) * time_base) if (steps == steps[0]).all() else None
    mean = Fraction(len(ticks) - 1) / (int(ticks[-1]) * time_base)
    if even and time_base * even <= _FINE:
        return even
    candidates = [rate for rate in declared if rate in STANDARD_RATES]
    candidates += [rate for rate in STANDARD_RATES if abs(rate / mean - 1) < Fraction(1, 50)]
    candidates += [even] if even else []
    candidates += [*declared, *(mean.limit_denominator(limit) for limit in (1, 10, 100, 1001))]
    return next((rate for rate in candidates if _explains(rate, ticks, time_base)), None)


def _explains(rate: Fraction, ticks: NDArray[np.int64], time_base: Fraction) -> bool:
    """Tell whether frame i at i/rate, rounded, gives these ticks."""
    period = float(1 / (rate * time_base))
    off = ticks - np.arange(len(ticks)) * period
    slack = 2.0 if time_base * rate <= _ROUNDED else 1.0
    return float(off.max() - off.min()) <= slack + 1e-6
