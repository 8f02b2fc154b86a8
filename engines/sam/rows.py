"""SAM's rows of the table of engines."""

from __future__ import annotations

from engines.neural.params import DEVICE, PRECISION
from engines.sam import costs, costs3
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
SAM3_LICENCE = Licence("SAM License", commercial=True)
SAM3_PACKAGES = ("torch", "torchvision", "transformers")
THRESHOLD = Param(
    "threshold", 0.5, "Score that what a text finds has to exceed; lower finds more, and more that is wrong.", 0, 1
)

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
    EngineSpec(
        name="sam3",
        job=Job.SEGMENTER,
        target="engines.sam3_engine:Sam3Segmenter",
        title="SAM 3",
        help="Clicks, a box, a rough mask or a text, as 'person', to a mask, by Segment Anything 3.",
        version=1,
        licence=SAM3_LICENCE,
        memory=costs3.image_memory,
        seconds=costs3.image_seconds,
        params=(DEVICE, PRECISION, THRESHOLD),
        prompts=frozenset(PromptKind),
        rank=2,
        wants_gpu=True,
        packages=SAM3_PACKAGES,
        weights=("sam3",),
        finder="engines.sam3_engine:Sam3Finder",
    ),
    EngineSpec(
        name="sam3",
        job=Job.PROPAGATOR,
        target="engines.sam3_engine:Sam3Propagator",
        title="SAM 3",
        help="Keyframe masks carried through the clip by the memory of Segment Anything 3.",
        version=1,
        licence=SAM3_LICENCE,
        memory=costs3.video_memory,
        seconds=costs3.video_seconds,
        params=(DEVICE, PRECISION),
        rank=2,
        wants_gpu=True,
        packages=SAM3_PACKAGES,
        weights=("sam3",),
    ),
)
