"""What MatAnyone takes: memory and time as functions of the load, on the CPU in single precision.

From single measurements of the authors' code (0.34 s at 480x270, 24 s and 6.5 GB at 1080p): ours was not measured.
"""

from __future__ import annotations

from engines.spec import Load

MEGA = 1_000_000


def _working_pixels(load: Load) -> float:
    """Return the pixels of a frame that the network sees."""
    short, side = int(load.params.get("max_size", 1080)), min(load.width, load.height)
    return load.pixels * (min(1.0, short / side) if short else 1.0) ** 2


def memory(load: Load) -> int:
    """Return the bytes of a run."""
    return round(700 * MEGA + 500 * _working_pixels(load) + 1.2e-3 * _working_pixels(load) ** 2 + 40 * load.pixels)


def seconds(load: Load) -> float:
    """Return the seconds of a frame."""
    pixels = _working_pixels(load) / MEGA
    return 3 * pixels + 3 * pixels * load.objects
