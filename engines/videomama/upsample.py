"""Alpha of the network's size -> alpha of the frame's size, along the frame's own edges.

A fast guided filter (He, Sun, "Fast Guided Filter", 2015): on the small grid alpha is written as a linear function of
colour around each pixel, and the functions, scaled up, are applied to the full picture. Then what scaling the result
down again misses is added (back-projection; Irani, Peleg, CVGIP 1991), so that it says what the network said.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Alpha, Image

Floats = NDArray[np.float32]

WINDOW = (3, 3)
EPSILON = 2e-4
"""Of colours 0..1: less follows the picture's noise, more its edges less."""
PASSES = 3
FLAT = 1e-6
"""Variance of alpha up to which there is no edge to look for."""


def restore(alpha: Alpha, rgb: Image) -> Alpha:
    """Return alpha float32 [h, w] 0..1 of the scaled frame at the size of `rgb`, uint8 [H, W, 3]."""
    height, width = rgb.shape[:2]
    if alpha.shape == (height, width):
        return alpha
    if height <= alpha.shape[0] and width <= alpha.shape[1]:
        return np.clip(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA), 0, 1)
    small = cv2.resize(rgb, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_AREA)
    result = _apply(_models(alpha, small), rgb)
    for _ in range(PASSES):
        miss = alpha - cv2.resize(result, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_AREA)
        result += cv2.resize(miss, (width, height), interpolation=cv2.INTER_CUBIC)
        np.clip(result, 0, 1, out=result)
    return result


def _models(alpha: Alpha, rgb: Image) -> Floats:
    """Return float32 [h, w, 4]: three factors of colour 0..1 and a constant, averaged over the window."""
    mean = _mean(alpha)
    edge = _mean(alpha * alpha) - mean * mean > FLAT
    factors = np.zeros((*alpha.shape, 3), np.float32)
    if edge.any():
        factors[edge] = _factors(alpha, rgb, mean, edge)
    constant = mean - (factors * _mean(rgb * np.float32(1 / 255))).sum(axis=2)
    return _mean(np.dstack([factors, constant]))


def _factors(alpha: Alpha, rgb: Image, mean: Floats, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return float64 [N, 3], the factors of colour where there is an edge."""
    colour = rgb.astype(np.float64) / 255
    colours = _mean(colour)
    each = [colour[..., i] for i in range(3)]
    covariance = np.empty((int(where.sum()), 3, 3))
    for i in range(3):
        for j in range(i, 3):
            value = _mean(each[i] * each[j])[where] - colours[..., i][where] * colours[..., j][where]
            covariance[:, i, j] = covariance[:, j, i] = value
    covariance += EPSILON * np.eye(3)
    common = [_mean(each[i] * alpha)[where] - colours[..., i][where] * mean[where] for i in range(3)]
    return np.linalg.solve(covariance, np.stack(common, axis=1)[..., None])[..., 0]


def _apply(models: Floats, rgb: Image) -> Floats:
    """Return the models' answer to every pixel of the full picture."""
    size = rgb.shape[1], rgb.shape[0]
    result: Floats = cv2.resize(models[..., 3], size, interpolation=cv2.INTER_LINEAR)
    for channel in range(3):
        factor = cv2.resize(models[..., channel], size, interpolation=cv2.INTER_LINEAR)
        result += factor * rgb[..., channel] / np.float32(255)
    return np.clip(result, 0, 1, out=result)


def _mean(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return cv2.blur(values, WINDOW, borderType=cv2.BORDER_REFLECT)
