"""A clip's frames as the network takes them, each read and encoded once, of which a window is in memory."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch.nn import functional

from engines.base import FrameSource, Image
from engines.cotracker.network import Network
from engines.cotracker.plan import Pass, Window

UNIT = 4
"""Frames that are read, and encoded, together; a divisor of how far windows move. Encoding takes 70 MB a frame."""


class Features:
    """The encoded frames of a window. A context: it holds a thread, which reads ahead.

    Args:
        network: what computes.
        source: the clip.
        way: the pass through it.
        size: frames of a window.
    """

    def __init__(self, network: Network, source: FrameSource, way: Pass, size: int) -> None:
        self._network, self._source, self._way = network, source, way
        self._length = min(size, len(way))
        self._picture = network.size
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="cotracker-frames")
        self._ahead: Future[Any] | None = None
        self._buffer: Any = None
        self._start = self._stop = 0
        """The places of the pass that the buffer holds."""

    def __enter__(self) -> Features:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread."""
        self._pool.shutdown(cancel_futures=True)

    def window(self, window: Window) -> Any:
        """Return features [T, 128, 96, 128] of a window; the next call overwrites them. Windows come in order."""
        encoder = self._network.load().fnet
        self._move(window.start)
        while self._stop < window.stop:
            pixels = (self._ahead or self._submit(self._stop)).result()
            after = self._stop + len(pixels)
            self._ahead = self._submit(after) if after < len(self._way) else None
            features = encoder.encode(pixels)
            if self._buffer is None:
                self._buffer = features.new_empty(self._length, *features.shape[1:])
            self._buffer[self._stop - self._start : after - self._start] = features
            self._stop = after
        return self._buffer[: window.stop - window.start]

    def _move(self, start: int) -> None:
        """Let the buffer begin at a later place."""
        if self._buffer is not None and start > self._start:
            kept = self._buffer[start - self._start : self._stop - self._start].clone()
            self._buffer[: len(kept)] = kept
            self._start = start

    def _submit(self, place: int) -> Future[Any]:
        return self._pool.submit(self._prepare, range(place, min(place + UNIT, len(self._way))))

    def _prepare(self, places: range) -> Any:
        """Return pictures float32 [n, 3, 384, 512] 0..255; they are read in the order of time in any case."""
        frames = [self._way.frame(place) for place in places]
        device = self._network.compute.device
        with torch.inference_mode():
            pictures = {frame: resized(self._source.read(frame), self._picture, device) for frame in sorted(frames)}
            return torch.cat([pictures[frame] for frame in frames])


def resized(rgb: Image, size: tuple[int, int], device: str) -> Any:
    """Return a picture as the authors' predictors resize it: the centres of corner pixels stay those of corner pixels.

    Args:
        rgb: uint8 [H, W, 3].
        size: (width, height).
        device: where to compute.

    Returns:
        float32 [1, 3, height, width] 0..255.
    """
    picture = torch.tensor(rgb, device=device).permute(2, 0, 1)[None].contiguous()
    return functional.interpolate(picture.float(), size[::-1], mode="bilinear", align_corners=True)
