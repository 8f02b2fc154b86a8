"""What the built-in engines take: memory and time as functions of the load, fitted to what was measured.

Time is that of the reference machine, two cores of a server; `runner_base.speeds` knows how others compare.
Measured by `benchmarks/estimate.py`, which also shows how far off the functions are.
"""

from __future__ import annotations

from engines.spec import Load

MEGA = 1_000_000


def grabcut_memory(load: Load) -> int:
    """Return the bytes of a cut: working copies of the frame, and a window of limited size."""
    return 54 * MEGA + 10 * load.pixels


def grabcut_seconds(load: Load) -> float:
    """Return the seconds of one prompt."""
    return 0.6 + 0.02 * load.pixels / MEGA


def flow_memory(load: Load) -> int:
    """Return the bytes of a propagation: models and windows of limited size, and the latest three frames."""
    windows = 48 if load.params.get("quality") == "fast" else 60
    return windows * MEGA + 18 * load.pixels


def flow_seconds(load: Load) -> float:
    """Return the seconds of a frame: flow and windows of limited size, and reading and writing at full size."""
    window = 0.042 if load.params.get("quality") == "fast" else 0.055
    return window * load.objects + (0.006 + 0.001 * load.objects) * load.pixels / MEGA


def guided_memory(load: Load) -> int:
    """Return the bytes of a frame: the band around the edge, in tiles."""
    return 22 * MEGA + 90 * load.pixels


def guided_seconds(load: Load) -> float:
    """Return the seconds of a frame: a coarse grid of limited size, and the band around the edge."""
    return 0.025 + 0.02 * load.pixels / MEGA


def klt_memory(load: Load) -> int:
    """Return the bytes of a tracker: pictures of limited size, the latest frame, each point's patches and past.

    The objects of a load are its points.
    """
    working = min(load.pixels, 921_600)
    points = 9_000 * load.objects + 30_000 * min(load.objects, 256)
    return 14 * MEGA + 12 * working + 7 * (load.pixels - working) // 2 + points


def klt_seconds(load: Load) -> float:
    """Return the seconds of a frame: pictures of limited size, and each point; the objects of a load are its points.

    Within 13 % of what 360p to 2160p took with 16, 256 and 1000 points on an idle machine.
    """
    working = min(load.pixels, 921_600)
    larger = (load.pixels - working) / MEGA
    return 0.0094 + 0.0023 * working / MEGA + 0.00034 * larger + 0.0000325 * load.objects
