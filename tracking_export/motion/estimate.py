"""One robust transform between two frames: sampled candidates (MSAC, Torr & Zisserman 2000), then reweighted fits.

Everything is float64 and deterministic: all minimal samples where there are few, seeded ones where there are many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from tracking_export.coordinates import Points
from tracking_export.motion.homography import from_four, is_sane, refine

Array = NDArray[np.float64]

MAX_SAMPLES = 300
ITERATIONS = 12
MIN_SPREAD = 1.0
"""Pixels: points that lie closer together say nothing about rotation, scale or perspective."""

_SPREADS = 4.0
"""Typical distances beyond which a point counts for nothing: 4.7 standard deviations of noise in x and y."""
_LEAST_NOISE = 0.05
_FEWEST = 1 / 3
"""Share of the points that has to agree on a similarity; chance lets a few agree on any."""
_MEDIANS = 4.0
"""Otherwise what is tolerated, in distances within which half of the points can be."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A transform: matrix [3, 3], how many points it takes (4, 2, 1), RMS of those that agree, agreement 0..1."""

    matrix: Array
    level: int
    rms: float
    agreement: float


def estimate(level: int, source: Points, target: Points, weights: Array, tolerance: float) -> Fit | None:
    """Return the richest transform up to `level` that the points support, or None without points.

    Args:
        level: 4 homography, 2 similarity, 1 translation.
        source: float64 [P, 2].
        target: float64 [P, 2], the same points on the other frame.
        weights: float64 [P], 0..1: the points' confidence.
        tolerance: pixels beyond which a point does not agree.
    """
    for step in (4, 2, 1):
        if step <= level and len(source) >= step:
            fit = _fit(step, source, target, weights, tolerance)
            if step == level == 2:
                fit = _of_most(fit, source, target, weights, tolerance)
            if fit is not None:
                return fit
    return None


def _of_most(fit: Fit | None, source: Points, target: Points, weights: Array, tolerance: float) -> Fit | None:
    """Return a similarity as near to most points as can be (Rousseeuw 1984) where few agree on `fit`.

    What tilts or comes closer moves as no similarity: the few points that happen to agree are others on each frame.
    """
    if fit and np.mean(_agree(fit.matrix, source, target, tolerance)) >= _FEWEST:
        return fit
    if not _spread_enough(2, source):
        return fit
    candidates = _similarity_candidates(source, target, _samples(len(source), 2))
    half = (len(source) + 3) // 2  # more than a sample that fits itself
    reach = np.partition(distances(candidates, source, target), half - 1, axis=1)[:, half - 1].min()
    wider = _MEDIANS * float(reach)
    most = _fit(2, source, target, weights, wider) if tolerance < wider < np.inf else None
    if most is None:
        return fit
    agree = _agree(most.matrix, source, target, tolerance)
    return replace(most, agreement=float(weights[agree].sum() / len(source)))


def _agree(matrix: Array, source: Points, target: Points, tolerance: float) -> NDArray[np.bool_]:
    """Return which points a matrix [3, 3] puts within the tolerance: bool [P]."""
    return np.asarray(distances(matrix[None], source, target)[0] < tolerance)


def _fit(level: int, source: Points, target: Points, weights: Array, tolerance: float) -> Fit | None:
    if not _spread_enough(level, source):
        return None
    candidates = _CANDIDATES[level](source, target, _samples(len(source), level))
    cost = np.minimum(distances(candidates, source, target), tolerance) ** 2 @ weights
    matrix = candidates[int(np.argmin(cost))]
    matrix = _REFINE[level](matrix, source, target, weights, tolerance)
    away = distances(matrix[None], source, target)[0]
    agree = away < tolerance
    # With points to spare, a minimal sample that only fits itself is no consensus.
    if level > 1 and np.count_nonzero(agree) < min(len(source), level + 1):
        return None
    if not agree.any() or not _spread_enough(level, source[agree]) or not is_sane(matrix, source[agree]):
        return None
    counted = weights * (_trust(away, tolerance) > 0)
    rms = float(np.sqrt(np.average(np.where(agree, away, 0) ** 2, weights=counted)))
    return Fit(matrix, level, rms, float(weights[agree].sum() / len(source)))


def distances(matrices: Array, source: Points, target: Points) -> Array:
    """Return how far each matrix [K, 3, 3] puts the points from where they are: float64 [K, P], inf where nowhere."""
    x, y = source.T
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        row = [matrices[:, i, 0, None] * x + matrices[:, i, 1, None] * y + matrices[:, i, 2, None] for i in range(3)]
        away = np.hypot(row[0] / row[2] - target[:, 0], row[1] / row[2] - target[:, 1])
    return np.where(np.isfinite(away), away, np.inf)


