"""Whether what a run will take fits into what this machine has, allowing for the estimate's known error."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from machine import disk_free, memory_available, memory_total, memory_used
from queue_logic.job import Needs

MEMORY_ERROR, DISK_ERROR = 0.15, 0.5
"""How far off an estimate may be. Disk is the worse one: it depends on what the frames show."""
MEMORY_RESERVE, DISK_RESERVE = 200_000_000, 300_000_000
"""Bytes that stay free for whatever else the machine does."""


class Verdict(StrEnum):
    """Whether something fits."""

    FITS = "fits"
    TIGHT = "tight"
    """It may or may not: worth a try."""
    TOO_LARGE = "too large"


@dataclass(frozen=True)
class Room:
    """What this machine has, in bytes."""

    memory: int
    """That this process may hold now: what it has already and what is free."""
    memory_total: int
    disk: int

    @classmethod
    def here(cls, folder: Path) -> Room:
        """Look at this machine, and the disk of `folder`."""
        return cls(memory_available() + memory_used(), memory_total(), disk_free(folder))

    def memory_verdict(self, needs: Needs) -> Verdict:
        """Tell whether the peak of memory fits."""
        return _verdict(needs.memory_bytes, MEMORY_ERROR, self.memory - MEMORY_RESERVE)

    def disk_verdict(self, needs: Needs) -> Verdict:
        """Tell whether the results fit; what adds nothing fits on a full disk too."""
        return _verdict(needs.disk_bytes, DISK_ERROR, self.disk - DISK_RESERVE) if needs.disk_bytes else Verdict.FITS

    def verdict(self, needs: Needs) -> Verdict:
        """Return the worse of both."""
        both = (self.memory_verdict(needs), self.disk_verdict(needs))
        return next(verdict for verdict in (Verdict.TOO_LARGE, Verdict.TIGHT, Verdict.FITS) if verdict in both)


def _verdict(needed: int, error: float, free: int) -> Verdict:
    """Refuse only what cannot fit even if the estimate is too high; call fitting what does even if it is too low."""
    if needed * (1 - error) > free:
        return Verdict.TOO_LARGE
    return Verdict.FITS if needed * (1 + error) <= free else Verdict.TIGHT
