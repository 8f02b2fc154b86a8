"""Whether the app can do its work, for whoever watches over it: no secrets, no names."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from config import VERSION
from machine import disk_free

LEAST_FREE = 500_000_000
"""Bytes of disk below which hardly any job can end well."""
AGE = 2.0
"""Seconds that an answer holds, however often it is asked for."""
OK = "ok"


class Health:
    """Looks, not too often.

    Args:
        workspace: where the app writes.
        queue: says how it stands about the queue: 'ok', who else runs it, or what is wrong, which begins with '!'.
        clock: seconds, monotonic; tests bring their own.
    """

    def __init__(self, workspace: Path, queue: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._workspace = workspace
        self._queue = queue
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[float, dict[str, Any]] | None = None

    def look(self) -> tuple[bool, dict[str, Any]]:
        """Return whether all is well, and what is said about it."""
        with self._lock:
            if self._known is None or self._clock() - self._known[0] >= AGE:
                self._known = self._clock(), self._look()
            report = self._known[1]
        return report["status"] == OK, report

    def _look(self) -> dict[str, Any]:
        found = {"queue": self._queue(), "workspace": self._writable(), "disk": self._space()}
        failing = any(text.startswith("!") for text in found.values())
        checks = {name: text.removeprefix("!") for name, text in found.items()}
        return {"status": "failing" if failing else OK, "version": VERSION, "checks": checks}

    def _writable(self) -> str:
        probe = self._workspace / ".healthz"
        try:
            probe.write_bytes(b"x")
            return OK
        except OSError as error:
            return f"!not writable: {error.strerror}"
        finally:
            with suppress(OSError):
                probe.unlink()

    def _space(self) -> str:
        try:
            free = disk_free(self._workspace)
        except OSError as error:
            return f"!not readable: {error.strerror}"
        return OK if free >= LEAST_FREE else f"!less than {LEAST_FREE // 1_000_000} MB free"
