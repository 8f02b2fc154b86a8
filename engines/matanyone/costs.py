"""What MatAnyone takes: memory and time as functions of the load, on the CPU in single precision.

Measured with random weights and a full memory, on two cores: 1.18, 1.86 and 4.54 GB, and 0.6, 2.3 and 11.6 s a frame,
at 480x270, 960x540 and 1920x1080 with one object; 1.33 s at 480x270 with three; 2.01 GB for 1080p worked at 540.
"""

from __future__ import annotations

from engines.spec import Load

MEGA = 1_000_000
BASE = 960 * MEGA
"""Libraries, and the weights while they are loaded: twice."""
PICTURE, RUN, FULL = 1735, 45, 70
"""Bytes per pixel: of the picture that the network sees, for each further object, of a larger frame to return to."""
ENCODE, CARRY, MATCH = 1.8, 2.6, 0.56
"""Seconds per megapixel to encode the picture and for each object, and per its square for what each remembers."""


def _working_pixels(load: Load) -> float:
    """Return the pixels of a frame that the network sees."""
    short, side = int(load.params.get("max_size", 1080)), min(load.width, load.height)
    return load.pixels * (min(1.0, short / side) if short else 1.0) ** 2


def memory(load: Load) -> int:
    """Return the bytes of a run."""
    seen = _working_pixels(load)
    larger = FULL * load.pixels if seen < load.pixels else 0
    return round(BASE + (PICTURE + RUN * max(0, load.objects - 1)) * seen + larger)


def seconds(load: Load) -> float:
    """Return the seconds of a frame."""
    seen = _working_pixels(load) / MEGA
    return ENCODE * seen + load.objects * (CARRY * seen + MATCH * seen**2)