@lru_cache(maxsize=64)
def _samples(count: int, size: int) -> NDArray[np.int64]:
    if comb(count, size) <= MAX_SAMPLES:
        return np.array(list(combinations(range(count), size)), np.int64)
    generator = np.random.default_rng(0)
    # The first columns of random permutations: distinct points in each sample.
    return np.argsort(generator.random((MAX_SAMPLES, count)), axis=1)[:, :size]


def _spread_enough(level: int, points: Points) -> bool:
    if level == 1:
        return True
    if level == 2:
        return bool(np.sqrt(points.var(axis=0).sum()) >= MIN_SPREAD)
    if len(points) < 4:
        return False
    # A homography needs four points of which no three are in a line: leave out any one, and an area must remain.
    rest = len(points) - 1
    centred = points - points.mean(axis=0)
    total = centred.T @ centred
    outer = centred[:, :, None] * centred[:, None, :]
    scatter = (total - outer - outer / rest) / rest
    return bool(np.linalg.eigvalsh(scatter)[:, 0].min() >= MIN_SPREAD**2)


def _translation_candidates(source: Points, target: Points, samples: NDArray[np.int64]) -> Array:
    chosen = samples[:, 0]
    return translation(target[chosen] - source[chosen])


def translation(shift: Points) -> Array:
    """Return matrices [K, 3, 3] that move by shifts [K, 2]."""
    result = np.tile(np.eye(3), (len(shift), 1, 1))
    result[:, :2, 2] = shift
    return result


def _similarity_candidates(source: Points, target: Points, samples: NDArray[np.int64]) -> Array:
    before, after = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    first, second = samples.T
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = (after[second] - after[first]) / (before[second] - before[first])
        shift = after[first] - turn * before[first]
    return _from_complex(turn, shift)


def _from_complex(turn: NDArray[np.complex128], shift: NDArray[np.complex128]) -> Array:
    result = np.zeros((len(turn), 3, 3))
    result[:, 0, 0] = result[:, 1, 1] = turn.real
    result[:, 1, 0], result[:, 0, 1] = turn.imag, -turn.imag
    result[:, 0, 2], result[:, 1, 2] = shift.real, shift.imag
    result[:, 2, 2] = 1
    return result


def tukey(away: Array, tolerance: float) -> Array:
    """Return Tukey's biweight: 1 at 0, falling smoothly to 0 at the tolerance."""
    result: Array = np.clip(1 - (away / tolerance) ** 2, 0, None) ** 2
    return result


def _trust(away: Array, tolerance: float) -> Array:
    """Return weights that follow the noise there is: points just within the tolerance count only where many are."""
    agree = away < tolerance
    typical = float(np.median(away[agree])) if agree.any() else tolerance
    return tukey(away, min(tolerance, max(_SPREADS * typical, _LEAST_NOISE)))


def _reweighted(solve: Callable[[Points, Points, Array], Array | None]) -> Callable[..., Array]:
    def run(matrix: Array, source: Points, target: Points, weights: Array, tolerance: float) -> Array:
        for _ in range(ITERATIONS):
            trust = weights * _trust(distances(matrix[None], source, target)[0], tolerance)
            better = solve(source, target, trust) if trust.sum() > 0 else None
            if better is None:
                break
            matrix = better
        return matrix

    return run


def _solve_translation(source: Points, target: Points, trust: Array) -> Array | None:
    return translation(np.average(target - source, axis=0, weights=trust)[None])[0]


def _solve_similarity(source: Points, target: Points, trust: Array) -> Array | None:
    """Weighted least squares in closed form (Umeyama 1991), in complex numbers."""
    before, after = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    middle, moved = np.average(before, weights=trust), np.average(after, weights=trust)
    size = (trust * np.abs(before - middle) ** 2).sum()
    if size <= 0:
        return None
    turn = (trust * np.conj(before - middle) * (after - moved)).sum() / size
    return _from_complex(np.array([turn]), np.array([moved - turn * middle]))[0]


def _refine_homography(matrix: Array, source: Points, target: Points, weights: Array, tolerance: float) -> Array:
    for _ in range(ITERATIONS):
        trust = weights * _trust(distances(matrix[None], source, target)[0], tolerance)
        if np.count_nonzero(trust) < 4:
            break
        matrix = refine(matrix, source, target, trust)
    return matrix


_CANDIDATES = {1: _translation_candidates, 2: _similarity_candidates, 4: from_four}
_REFINE = {1: _reweighted(_solve_translation), 2: _reweighted(_solve_similarity), 4: _refine_homography}
