"""What CoTracker3 takes: memory and time as functions of the load, on the CPU. `objects` are points."""

from __future__ import annotations

from engines.spec import Load

MEGA = 1_000_000


def memory(load: Load) -> int:
    """Return the bytes of a pass."""
    return 1


def seconds(load: Load) -> float:
    """Return the seconds of a frame."""
    return 1.0
