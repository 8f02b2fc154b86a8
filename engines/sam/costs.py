"""What SAM takes: memory and time as functions of the load, on the CPU in single precision and in bf16.

Fitted to networks of the published sizes with random weights, each in a process of its own (`tests/sam_measure.py`).
The networks see squares of 1024 pixels, so that the size of the frame counts for little.
"""

from __future__ import annotations

from dataclasses import dataclass

from engines.neural.precision import cpu_has_bf16
from engines.spec import Load

MEGA = 1_000_000
LIBRARIES = 640
"""Megabytes of torch and transformers."""
KEPT = 100
"""Megabytes of the six pictures that a segmenter keeps encoded."""
OBJECT = 22
"""Megabytes of each further object's memories."""
FULL_SIZE = 8
"""Bytes a pixel of the frame, for its copy that is made smaller; masks of its size come when less is under way."""
CLICK = 0.06
"""Seconds of the decoder."""
READING, WRITING = 0.02, 0.01
"""Seconds a megapixel: to make a frame smaller, and to make a mask of its size."""


@dataclass(frozen=True)
class Cost:
    """What one model takes."""

    weights: int
    """Megabytes."""
    under_way: int
    """Megabytes while a picture is encoded."""
    picture: float
    """Seconds to encode a picture."""
    memories: int = 300
    """Megabytes of the first object's memories, and of attending to them."""
    memory: float = 3.7
    """Seconds of an object in a frame once its memory is full, after seven frames; nearly all of it is attention."""


SINGLE = {
    "edgetam": Cost(56, 615, 0.6, 420, 0.6),
    "tiny": Cost(156, 835, 2.2),
    "small": Cost(184, 835, 2.75),
    "base-plus": Cost(323, 960, 4.6),
    "large": Cost(898, 805, 12.3),
}
BF16 = {
    "edgetam": Cost(56, 475, 0.45, 170, 0.5),
    "tiny": Cost(156, 590, 1.6, 280, 1.95),
    "small": Cost(184, 590, 2.0, 280, 1.95),
    "base-plus": Cost(323, 650, 3.1, 290, 1.95),
    "large": Cost(898, 600, 7.4, 290, 1.95),
}


def _cost(load: Load) -> Cost:
    precision = load.params.get("precision", "auto")
    is_narrow = precision == "bf16" or (precision == "auto" and cpu_has_bf16())
    return (BF16 if is_narrow else SINGLE)[str(load.params.get("model", "base-plus"))]


def image_memory(load: Load) -> int:
    """Return the bytes of a prompt."""
    cost = _cost(load)
    return (LIBRARIES + cost.weights + cost.under_way + KEPT) * MEGA + FULL_SIZE * load.pixels


def image_seconds(load: Load) -> float:
    """Return the seconds of one prompt on a picture that is not known yet."""
    return _cost(load).picture + CLICK + READING * load.pixels / MEGA


def video_memory(load: Load) -> int:
    """Return the bytes of a propagation, whatever its length."""
    cost = _cost(load)
    memories = cost.memories + OBJECT * (load.objects - 1)
    return (LIBRARIES + cost.weights + cost.under_way + memories) * MEGA + FULL_SIZE * load.pixels


def video_seconds(load: Load) -> float:
    """Return the seconds of a frame: the picture once, and each object's memory."""
    cost, megapixels = _cost(load), load.pixels / MEGA
    return cost.picture + READING * megapixels + load.objects * (cost.memory + WRITING * megapixels)
