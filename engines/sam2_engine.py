"""SAM2.1 (Ravi et al. 2024) and EdgeTAM (Zhou et al. 2025), by the transformers library: prompts in, masks out."""

from __future__ import annotations

from engines.sam.family import Family, Network, network
from engines.sam.image import SamSegmenter
from engines.sam.video import SamPropagator

SAM2 = Family(
    "sam2",
    image=("transformers.models.sam2", "Sam2Model"),
    video=("transformers.models.sam2_video", "Sam2VideoModel"),
    session=("transformers.models.sam2_video.modeling_sam2_video", "Sam2VideoInferenceSession"),
)
EDGETAM = Family(
    "sam2",
    image=("transformers.models.edgetam", "EdgeTamModel"),
    video=("transformers.models.edgetam_video", "EdgeTamVideoModel"),
    session=("transformers.models.edgetam_video.modeling_edgetam_video", "EdgeTamVideoInferenceSession"),
)


def _network(model: str, device: str, precision: str) -> Network:
    edge = model == "edgetam"
    return network(EDGETAM if edge else SAM2, model if edge else f"sam2.1-hiera-{model}", device, precision)


class Sam2Segmenter(SamSegmenter):
    """Clicks, a box or a rough mask on one image -> mask; see `engines.sam.image`.

    Args:
        model: tiny, small, base-plus, large or edgetam.
        device: auto, cuda, mps or cpu.
        precision: auto, fp32, bf16 or fp16.
    """

    def __init__(self, model: str = "small", device: str = "auto", precision: str = "auto") -> None:
        super().__init__(_network(model, device, precision))


class Sam2Propagator(SamPropagator):
    """Keyframe masks -> masks for a clip; see `engines.sam.video`. Parameters as for `Sam2Segmenter`."""

    def __init__(self, model: str = "small", device: str = "auto", precision: str = "auto") -> None:
        super().__init__(_network(model, device, precision))
