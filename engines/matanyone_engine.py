"""MatAnyone (Yang et al. 2025) and MatAnyone 2 by their authors' own code: keyframe masks -> alpha.

The network carries an alpha from frame to frame; given a mask in between, it would return just that mask. So runs go
from each keyframe both ways, and between two keyframes they are blended (`engines.matanyone.plan`).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

from config import get_settings
from engines.base import Alpha, FrameSource, GuideSource
from engines.matanyone.authors import Network
from engines.matanyone.sweep import Choices, Keys, Sweep
from engines.neural.compute import choose, free_memory
from engines.notice import notice
from engines.weights import find
from errors import ResourceError

SMALLEST = 240
"""Short side in pixels below which a smaller picture is not worth trying."""


class MatAnyoneMatter:
    """An `engines.base.VideoMatter`: alpha depends on each object's nearest keyframes, before and after.

    Args:
        model: matanyone or matanyone2.
        warmup: times that a keyframe's alpha is refined before the clip goes on.
        erode: diameter in pixels by which a keyframe's mask shrinks, after it has grown.
        dilate: diameter in pixels by which it grows first.
        max_size: short side in pixels that the network works at at most; 0 is the clip's own size.
        device: auto, cuda, mps or cpu.
        precision: auto, fp32, bf16 or fp16.

    Raises:
        EngineUnavailableError: the weights or the device are not there.
    """

    def __init__(
        self,
        model: str = "matanyone2",
        warmup: int = 10,
        erode: int = 10,
        dilate: int = 10,
        max_size: int = 1080,
        device: str = "auto",
        precision: str = "auto",
    ) -> None:
        self._network = Network(find(model), get_settings().sdks_path, choose(device, precision))
        self._choices = Choices(warmup, erode, dilate)
        self._max_size = max_size

    def matte(self, source: FrameSource, guides: GuideSource, start: int, stop: int) -> Iterator[tuple[int, Alpha]]:
        """Yield alphas; see `engines.base.VideoMatter`.

        Where a device's memory does not suffice, the rest is made at half the size, and a notice says so.

        Raises:
            EngineUnavailableError: the authors' sources are not there.
            EngineFailedError: the weights are damaged.
            ResourceError: the device is out of memory even with a small picture.
            StorageError: the disk is full.
        """
        keys, short, at = Keys(guides), self._max_size, start
        while at < stop:
            smaller: int | None = None
            try:
                with Sweep(self._network, source, keys, short, self._choices) as sweep:
                    for index, alpha in sweep.alphas(at, stop):
                        yield index, alpha
                        at = index + 1
            except ResourceError:
                smaller = _smaller(min(source.size), short)
                if smaller is None:
                    raise
            if smaller is not None:
                # Only now is nothing left that holds the tensors of the attempt.
                gc.collect()
                free_memory()
                short = smaller
                notice(f"matanyone: out of memory; from frame {at} on the network works at {short} pixels (short side)")


def _smaller(side: int, short: int) -> int | None:
    """Return the next smaller working size for clips whose short side is `side`; None if there is none."""
    now = min(side, short) if short else side
    return max(now // 2, SMALLEST) if now > SMALLEST else None
