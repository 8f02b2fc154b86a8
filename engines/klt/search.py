"""Looking for patches around the places where they are expected."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.klt.patches import HALF, SIDE, Patches

Floats = NDArray[np.float32]

AHEAD = 0.06
"""Correlation by which the best place has to be ahead of the next best."""


def search(
    grey: NDArray[np.uint8], patches: Patches, places: Floats, linear: Floats, radii: NDArray[np.int_]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the best place of each patch within its radius, by normalised cross-correlation.

    Args:
        grey: uint8 [H, W].
        patches: N templates.
        places: float32 [N, 2], around which to look.
        linear: float32 [N, 2, 2], how the templates are bent there.
        radii: int [N], in pixels of the template.

    Returns:
        places float32 [N, 2], to whole pixels of the template, and whether nothing else is nearly as good, bool [N].
    """
    best, alone = places.copy(), np.zeros(len(places), bool)
    for row, (place, bent, radius) in enumerate(zip(places, linear, radii.tolist(), strict=True)):
        # The picture is straightened, not the template bent: so the template keeps its pixels.
        reach = np.arange(-radius - HALF, radius + HALF + 1, dtype=np.float32)
        x = bent[0, 0] * reach + bent[0, 1] * reach[:, None] + place[0]
        y = bent[1, 0] * reach + bent[1, 1] * reach[:, None] + place[1]
        window = cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT).astype(np.float32)
        scores = cv2.matchTemplate(window, patches.values[row].reshape(SIDE, SIDE), cv2.TM_CCOEFF_NORMED)
        _, highest, _, (dx, dy) = cv2.minMaxLoc(scores)
        best[row] = place + bent @ np.array([dx - radius, dy - radius], np.float32)
        cv2.circle(scores, (dx, dy), 4, -1, -1)
        alone[row] = highest - float(scores.max()) > AHEAD
    return best, alone
