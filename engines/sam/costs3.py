"""What SAM 3 takes: memory and time as functions of the load, on two processors.

Measured with random weights of the real network at 854x480, 1920x1080 and 3840x2160; memory is within 5 %. It is mostly
the weights, in single precision: 1.9 GB for clicks and clips, 3.4 GB for a text.
"""

from __future__ import annotations

from engines.spec import Load

MEGA = 1_000_000


def image_memory(load: Load) -> int:
    """Return the bytes of a text prompt, the largest that a segmenter is asked; clicks take 3.3 GB."""
    return 4750 * MEGA + 12 * load.pixels


def image_seconds(load: Load) -> float:
    """Return the seconds of a prompt on a new picture; a further one on the same takes 0.5, or 3.5 with a text."""
    return 40.0


def video_memory(load: Load) -> int:
    """Return the bytes of a propagation."""
    return 3430 * MEGA + 20 * load.pixels + 40 * MEGA * load.objects


def video_seconds(load: Load) -> float:
    """Return the seconds of a frame: the picture is encoded once for all objects."""
    return 36.0 + 2.0 * load.objects
