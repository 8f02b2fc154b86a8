"""What SAM 3 takes: memory and time as functions of the load, on the CPU in single precision.

Measured with random weights of the published size at 480p: a text 4727 MB, a click 3179 MB. A clip is not measured yet.
"""

from __future__ import annotations

from engines.spec import Load

MEGA = 1_000_000


def image_memory(load: Load) -> int:
    """Return the bytes of a prompt: of a text, which takes the most."""
    return 4720 * MEGA + 20 * load.pixels


def image_seconds(load: Load) -> float:
    """Return the seconds of one prompt."""
    return 30.0


def video_memory(load: Load) -> int:
    """Return the bytes of a propagation."""
    return 5000 * MEGA + 20 * load.pixels


def video_seconds(load: Load) -> float:
    """Return the seconds of a frame."""
    return 20.0 + 2.0 * load.objects
