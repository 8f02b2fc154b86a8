"""Frames as the network takes them, read and prepared while it is busy with the one before."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from engines.base import FrameSource, Image
from engines.neural.compute import Compute

BLOCK_BYTES = 64 << 20
"""Frames that a run back in time reads at once, forwards: most videos cannot be decoded backwards."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame: as it is, and float32 [3, H, W] 0..1 at the working size, on the device."""

    index: int
    rgb: Image
    image: Any


class Frames:
    """A clip's frames in sequence, in either direction, one ahead; all reading is done by one thread.

    Args:
        source: the clip.
        size: (width, height) that the network works at.
        compute: where it computes.
    """

    def __init__(self, source: FrameSource, size: tuple[int, int], compute: Compute) -> None:
        self._source, self._size, self._compute = source, size, compute
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="matanyone-frames")
        self._ahead: dict[int, Future[Frame]] = {}
        self._raw: dict[int, Image] = {}
        self._block = max(1, min(16, BLOCK_BYTES // (source.size[0] * source.size[1] * 3)))

    def read(self, index: int, last: int) -> Frame:
        """Return frame `index`, and prepare the next on the way to frame `last`."""
        ahead = self._ahead.pop(index, None) or self._pool.submit(self._prepare, index, last)
        # Another sweep may have begun before what it left was used.
        for future in self._ahead.values():
            future.cancel()
        self._ahead.clear()
        step = (last > index) - (last < index)
        if step:
            self._ahead[index + step] = self._pool.submit(self._prepare, index + step, last)
        return ahead.result()

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(cancel_futures=True)

    def _prepare(self, index: int, last: int) -> Frame:
        rgb = self._read(index, last)
        with self._compute.inference():
            picture = torch.tensor(rgb).to(self._compute.device).permute(2, 0, 1).float()
            if picture.shape[-2:] != self._size[::-1]:
                picture = functional.interpolate(picture[None], self._size[::-1], mode="area")[0]
            return Frame(index, rgb, picture / 255.0)

    def _read(self, index: int, last: int) -> Image:
        if index not in self._raw:
            first = max(last, index - self._block + 1) if last < index else index
            self._raw = {each: self._source.read(each) for each in range(first, index + 1)}
        return self._raw.pop(index)


def working_size(size: tuple[int, int], short: int) -> tuple[int, int]:
    """Return (width, height) with a short side of at most `short` pixels; 0 leaves the size as it is."""
    width, height = size
    side = min(size)
    if not short or side <= short:
        return size
    return max(1, int(width / side * short)), max(1, int(height / side * short))
