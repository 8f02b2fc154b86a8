"""Alpha of a smaller picture -> alpha of the picture itself, with the picture's own edges."""

from __future__ import annotations

from itertools import combinations_with_replacement

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Alpha, Image

Floats = NDArray[np.float64]

WINDOW = (3, 3)
"""In which alpha is taken for a linear function of the colours: small, so that hair stays."""
EPS = 1e-4
"""How much that function is held back, for colours 0..1: high enough that noise does not show."""
AROUND = np.ones((5, 5), np.uint8)
"""What an answer keeps within: the least and the most alpha in these many pixels of the small picture."""


def upsample(alpha: Alpha, rgb: Image) -> Alpha:
    """Return alpha float32 [H, W] 0..1 at the size of `rgb`.

    A guided filter whose coefficients are those of the small picture (He and Sun, "Fast Guided Filter", 2015), with
    what it loses put back (Irani and Peleg, "Improving Resolution by Image Registration", 1991), so that the result,
    made small again, is about the alpha that was given. Solid parts stay exactly 0 or 1. Against ground truth made
    two and three times smaller the mean error is a third to a half of a bilinear enlargement's.

    Args:
        alpha: float32 [h, w] 0..1; returned as it is where it has the right size.
        rgb: uint8 [H, W, 3].
    """
    height, width = rgb.shape[:2]
    if alpha.shape == (height, width):
        return alpha
    full, small = (width, height), (alpha.shape[1], alpha.shape[0])
    colours = cv2.resize(rgb, small, interpolation=cv2.INTER_AREA).astype(np.float64) / 255
    *slopes, offset = (cv2.resize(each.astype(np.float32), full) for each in _linear(colours, alpha.astype(np.float64)))
    answer = offset
    for channel, slope in enumerate(slopes):
        answer += slope * (rgb[..., channel] * np.float32(1 / 255))
    np.clip(answer, 0, 1, out=answer)
    lost = alpha - cv2.resize(answer, small, interpolation=cv2.INTER_AREA)
    answer += cv2.resize(lost, full, interpolation=cv2.INTER_CUBIC)
    least, most = (cv2.resize(limit, full) for limit in (cv2.erode(alpha, AROUND), cv2.dilate(alpha, AROUND)))
    return np.clip(answer, least, most, out=answer)


def _linear(colours: Floats, alpha: Floats) -> list[Floats]:
    """Return slopes for red, green and blue and the offset of alpha as a linear function of colours, by pixel.

    The normal equations of ridge regression in each window, solved by cofactors.
    """
    planes = list(cv2.split(colours))
    means, mean = [_mean(plane) for plane in planes], _mean(alpha)
    covariance = [_mean(plane * alpha) - own * mean for plane, own in zip(planes, means, strict=True)]
    matrix = {}
    for i, j in combinations_with_replacement(range(3), 2):
        value = _mean(planes[i] * planes[j]) - means[i] * means[j] + (EPS if i == j else 0)
        matrix[i, j] = matrix[j, i] = value

    def cofactor(i: int, j: int) -> Floats:
        (a, b), (c, d) = ([k for k in range(3) if k != n] for n in (i, j))
        return (matrix[a, c] * matrix[b, d] - matrix[a, d] * matrix[b, c]) * (-1) ** (i + j)

    cofactors = [[cofactor(i, j) for j in range(3)] for i in range(3)]
    determinant = _dot([matrix[0, j] for j in range(3)], cofactors[0])
    slopes = [_dot(row, covariance) / determinant for row in cofactors]
    offset = mean - _dot(slopes, means)
    return [_mean(each) for each in (*slopes, offset)]


def _dot(left: list[Floats], right: list[Floats]) -> Floats:
    return left[0] * right[0] + left[1] * right[1] + left[2] * right[2]


def _mean(values: Floats) -> Floats:
    return cv2.blur(values, WINDOW)
