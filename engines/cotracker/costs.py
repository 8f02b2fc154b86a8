"""What CoTracker3 takes, on the CPU in single precision.

The objects of a load are its points. Both models were measured with random weights of the published sizes, at 480p,
720p and 1080p with 16, 100 and 400 points; tests/test_cotracker_costs.py has the figures, tests/cotracker_measure.py
takes them.
"""

from __future__ import annotations

from engines.spec import Load

MEGA = 1_000_000
MOST = 1024
"""Points that go together, as in `engines.cotracker.follow`."""
ENCODING = {"online": 1320, "offline": 1650}
"""Megabytes with hardly a point: libraries, weights, a unit of frames under way, a window of encoded ones."""
FOLLOWING = {"online": 945, "offline": 1900}
"""Megabytes while points are followed, beside theirs."""
POINT = {"online": 2.05, "offline": 5.1}
"""Megabytes of a point and of a support point, of one group."""
WAITING = 0.1
"""Megabytes of a point of the other groups: how it looked at its query."""
ENCODING_SECONDS, REFINING = 0.23, 0.0028
"""Of a frame, and of a point or a virtual track on it, each time that a window has it."""
WINDOWS = {"online": 2.0, "offline": 1.5}
"""Windows that have a frame."""
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
    """Return the seconds of a frame of a long clip, which is in two windows (online) or one and a half (offline)."""
    support = int(load.params.get("grid", 6)) ** 2
    return ENCODING_SECONDS + WINDOWS[str(load.params.get("model", "online"))] * REFINING * (
        load.objects + support + 64
    )
