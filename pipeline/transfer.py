"""Transfer functions: from the R'G'B' that a video codes to linear light, for the formats that want it.

The inverse of the camera's curve (OETF), as compositors read Rec.709 footage, not of the display's. HDR is scaled so
that its reference white (ITU-R BT.2408: 203 cd/m2, 58 % of PQ, 75 % of HLG) is 1.0 and highlights are above it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pipeline.planes import codes_of

Floats = NDArray[np.float64]

_CODES = 1 << 16


def linearise(rgb: NDArray[np.float32], transfer: str) -> NDArray[np.float32]:
    """Return linear light of R'G'B' float32 [H, W, 3], 0..1 (values beyond are clipped), by FFmpeg's name of the curve.

    Unspecified and unknown curves are read as BT.709.
    """
    codes = codes_of(np.clip(rgb, 0, 1), _CODES - 1)  # finer steps than half floats have
    return cast(NDArray[np.float32], np.take(_table(transfer), codes))


@cache
def _table(transfer: str) -> NDArray[np.float32]:
    codes = np.linspace(0, 1, _CODES)
    return _CURVES.get(transfer, _bt709)(codes).astype(np.float32)


def _bt709(code: Floats) -> Floats:
    """BT.709, BT.601 and BT.2020: one curve; the constants are BT.2020's, to more digits."""
    alpha, beta = 1.09929682680944, 0.018053968510807
    return np.where(code < 4.5 * beta, code / 4.5, ((code + alpha - 1) / alpha) ** (1 / 0.45))


def _smpte240m(code: Floats) -> Floats:
    return np.where(code < 0.0913, code / 4, ((code + 0.1115) / 1.1115) ** (1 / 0.45))


def _srgb(code: Floats) -> Floats:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def _pq_light(code: Floats) -> Floats:
    """SMPTE ST 2084's EOTF, 1.0 for 10 000 cd/m2."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = code ** (1 / m2)
    return (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def _pq(code: Floats) -> Floats:
    return _pq_light(code) * (10_000 / 203)


def _hlg_light(code: Floats) -> Floats:
    """ARIB STD-B67's inverse OETF, 1.0 for the brightest."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)


def _hlg(code: Floats) -> Floats:
    return _hlg_light(code) / _hlg_light(np.array([0.75]))


def _power(exponent: float) -> Callable[[Floats], Floats]:
    return lambda code: code**exponent


_CURVES: dict[str, Callable[[Floats], Floats]] = {
    "bt709": _bt709,
    "smpte240m": _smpte240m,
    "bt470m": _power(2.2),
    "bt470bg": _power(2.8),
    "linear": _power(1),
    "log100": lambda code: np.where(code > 0, 10 ** (2 * (code - 1)), 0),
    "log316": lambda code: np.where(code > 0, 10 ** (2.5 * (code - 1)), 0),
    "iec61966-2-1": _srgb,
    "smpte2084": _pq,
    "smpte428": lambda code: code**2.6 * (52.37 / 48),
    "arib-std-b67": _hlg,
}
