"""Homographies: through four points, and refined on many by Gauss-Newton (Hartley & Zisserman, 2004, ch. 4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tracking_export.coordinates import Points

Array = NDArray[np.float64]


def from_four(source: Points, target: Points, samples: NDArray[np.int64]) -> Array:
    """Return the homography of each sample of four points: [K, 3, 3]; not finite where three are in a line.

    Args:
        source: float64 [P, 2].
        target: float64 [P, 2].
        samples: int64 [K, 4], indices of points.
    """
    to_source, to_target = normaliser(source), normaliser(target)
    before = _basis(_homogeneous(source, to_source)[samples])
    after = _basis(_homogeneous(target, to_target)[samples])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result = np.linalg.inv(to_target) @ after @ _adjugate(before) @ to_source
        scaled: Array = result / result[:, 2:, 2:]
    return scaled


def normaliser(points: Points) -> Array:
    """Return the matrix that moves points to mean 0 and mean distance sqrt 2: float64 [3, 3]."""
    middle = points.mean(axis=0)
    size = np.linalg.norm(points - middle, axis=1).mean()
    factor = np.sqrt(2) / size if size > 0 else 1.0
    return np.array([[factor, 0, -factor * middle[0]], [0, factor, -factor * middle[1]], [0, 0, 1.0]])


def _homogeneous(points: Points, matrix: Array) -> Array:
    return np.column_stack([points, np.ones(len(points))]) @ matrix.T


def _adjugate(matrices: Array) -> Array:
    a, b, c = matrices[..., 0], matrices[..., 1], matrices[..., 2]
    return np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=-2)


def _basis(points: Array) -> Array:
    """Return the matrices that take the projective basis to four points [K, 4, 3]."""
    three = points[:, :3].swapaxes(1, 2)
    share = _adjugate(three) @ points[:, 3, :, None]
    result: Array = three * share.swapaxes(1, 2)
    return result


def refine(matrix: Array, source: Points, target: Points, weights: Array) -> Array:
    """Return the matrix after one weighted Gauss-Newton step on the distances in the target frame."""
    to_source, to_target = normaliser(source), normaliser(target)
    current = to_target @ matrix @ np.linalg.inv(to_source)
    current = current / current[2, 2]
    before, after = _homogeneous(source, to_source), _homogeneous(target, to_target)[:, :2]
    moved = before @ current.T
    depth = moved[:, 2:]
    guess = moved[:, :2] / depth
    zero = np.zeros_like(before)
    shared = before[:, :2] / depth
    rows_x = np.hstack([before / depth, zero, -guess[:, :1] * shared])
    rows_y = np.hstack([zero, before / depth, -guess[:, 1:] * shared])
    root = np.sqrt(weights)[:, None]
    system = np.vstack([rows_x * root, rows_y * root])
    missing = ((after - guess) * root).T.ravel()
    change = np.linalg.lstsq(system, missing, rcond=None)[0]
    better = current + np.append(change, 0).reshape(3, 3)
    result = np.linalg.inv(to_target) @ better @ to_source
    scaled: Array = result / result[2, 2]
    return scaled


def is_sane(matrix: Array, points: Points) -> bool:
    """Return whether a matrix keeps all points in front of the camera and the plane's front towards it."""
    if not np.isfinite(matrix).all():
        return False
    depth = np.column_stack([points, np.ones(len(points))]) @ matrix[2]
    # The sign of the Jacobian's determinant at a point is that of the matrix's over its depth cubed.
    return bool((depth > 1e-6).all() and np.linalg.det(matrix) > 1e-9)
