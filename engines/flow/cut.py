"""Graph cut of a map of log-odds against the picture's edges (Boykov and Jolly, ICCV 2001), by OpenCV's GrabCut."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

LIMIT = 40.0
"""Log-odds beyond this count as certain; GrabCut's contrast term has the weight 50."""
LEVELS = 60.0
"""Grey levels that carry the log-odds: few, so that they add little to the picture's own contrast."""


def graph_cut(log_odds: NDArray[np.float32], contrast: NDArray[np.uint8], band: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the smooth segmentation bool [h, w] of `log_odds` (positive = object) that prefers edges of the picture.

    Only pixels of `band` are decided; the others keep the sign of their log-odds. `contrast` is uint8 [h, w, 2].

    OpenCV offers the cut only inside GrabCut, whose colour models are Gaussian mixtures. Two frozen models of one
    Gaussian each, of equal width along a channel that holds the log-odds and without effect in the others, have
    exactly these log-odds; the other two channels then serve the contrast term alone.
    """
    positive = log_odds > 0
    if not band.any() or positive[band].all() or not positive[band].any():
        return positive
    rows, columns = np.flatnonzero(band.any(axis=1)), np.flatnonzero(band.any(axis=0))
    # One pixel more on each side lets the certain pixels around the band take part.
    part = np.s_[max(0, rows[0] - 1) : rows[-1] + 2, max(0, columns[0] - 1) : columns[-1] + 2]
    result = positive.copy()
    result[part] = _cut(log_odds[part], contrast[part], band[part])
    return result


def _cut(log_odds: NDArray[np.float32], contrast: NDArray[np.uint8], band: NDArray[np.bool_]) -> NDArray[np.bool_]:
    positive = log_odds > 0
    channel = np.clip((log_odds / LIMIT + 1) * (LEVELS / 2) + 0.5, 0, LEVELS).astype(np.uint8)
    labels = np.where(positive, np.uint8(cv2.GC_FGD), np.uint8(cv2.GC_BGD))
    labels[band] = np.where(positive[band], np.uint8(cv2.GC_PR_FGD), np.uint8(cv2.GC_PR_BGD))
    image = np.dstack([channel, contrast])
    cv2.grabCut(image, labels, None, _model(0.0), _model(LEVELS), 1, cv2.GC_EVAL_FREEZE_MODEL)
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def _model(mean: float) -> NDArray[np.float64]:
    """Return GrabCut's mixture with a single Gaussian at `mean` of channel 0, next to flat in channels 1 and 2."""
    flat = 1e7
    model = np.zeros((1, 65))
    model[0, 0] = 1.0
    model[0, 5:8] = mean, 128.0, 128.0
    model[0, 20:29] = np.diag([LEVELS * LEVELS / (2 * LIMIT), flat, flat]).ravel()
    return model
