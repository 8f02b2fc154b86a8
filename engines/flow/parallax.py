"""Moving unlike the background as evidence for the object."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Region = NDArray[np.bool_]

BINS = 33
"""Bins per axis of the histogram of motion relative to the background."""
FLOOR = 2e-3
LIMIT = 3.0
STRIDE = 4


def motion_log_odds(flow: Array, inside: Region, outside: Region) -> Array:
    """Return float32 [h, w]: positive where the flow is like that of `inside`, negative where like `outside`.

    The camera's motion, an affine fit to the flow float32 [h, w, 2] (in working pixels) of `outside`, is taken off
    first. Where object and background move alike, the result is about zero and decides nothing.
    """
    height, width = inside.shape
    if np.count_nonzero(outside) < 50 or np.count_nonzero(inside) < 20:
        return np.zeros((height, width), np.float32)
    residual = flow - camera_motion(flow, outside)
    # The square root makes the bins finest where a slow object and the background have to be told apart.
    bent = np.sign(residual) * np.sqrt(np.abs(residual))
    bins = np.clip(bent * 4 + BINS / 2, 0, BINS - 1).astype(np.int32)
    index = bins[..., 1] * BINS + bins[..., 0]
    like, unlike = _histogram(index[inside]), _histogram(index[outside])
    return np.clip(np.log((like + FLOOR) / (unlike + FLOOR)), -LIMIT, LIMIT)[index]


def camera_motion(flow: Array, background: Region) -> Array:
    """Return the affine motion, float32 [h, w, 2], that fits the flow of the background best, robustly."""
    height, width = background.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    terms = np.stack([np.ones_like(x), x / width - 0.5, y / height - 0.5], axis=-1)
    chosen = background[::STRIDE, ::STRIDE]
    basis = terms[::STRIDE, ::STRIDE][chosen].astype(np.float64)
    target = flow[::STRIDE, ::STRIDE][chosen].astype(np.float64)
    weight = np.ones(len(basis))
    for _ in range(4):
        weighted = basis * weight[:, None]
        coefficients = np.linalg.solve(weighted.T @ basis + 1e-3 * np.eye(3), weighted.T @ target)
        distance = np.linalg.norm(target - basis @ coefficients, axis=1)
        weight = 1 / (1 + (distance / 0.7) ** 2)
    return np.einsum("hwt,tc->hwc", terms, coefficients.astype(np.float32))


def _histogram(index: NDArray[np.int32]) -> Array:
    counts = np.bincount(index, minlength=BINS * BINS).astype(np.float32).reshape(BINS, BINS)
    counts = cv2.GaussianBlur(counts, (0, 0), 1.0, borderType=cv2.BORDER_CONSTANT).ravel()
    return counts / np.float32(max(float(counts.sum()), 1e-6))
