"""What CoTracker3 takes: memory and time as functions of the load, on the CPU in single precision.

The objects of a load are its points. Online measured with random weights at 1080p with 10, 100, 400 and 1024 points
(1349, 1392, 1765, 2886 MB); offline and time are reckoned: not measured yet.
"""

from __future__ import annotations

from engines.spec import Load

MEGA = 1_000_000
MOST = 1024
"""Points that go together, as in `engines.cotracker.follow`."""
ENCODING = {"online": 1320, "offline": 1650}
"""Megabytes with hardly a point: libraries, weights, a unit of frames under way, a window of encoded ones."""
FOLLOWING = {"online": 945, "offline": 1650}
"""Megabytes while points are followed, beside theirs."""
POINT = {"online": 1.8, "offline": 5.6}
"""Megabytes of a point and of a support point, of one group."""
WAITING = 0.1
"""Megabytes of a point of the other groups: how it looked at its query."""
FULL_SIZE = 22
"""Bytes a pixel of the frame that is being made small."""


def memory(load: Load) -> int:
    """Return the bytes of a pass."""
    model = str(load.params.get("model", "online"))
    support = int(load.params.get("grid", 6)) ** 2
    together = min(load.objects, MOST) + support
    waiting = max(load.objects - MOST, 0) * WAITING
    peak = max(ENCODING[model], FOLLOWING[model] + POINT[model] * together)
    return int((peak + waiting) * MEGA) + FULL_SIZE * load.pixels


def seconds(load: Load) -> float:
    """Return the seconds of a frame."""
    support = int(load.params.get("grid", 6)) ** 2
    refining = 1.5 if load.params.get("model") == "offline" else 2.0
    return 0.3 + refining * 0.0025 * (load.objects + support + 64)
