"""Points, a box, strokes and a rough mask on one image -> mask."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engines.base import Candidate, Image, Mask, Prompts
from engines.neural.compute import free_memory
from engines.notice import notice
from engines.prompt_checks import check_prompts
from engines.sam.family import Network, side_of
from engines.strokes import paint
from errors import EngineFailedError, ResourceError

KEPT_IMAGES = 6
"""Pictures whose embeddings are kept; 16 MB each."""
SURE = 10.0
"""Logit of a rough mask's inside, as the network's own first guess would be given back to it."""


class SamSegmenter:
    """An `engines.base.ImageSegmenter`; embeddings of the latest pictures are kept, so that a click costs the decoder.

    A lone point has three answers of different extent, best first; more prompts have one. Strokes are painted into the
    answer as they are. Equal to the authors' image predictor under the same prompts: a rough mask goes in as logits,
    and a lone one with an empty point, as in their video code.

    Args:
        network: what computes.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._size: tuple[int, int] | None = None
        self._key = b""
        self._kept: OrderedDict[bytes, list[Any]] = OrderedDict()
        self._image: Image | None = None

    def set_image(self, rgb: Image) -> None:
        """Take the image, RGB uint8 [H, W, 3], that the following predictions are about."""
        self._image = rgb
        self._size = rgb.shape[1], rgb.shape[0]
        self._key = hashlib.blake2b(rgb.tobytes(), person=str(rgb.shape).encode()[:16]).digest()

    def predict(self, prompts: Prompts) -> list[Candidate]:
        """Return candidates, best first.

        Raises:
            PromptError: see `engines.prompt_checks`.
            EngineFailedError: `set_image` was not called.
            ResourceError: the device is out of memory.
        """
        if self._size is None:
            raise EngineFailedError("no image; call set_image before predict")
        check_prompts(prompts, *self._size, self._network.family.name)
        return [Candidate(self._painted(mask, prompts), score) for mask, score in self._answers(prompts)]

    def _answers(self, prompts: Prompts) -> list[tuple[Mask, float]]:
        assert self._size is not None
        width, height = self._size
        if not prompts.points and prompts.box is None and prompts.strokes:  # brush work alone needs no network
            base = np.zeros((height, width), np.uint8) if prompts.mask is None else prompts.mask
            return [((base > 127).astype(np.uint8), 1.0)]
        kept = len(self._kept)
        try:
            return self._asked(prompts, self._size)
        except ResourceError as error:
            if not kept:
                raise
            reason = str(error).partition(";")[0]
        # Outside of the handler: the error holds on to what was under way.
        self._kept.clear()
        free_memory()
        notice(f"{reason}: forgot the {kept} kept pictures; going back to one of them takes longer")
        return self._asked(prompts, self._size)

    def _asked(self, prompts: Prompts, size: tuple[int, int]) -> list[tuple[Mask, float]]:
        """Ask the network; return masks uint8 [H, W], 0 or 1, with scores, best first."""
        width, height = size
        with self._network.inference():
            model = self._network.image()
            embeddings = self._embeddings(model)
            out = model(
                image_embeddings=list(embeddings),
                multimask_output=_is_ambiguous(prompts),
                **_inputs(prompts, size, side_of(model), self._network.compute.device),
            )
            logits = torch.nn.functional.interpolate(
                out.pred_masks[:, 0].float(), (height, width), mode="bilinear", align_corners=False
            )[0]
            masks, scores = (logits > 0).to(torch.uint8).cpu().numpy(), out.iou_scores[0, 0].float().cpu().tolist()
        order = sorted(range(len(scores)), key=lambda place: -scores[place])
        return [(masks[place], float(min(max(scores[place], 0.0), 1.0))) for place in order]

    def _embeddings(self, model: Any) -> list[Any]:
        if self._key not in self._kept:
            assert self._image is not None
            self._kept[self._key] = model.get_image_embeddings(self._network.pixels(self._image, side_of(model)))
            while len(self._kept) > KEPT_IMAGES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(self._key)
        return self._kept[self._key]

    def _painted(self, mask: Mask, prompts: Prompts) -> NDArray[np.bool_]:
        painted = np.ascontiguousarray(mask)
        paint(painted, prompts.strokes)
        return np.asarray(painted > 0)


def _is_ambiguous(prompts: Prompts) -> bool:
    """Tell whether the prompt is one point: then the authors advise three answers."""
    return len(prompts.points) == 1 and prompts.box is None and prompts.mask is None


def _inputs(prompts: Prompts, size: tuple[int, int], side: int, device: str) -> dict[str, Any]:
    """Return the prompts as the model takes them: coordinates scaled to its square, a mask as logits."""
    scale = np.array([side / size[0], side / size[1]])
    inputs: dict[str, Any] = {}
    if prompts.points:
        xy = np.array([[point.x, point.y] for point in prompts.points]) * scale
        inputs["input_points"] = torch.tensor(xy, dtype=torch.float32, device=device)[None, None]
        labels = [int(point.positive) for point in prompts.points]
        inputs["input_labels"] = torch.tensor(labels, dtype=torch.int32, device=device)[None, None]
    if prompts.box is not None:
        box = np.array([[prompts.box.x0, prompts.box.y0], [prompts.box.x1, prompts.box.y1]]) * scale
        inputs["input_boxes"] = torch.tensor(box.reshape(1, 1, 4), dtype=torch.float32, device=device)
    if prompts.mask is not None:
        inputs["input_masks"] = torch.tensor(rough_logits(prompts.mask, side), device=device)[None, None]
    return inputs


def rough_logits(mask: Mask, side: int) -> NDArray[np.float32]:
    """Return a mask, uint8 [H, W], as the network takes it: logits float32 [side / 4, side / 4]."""
    small = cv2.resize(mask, (side // 4, side // 4), interpolation=cv2.INTER_AREA).astype(np.float32)
    return (small / 127.5 - 1) * SURE
