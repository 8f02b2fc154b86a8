"""How often something may be done: as Feishu documents for a custom bot, 5 times a second and 100 a minute."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

LIMITS = ((5, 1.0), (100, 60.0))
"""(times, within so many seconds)."""


class Pace:
    """Remembers when something was done.

    Args:
        limits: each holds at any time.
        clock: seconds, monotonic; tests bring their own.
    """

    def __init__(
        self, limits: tuple[tuple[int, float], ...] = LIMITS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._done: deque[float] = deque(maxlen=max(times for times, _ in limits))

    def wait(self) -> float:
        """Return the seconds after which it may be done again; 0 for now."""
        now = self._clock()
        waits = [self._done[-times] + seconds - now for times, seconds in self._limits if len(self._done) >= times]
        return max([0.0, *waits])

    def note(self) -> None:
        """Count that it is done now."""
        self._done.append(self._clock())
