"""A run of the authors' network from one keyframe of one object, and the encoded pictures that runs share."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional

from engines.base import Alpha, Mask
from engines.matanyone.authors import Network
from engines.matanyone.frames import Frame
from engines.matanyone.matching import reading_in_parts

OBJECT = 1
"""The number that the network knows the only object of a run by."""


class Features:
    """The encoded picture of the frame at hand, for all runs: what the authors' code calls an image feature store.

    Theirs counts each run's own steps, and forgets a picture after every one: it would encode a keyframe's picture
    twelve times, and each frame once for every object.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._index: int | None = None
        self._held: tuple[Any, ...] | None = None

    def turn_to(self, index: int) -> None:
        """Say which frame the next steps are about."""
        if index != self._index:
            self._index, self._held = index, None

    def get_features(self, index: int, image: Any) -> tuple[Any, ...]:
        """Return the picture's features of all scales, and those that are compared."""
        return self._encoded(image)[:2]

    def get_key(self, index: int, image: Any) -> tuple[Any, ...]:
        """Return the picture's key, shrinkage and selection."""
        return self._encoded(image)[2:]

    def delete(self, index: int) -> None:
        """Keep them: `turn_to` decides."""

    def _encoded(self, image: Any) -> tuple[Any, ...]:
        if self._held is None:
            scales, compared = self._network.encode_image(image)
            self._held = (scales, compared, *self._network.transform_key(scales[0]))
        return self._held


class Run:
    """One object from one keyframe on, in one direction.

    Args:
        network: what computes.
        features: shared with the runs that see the same frames.
        mask: of the keyframe as `prepare_mask` returns it.
        warmup: times that the keyframe's alpha is refined before the first step.
    """

    def __init__(self, network: Network, features: Features, mask: Mask, warmup: int) -> None:
        self._compute = network.compute
        self._features = features
        self._core = network.new_core(features)
        self._mask: Mask | None = mask
        self._warmup = warmup

    def step(self, frame: Frame) -> Alpha:
        """Return the alpha, float32 [H, W] 0..1 at the working size, of the keyframe first, then of its successors.

        Raises:
            ResourceError: the device is out of memory.
        """
        self._features.turn_to(frame.index)
        mask, self._mask = self._mask, None
        with self._compute.inference(), reading_in_parts():
            given = self._core.step(frame.image) if mask is None else self._begin(frame, mask)
            return given[1].float().cpu().numpy()

    def _begin(self, frame: Frame, mask: Mask) -> Any:
        """Give the keyframe's mask, then have the network see the same picture again and again."""
        height, width = frame.image.shape[-2:]
        # It looks for the 30 most similar places in its memory, of which a tiny picture has fewer.
        memory = self._core.memory
        memory.top_k = min(memory.top_k, -(-height // 16) * -(-width // 16))
        given = torch.from_numpy(fit_mask(mask, (width, height))).to(frame.image.device).float()
        self._core.step(frame.image, given, objects=[OBJECT])
        for _ in range(self._warmup + 1):
            found = self._core.step(frame.image, first_frame_pred=True)
        return found


def prepare_mask(mask: Mask, dilate: int, erode: int) -> Mask:
    """Return a keyframe's mask as the network takes it: 0 or 255, its small holes and cracks closed.

    What is soft in it counts from one half on: networks leave a trace of grey everywhere, and the authors' own
    preparation takes all that is not 0 for the object.

    Args:
        mask: uint8 [H, W].
        dilate: diameter in pixels by which it grows first.
        erode: diameter in pixels by which it then shrinks, unless nothing were left.
    """
    result = np.where(mask > 127, 255, 0).astype(np.uint8)
    if dilate:
        result = cv2.dilate(result, _disc(dilate))
    if erode:
        shrunk = cv2.erode(result, _disc(erode))
        result = shrunk if shrunk.any() else result
    return result


def _disc(diameter: int) -> Mask:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)).astype(np.uint8)


def fit_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    """Return a mask of 0 and 255 at `size` (width, height), by its nearest pixels, or what is left of it there."""
    if mask.shape == size[::-1]:
        return mask
    values = torch.from_numpy(mask).float()[None, None]
    nearest = functional.interpolate(values, size[::-1], mode="nearest")[0, 0].byte().numpy()
    if nearest.any():
        return nearest
    return np.where(cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 0, 255, 0).astype(np.uint8)
