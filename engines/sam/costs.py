"""What SAM takes: memory and time as functions of the load, on the CPU in single precision.

Measured with random weights of the published sizes at 480p: pictures by tiny (1694 MB) and EdgeTAM (1375 MB), a clip by
tiny (1919 MB). The other models are reckoned from what their weights weigh: not measured yet.
"""

from __future__ import annotations

from engines.spec import Load

MEGA = 1_000_000
WEIGHTS = {"edgetam": 56, "tiny": 156, "small": 184, "base-plus": 323, "large": 898}
"""Megabytes of each model's weights."""
IMAGE, IMAGE_EDGETAM, VIDEO = 1530, 1310, 1755
"""Megabytes beside the weights: libraries, kept pictures, and what is under way at 1024 x 1024."""
FULL_SIZE = 20
"""Bytes a pixel of the frame, for masks at its own size."""
SECONDS = {"edgetam": 1.0, "tiny": 2.6, "small": 2.9, "base-plus": 4.5, "large": 10.0}
"""Seconds of a picture on two processors; those beside tiny are guesses that `matting_runner.speeds` corrects."""


def _model(load: Load) -> str:
    return str(load.params.get("model", "base-plus"))


def image_memory(load: Load) -> int:
    """Return the bytes of a prompt."""
    beside = IMAGE_EDGETAM if _model(load) == "edgetam" else IMAGE
    return (beside + WEIGHTS[_model(load)]) * MEGA + FULL_SIZE * load.pixels


def image_seconds(load: Load) -> float:
    """Return the seconds of one prompt on a picture that is not known yet."""
    return SECONDS[_model(load)]


def video_memory(load: Load) -> int:
    """Return the bytes of a propagation."""
    return (VIDEO + WEIGHTS[_model(load)]) * MEGA + FULL_SIZE * load.pixels * load.objects


def video_seconds(load: Load) -> float:
    """Return the seconds of a frame: the picture once, and the memory of each object."""
    return SECONDS[_model(load)] + 0.3 * load.objects
