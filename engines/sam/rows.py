"""SAM's rows of the table of engines."""

from __future__ import annotations

from engines.neural.params import DEVICE, PRECISION
from engines.sam import costs
from engines.spec import EngineSpec, Job, Licence, Param, PromptKind

APACHE = Licence("Apache-2.0", commercial=True)
SAM2_MODEL = Param(
    "model",
    "base-plus",
    "Larger is finer and slower; edgetam is the smallest.",
    choices=("edgetam", "tiny", "small", "base-plus", "large"),
    lighter=("small", "tiny", "edgetam"),
)
SAM2_MODELS = {
    "edgetam": "edgetam",
    "tiny": "sam2.1-hiera-tiny",
    "small": "sam2.1-hiera-small",
    "base-plus": "sam2.1-hiera-base-plus",
    "large": "sam2.1-hiera-large",
}
SAM2_PACKAGES = ("torch", "torchvision", "transformers")

ROWS: tuple[EngineSpec, ...] = (
    EngineSpec(
        name="sam2",
        job=Job.SEGMENTER,
        target="engines.sam2_engine:Sam2Segmenter",
        title="SAM 2.1",
        help="Clicks, a box or a rough mask to a mask, by Segment Anything 2.1; strokes are painted as they are.",
        version=1,
        licence=APACHE,
        memory=costs.image_memory,
        seconds=costs.image_seconds,
        params=(SAM2_MODEL, DEVICE, PRECISION),
        prompts=frozenset({PromptKind.POINTS, PromptKind.BOX, PromptKind.STROKES, PromptKind.MASK}),
        rank=1,
        packages=SAM2_PACKAGES,
        models=SAM2_MODELS,
    ),
    EngineSpec(
        name="sam2",
        job=Job.PROPAGATOR,
        target="engines.sam2_engine:Sam2Propagator",
        title="SAM 2.1",
        help="Keyframe masks carried through the clip by the memory of Segment Anything 2.1.",
        version=1,
        licence=APACHE,
        memory=costs.video_memory,
        seconds=costs.video_seconds,
        params=(SAM2_MODEL, DEVICE, PRECISION),
        rank=1,
        packages=SAM2_PACKAGES,
        models=SAM2_MODELS,
    ),
)
