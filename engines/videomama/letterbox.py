"""A frame of any size and shape as a picture that the network takes, never squashed; and back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Alpha, Image, Mask
from engines.videomama.setting import working_size

INSIDE = 127
"""Masks are in or out, as the network was trained: above this is in."""


@dataclass(frozen=True)
class Letterbox:
    """Where a frame of some size lies in the network's picture."""

    inner: tuple[int, int]
    """Width and height of the scaled frame."""
    outer: tuple[int, int]
    """Width and height of the network's picture."""

    @property
    def corner(self) -> tuple[int, int]:
        """Return x and y of the scaled frame's top-left pixel in the network's picture."""
        return (self.outer[0] - self.inner[0]) // 2, (self.outer[1] - self.inner[1]) // 2

    def picture(self, rgb: Image) -> Image:
        """Return a frame, RGB uint8 [H, W, 3], at the network's size; its border goes on outside."""
        return self._pad(self._scale(rgb, cv2.INTER_CUBIC))

    def mask(self, mask: Mask) -> Mask:
        """Return a mask, uint8 [H, W], at the network's size: 0 or 255."""
        return self._pad(np.where(self._scale(mask, cv2.INTER_LINEAR) > INSIDE, np.uint8(255), np.uint8(0)))

    def cut(self, alpha: Alpha) -> Alpha:
        """Return the scaled frame's part of what is of the network's size."""
        (left, top), (width, height) = self.corner, self.inner
        return np.ascontiguousarray(alpha[top : top + height, left : left + width])

    def _scale(self, image: NDArray[np.uint8], enlarge: int) -> NDArray[np.uint8]:
        if (image.shape[1], image.shape[0]) == self.inner:
            return image
        smaller = self.inner[0] <= image.shape[1] and self.inner[1] <= image.shape[0]
        return cv2.resize(image, self.inner, interpolation=cv2.INTER_AREA if smaller else enlarge)

    def _pad(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        left, top = self.corner
        right, bottom = self.outer[0] - self.inner[0] - left, self.outer[1] - self.inner[1] - top
        return cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_REPLICATE)


def letterbox(size: tuple[int, int], long_side: int) -> Letterbox:
    """Return the letterbox of frames of a size (width, height), scaled up or down to that long side."""
    return Letterbox(*working_size(size, long_side))
