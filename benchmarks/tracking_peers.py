"""What anybody would try first: chains of steps from frame to frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Direction, FrameSource, TrackChunk


class Chained:
    """A tracker that only chains steps from frame to frame: the floor.

    Args:
        step: (grey before, grey after, points) -> points and whether they are still seen.
    """

    def __init__(self, step: Callable[..., tuple[NDArray[np.float32], NDArray[np.bool_]]]) -> None:
        self._step = step

    def track(
        self, source: FrameSource, queries: NDArray[np.float32], start: int, stop: int, direction: Direction
    ) -> Iterator[TrackChunk]:
        """Yield one chunk a frame."""
        xy, seen, before = queries[:, 1:].copy(), np.zeros(len(queries), bool), None
        for index in range(start, stop):
            grey = cv2.cvtColor(source.read(index), cv2.COLOR_RGB2GRAY)
            begun = queries[:, 0] < index
            if before is not None and begun.any():
                xy[begun], good = self._step(before, grey, xy[begun])
                seen[begun] &= good
            seen |= queries[:, 0] == index
            before = grey
            yield TrackChunk(index, xy[None].copy(), seen[None].copy(), seen[None].astype(np.float32))


def lucas_kanade(
    before: NDArray[np.uint8], after: NDArray[np.uint8], points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return one step of plain pyramidal Lucas-Kanade, 21 pixels, 4 levels, with a check there and back."""
    options = {"winSize": (21, 21), "maxLevel": 3}
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None, **options)  # type: ignore[call-overload]
    home, _, _ = cv2.calcOpticalFlowPyrLK(after, before, there, None, **options)  # type: ignore[call-overload]
    return there, (found[:, 0] > 0) & (np.linalg.norm(home - points, axis=1) < 1)


def dense_flow(
    before: NDArray[np.uint8], after: NDArray[np.uint8], points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return one step of DIS flow, medium, with a check there and back."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    forth, back = (np.asarray(dis.calc(*pair, None)) for pair in ((before, after), (after, before)))
    there = points + _at(forth, points)
    home = there + _at(back, there)
    height, width = before.shape
    inside = ((there >= 0) & (there <= [width - 1, height - 1])).all(axis=1)
    return there.astype(np.float32), inside & (np.linalg.norm(home - points, axis=1) < 1.5)


def _at(flow: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    x, y = points[:, :1].astype(np.float32), points[:, 1:].astype(np.float32)
    return np.asarray(cv2.remap(flow, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0])
