"""Long errands for sets of weights, one after the other: started, watched and stopped from any tab."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from errors import Cancelled, SplazMatteError

WINDOW = 8.0
"""Seconds that a speed is measured over."""
_FAREWELL = 3.0
"""Seconds that the app's end waits for an errand to stop."""

Progress = Callable[[int, int], None]
Work = Callable[[str, Progress, Callable[[], bool]], None]
"""Called with the set's name, something to tell bytes to, and something to ask whether to stop."""


@dataclass(frozen=True)
class Errand:
    """How far an errand is, at one moment."""

    state: Literal["waiting", "running", "stopping"]
    done: int = 0
    total: int = 0
    speed: float = 0.0
    """Bytes a second; 0 while it is not known."""

    @property
    def fraction(self) -> float:
        """Return how much is done, 0 .. 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Return how long the rest takes at this speed; None while there is none."""
        return (self.total - self.done) / self.speed if self.speed > 0 else None


@dataclass
class _Running:
    name: str
    stop: threading.Event = field(default_factory=threading.Event)
    done: int = 0
    total: int = 0
    samples: deque[tuple[float, int]] = field(default_factory=deque)


class Line:
    """Errands that wait for each other. Each has a thread of its own, and one that fails does not hold up the next.

    Args:
        label: names the threads.
        work: does one; raises Cancelled where it was stopped.
        ended: told the name and what went wrong, empty if nothing did, None if it was stopped.
        clock: seconds; tests bring their own.
    """

    def __init__(
        self,
        label: str,
        work: Work,
        ended: Callable[[str, str | None], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label = label
        self._work = work
        self._ended = ended
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[str] = deque()
        self._running: _Running | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, name: str) -> None:
        """Put an errand at the end of the line, unless it is in it."""
        with self._lock:
            known = self._running is not None and self._running.name == name and not self._running.stop.is_set()
            if not (known or name in self._waiting or self._closed):
                self._waiting.append(name)
                self._begin()

    def stop(self, name: str) -> None:
        """Stop an errand, or take it out of the line."""
        with self._lock:
            if name in self._waiting:
                self._waiting.remove(name)
            elif self._running is not None and self._running.name == name:
                self._running.stop.set()

    def find(self, name: str) -> Errand | None:
        """Return how far the errand of that name is; None where there is none."""
        with self._lock:
            current = self._running
            if current is not None and current.name == name:
                state: Literal["running", "stopping"] = "stopping" if current.stop.is_set() else "running"
                return Errand(state, current.done, current.total, self._speed(current))
            return Errand("waiting") if name in self._waiting else None

    def close(self) -> None:
        """Stop everything; what was being done can be gone on with."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            if self._running is not None:
                self._running.stop.set()
            thread = self._thread
        if thread is not None:
            thread.join(_FAREWELL)

    def _begin(self) -> None:
        """Start the next errand where none runs; called under the lock."""
        if self._running is None and self._waiting:
            self._running = _Running(self._waiting.popleft())
            self._thread = threading.Thread(
                target=self._run, args=(self._running,), name=f"{self._label} {self._running.name}", daemon=True
            )
            self._thread.start()

    def _run(self, errand: _Running) -> None:
        problem: str | None = None
        try:
            self._work(errand.name, lambda done, total: self._tell(errand, done, total), errand.stop.is_set)
            problem = ""
        except Cancelled:
            pass
        except (SplazMatteError, OSError) as error:
            problem = str(error)
        finally:
            self._ended(errand.name, problem)
            with self._lock:
                self._running = None
                self._begin()

    def _tell(self, errand: _Running, done: int, total: int) -> None:
        now = self._clock()
        with self._lock:
            errand.done, errand.total = done, total
            errand.samples.append((now, done))
            while len(errand.samples) > 2 and now - errand.samples[1][0] >= WINDOW:
                errand.samples.popleft()

    def _speed(self, errand: _Running) -> float:
        if len(errand.samples) < 2:
            return 0.0
        (begin, first), (end, last) = errand.samples[0], errand.samples[-1]
        passed = max(self._clock() - begin if self._clock() - end > WINDOW else end - begin, 1e-6)
        return (last - first) / passed
