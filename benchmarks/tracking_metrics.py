"""TAP-Vid's metrics, the share of correct keypoints, and a tracker's run over a clip."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.tracking_material import TrackClip
from engines.base import Direction, FrameSource, PointTracker

THRESHOLDS = (1, 2, 4, 8, 16)
"""Pixels at 256x256, as TAP-Vid has them."""


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


def correct_keypoints(
    tracks: NDArray[np.float32], truth: NDArray[np.float64], counted: NDArray[np.bool_], size: NDArray[np.float64]
) -> float:
    """Return the share of points within 0.2 of the size of the animal (BADJA, Biggs et al., ACCV 2018), or 2 pixels.

    Args:
        tracks: float32 [T, N, 2].
        truth: float64 [T, N, 2].
        counted: bool [T, N], where the truth is known and the query is past.
        size: float64 [T], square root of the mask's area, pixels.
    """
    error = np.linalg.norm(tracks - np.where(counted[..., None], truth, 0), axis=2)
    return float((error < np.maximum(2, 0.2 * size)[:, None])[counted].mean())


def follow(
    tracker: PointTracker, clip: FrameSource, queries: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_], float]:
    """Return tracks, visibility and seconds."""
    begin = time.perf_counter()
    chunks = list(tracker.track(clip, queries, 0, len(clip), Direction.FORWARD))
    seconds = time.perf_counter() - begin
    return np.concatenate([c.tracks for c in chunks]), np.concatenate([c.visible for c in chunks]), seconds
