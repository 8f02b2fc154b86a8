"""A text on one image -> every instance of what it names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engines.base import Box, Image
from engines.sam.family import Network, side_of
from engines.sam.words import tokens

KEPT_IMAGES = 2
"""Pictures whose features are kept; 230 MB each."""
INSIDE = 0.5
"""Share of certainty from which a pixel belongs to an instance, as the authors have it."""

Found = tuple[NDArray[np.bool_], float]


class TextSearch:
    """Finds instances on single pictures; the features of the latest pictures are kept, apart from those of clicks.

    Args:
        network: what computes, with `Sam3Model` for images.
        threshold: score that an instance has to exceed, 0..1.
    """

    def __init__(self, network: Network, threshold: float) -> None:
        self._network = network
        self._threshold = threshold
        self._kept: OrderedDict[bytes, Any] = OrderedDict()

    def find(self, rgb: Image, key: bytes, text: str, boxes: Sequence[Box] = ()) -> list[Found]:
        """Return (mask bool [H, W], score 0..1) of every instance, the surest first.

        Args:
            rgb: the image.
            key: tells it from others.
            text: a short noun phrase.
            boxes: examples of what is meant on this image.

        Raises:
            PromptError: the text is empty or too long.
            EngineFailedError: the weights are damaged.
            ResourceError: the device is out of memory.
        """
        compute = self._network.compute
        inputs = tokens(self._network.folder, text, compute.device)
        height, width = rgb.shape[:2]
        if boxes:
            inputs["input_boxes"] = torch.tensor(
                [[_relative(box, width, height) for box in boxes]], dtype=torch.float32, device=compute.device
            )
        with compute.inference():
            model = self._network.image()
            features = self._features(model, rgb, key)
            out = model(vision_embeds=_single(features) if boxes else features, **inputs)
            scores = (out.pred_logits.sigmoid() * out.presence_logits.sigmoid())[0].float()
            places = [int(i) for i in scores.argsort(descending=True, stable=True) if scores[i] > self._threshold]
            return [(_full_size(out.pred_masks[0, place], height, width), float(scores[place])) for place in places]

    def _features(self, model: Any, rgb: Image, key: bytes) -> Any:
        if key not in self._kept:
            while len(self._kept) >= KEPT_IMAGES:
                self._kept.popitem(last=False)
            self._kept[key] = model.get_vision_features(self._network.pixels(rgb, side_of(model)))
        self._kept.move_to_end(key)
        return self._kept[key]


def _single(features: Any) -> Any:
    """Return features in single precision: of bf16 the box encoder makes fp16, and autocast refuses to mix them."""
    levels = tuple(level.float() for level in features.fpn_hidden_states)
    return type(features)(**{**features, "fpn_hidden_states": levels})


def _relative(box: Box, width: int, height: int) -> list[float]:
    """Return a box as the network takes it: centre and size, as parts of the image."""
    x0, y0, x1, y1 = box.x0 / width, box.y0 / height, box.x1 / width, box.y1 / height
    return [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]


def _full_size(logits: Any, height: int, width: int) -> NDArray[np.bool_]:
    sure = torch.nn.functional.interpolate(
        logits.float().sigmoid()[None, None], (height, width), mode="bilinear", align_corners=False
    )
    return np.asarray((sure[0, 0] > INSIDE).cpu().numpy())
