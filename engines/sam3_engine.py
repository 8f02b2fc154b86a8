"""SAM 3 (Carion et al. 2025), by the transformers library: prompts or a text in, masks out, on images and in clips.

One folder of weights serves four classes of the library. They are loaded strictly, each with exactly its own part.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engines.base import Candidate, Prompts
from engines.prompt_checks import check_prompts
from engines.sam.family import HALVES, Family, network
from engines.sam.finder import SamFinder
from engines.sam.image import SamSegmenter
from engines.sam.text import TextSearch
from engines.sam.video import SamPropagator
from errors import PromptError

SAM3 = Family(
    "sam3",
    image=("transformers.models.sam3_tracker", "Sam3TrackerModel"),
    video=("transformers.models.sam3_tracker_video", "Sam3TrackerVideoModel"),
    session=("transformers.models.sam3_tracker_video.modeling_sam3_tracker_video", "Sam3TrackerVideoInferenceSession"),
    colours=HALVES,
    # A checkpoint that the library has written itself may have this prefix twice; then it finds none of this class's
    # own weights, and only warns.
    image_options={"key_mapping": {r"^tracker_model\.": ""}},
)
SAM3_TEXT = Family(
    "sam3",
    image=("transformers.models.sam3", "Sam3Model"),
    video=("engines.sam.following", "FollowingModel"),
    session=("transformers.models.sam3_video.modeling_sam3_video", "Sam3VideoInferenceSession"),
    colours=HALVES,
)
WEIGHTS = "sam3"


class Sam3Segmenter(SamSegmenter):
    """Clicks, a box, a rough mask or a text on one image -> mask; see `engines.sam.image` and `engines.sam.text`.

    A text has a candidate for every instance. A box beside it is an example of what is meant; of points beside it
    positive ones are in the instance that is wanted, negative ones are not.

    Args:
        device: auto, cuda, mps or cpu.
        precision: auto, fp32, bf16 or fp16.
        threshold: score that what a text finds has to exceed, 0..1.
    """

    def __init__(self, device: str = "auto", precision: str = "auto", threshold: float = 0.5) -> None:
        super().__init__(network(SAM3, WEIGHTS, device, precision))
        self._threshold = threshold
        self._search = TextSearch(network(SAM3_TEXT, WEIGHTS, device, precision), threshold)

    def predict(self, prompts: Prompts) -> list[Candidate]:
        """Return candidates, best first.

        Raises:
            PromptError: see `engines.prompt_checks`; the text is empty, or finds nothing.
            EngineFailedError: `set_image` was not called, or the weights are damaged.
            ResourceError: the device is out of memory.
        """
        if prompts.text is None or self._image is None:
            return super().predict(prompts)
        self._check_beside_text(prompts)
        found = self._search.find(self._image, self._key, prompts.text, [prompts.box] if prompts.box else [])
        if not found:
            raise PromptError(
                f"no '{prompts.text.strip()}' was found here with a score above {self._threshold:g}; "
                "try another word, another frame or a lower threshold"
            )
        # Stable: instances that agree with the points equally well stay in the order of their scores.
        found.sort(key=lambda entry: -_agreeing(entry[0], prompts))
        return [Candidate(self._painted(mask.astype(np.uint8), prompts), score) for mask, score in found]

    def _check_beside_text(self, prompts: Prompts) -> None:
        if prompts.mask is not None:
            raise PromptError("a text cannot refine a rough mask; clear the frame's prompts, or leave the text out")
        beside = replace(prompts, text=None)
        if beside.points or beside.strokes or beside.box is not None:
            assert self._size is not None
            check_prompts(beside, *self._size, self._network.family.name)


class Sam3Propagator(SamPropagator):
    """Keyframe masks -> masks for a clip; see `engines.sam.video`. Parameters as for `Sam3Segmenter`."""

    def __init__(self, device: str = "auto", precision: str = "auto") -> None:
        super().__init__(network(SAM3, WEIGHTS, device, precision))


class Sam3Finder(SamFinder):
    """A text through a clip -> instances; see `engines.sam.finder`. Parameters as for `Sam3Segmenter`."""

    def __init__(self, device: str = "auto", precision: str = "auto", threshold: float = 0.5) -> None:
        super().__init__(network(SAM3_TEXT, WEIGHTS, device, precision), threshold)


def _agreeing(mask: np.ndarray, prompts: Prompts) -> int:
    """Return how many points say of a mask, bool [H, W], what it says itself."""
    height, width = mask.shape
    return sum(
        bool(mask[min(max(round(p.y), 0), height - 1), min(max(round(p.x), 0), width - 1)]) is p.positive
        for p in prompts.points
    )
