"""What VideoMaMa takes: memory and time as functions of the load, fitted to what was measured on the CPU.

Measured with random weights of the real size, two cores that compute in bf16, and windows of two to eight frames.
"""

from __future__ import annotations

from engines.devices import job_devices
from engines.spec import Load
from engines.videomama.precision import settled
from engines.videomama.setting import CHUNK, working_size
from engines.videomama.windows import shared

MEGA = 1_000_000
LIBRARIES = 750 * MEGA
"""torch, diffusers and what they load."""
LOADING = {"bf16": 6180 * MEGA, "fp32": 9250 * MEGA}
"""The U-Net's weights in memory and, for a moment, as they are mapped from the disk."""
UNET = {"bf16": (3230 * MEGA, 530), "fp32": (6600 * MEGA, 1060)}
"""Weights, and bytes for each pixel of a window."""
DECODER = {"bf16": (260 * MEGA, 2400), "fp32": (450 * MEGA, 4700)}
"""Weights, and bytes for each pixel that is decoded together."""
CUDA = 5000 * MEGA
"""Main memory where a GPU computes: the driver's libraries, and weights on their way. Not measured."""
FULL = 60
"""Bytes for each pixel of a frame that is brought back to its size."""
SECONDS = {"bf16": (16.0, 32.0), "fp32": (60.0, 90.0)}
"""For each million pixels: once a frame, and once for each window that it is in.

In bf16 two thirds of what was measured before convolutions were laid out channels last, as the benchmark shows it.
"""


def memory(load: Load) -> int:
    """Return the bytes of a window, of main memory."""
    length, _, pixels, precision, on_gpu = _what(load)
    frames = (3 * 2 * length + FULL) * load.pixels + 8 * length * pixels
    if on_gpu:
        return CUDA + frames
    unet, decoder = UNET[precision], DECODER[precision]
    busy = max(
        LOADING[precision],
        unet[0] + unet[1] * pixels * length,
        decoder[0] + decoder[1] * pixels * min(CHUNK, length),
    )
    return LIBRARIES + busy + frames


def seconds(load: Load) -> float:
    """Return the seconds of a frame."""
    length, step, pixels, precision, _ = _what(load)
    once, each = SECONDS[precision]
    return (once + each * length / step) * pixels / MEGA + 0.12 * load.pixels / MEGA


def _what(load: Load) -> tuple[int, int, int, str, bool]:
    """Return a window's frames, those that it is ahead of the one before, the network's pixels, and where it runs."""
    batch = int(load.params.get("batch_size", 16))
    length = min(batch, max(1, load.frames))
    step = length if load.frames <= batch else batch - shared(batch, int(load.params.get("overlap", 4)))
    outer = working_size((load.width, load.height), int(load.params.get("size", 1024)))[1]
    device = str(load.params.get("device", "auto"))
    on_gpu = device == "cuda" or (device == "auto" and job_devices()[0].startswith("cuda"))
    precision = settled("cpu", str(load.params.get("precision", "auto")))
    return length, step, outer[0] * outer[1], precision, on_gpu
