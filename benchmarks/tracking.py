"""Point tracking against exact truth, and beside what anybody would try first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.tracking_material import TrackClip
from engines.base import Direction, PointTracker, TrackChunk

THRESHOLDS = (1, 2, 4, 8, 16)
"""Pixels at 256x256, as TAP-Vid has them."""
Floats = NDArray[np.float64]


def tapvid(clip: TrackClip, tracks: NDArray[np.float32], visible: NDArray[np.bool_]) -> dict[str, float]:
    """Return TAP-Vid's metrics (Doersch et al., NeurIPS 2022), 'first' queries: frames after the query count.

    Returns:
        aj: average Jaccard; delta: average share of visible points within the thresholds; oa: occlusion accuracy; 0..1.
    """
    scale = np.array([256 / clip.size[0], 256 / clip.size[1]])
    counted = np.arange(len(clip))[:, None] > clip.queries[:, 0][None]
    error = np.linalg.norm((tracks - clip.tracks) * scale, axis=2)
    truth = clip.visible
    jaccard, delta = [], []
    for threshold in THRESHOLDS:
        within = error < threshold
        hit = (within & truth & visible & counted).sum()
        false = (visible & counted & ~(truth & within)).sum()
        delta.append((within & truth & counted).sum() / (truth & counted).sum())
        jaccard.append(hit / ((truth & counted).sum() + false))
    return {
        "aj": float(np.mean(jaccard)),
        "delta": float(np.mean(delta)),
        "oa": float(((visible == truth) & counted).sum() / counted.sum()),
    }


def run(tracker: PointTracker, clip: TrackClip) -> tuple[NDArray[np.float32], NDArray[np.bool_], float]:
    """Return tracks, visibility and seconds."""
    begin = time.perf_counter()
    chunks = list(tracker.track(clip, clip.queries, 0, len(clip), Direction.FORWARD))
    seconds = time.perf_counter() - begin
    return np.concatenate([c.tracks for c in chunks]), np.concatenate([c.visible for c in chunks]), seconds


class Chained:
    """A tracker that only chains steps from frame to frame: the floor.

    Args:
        step: (grey before, grey after, points) -> points and whether they are still seen.
    """

    def __init__(self, step: Callable[..., tuple[NDArray[np.float32], NDArray[np.bool_]]]) -> None:
        self._step = step

    def track(
        self, source: TrackClip, queries: NDArray[np.float32], start: int, stop: int, direction: Direction
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
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    forth, back = dis.calc(before, after, None), dis.calc(after, before, None)  # type: ignore[call-overload]
    there = points + _at(forth, points)
    home = there + _at(back, there)
    height, width = before.shape
    inside = ((there >= 0) & (there <= [width - 1, height - 1])).all(axis=1)
    return there.astype(np.float32), inside & (np.linalg.norm(home - points, axis=1) < 1.5)


def _at(flow: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    x, y = points[:, :1].astype(np.float32), points[:, 1:].astype(np.float32)
    return np.asarray(cv2.remap(flow, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0])
