"""The one table of engines: one row each, plain data, importable without numpy.

The built-in ones are here; each family of neural engines has its rows in a room of its own.
"""

from __future__ import annotations

from engines import costs
from engines.cotracker.rows import ROWS as COTRACKER
from engines.matanyone.rows import ROWS as MATANYONE
from engines.sam.rows import ROWS as SAM
from engines.spec import EngineSpec, Job, Licence, Param, PromptKind
from engines.videomama.rows import ROWS as VIDEOMAMA

BUILT_IN = Licence("Apache-2.0", commercial=True)

BUILT_INS: tuple[EngineSpec, ...] = (
    EngineSpec(
        name="grabcut",
        job=Job.SEGMENTER,
        target="engines.grabcut_engine:GrabCutSegmenter",
        title="GrabCut",
        help="Clicks, boxes, strokes or a rough mask to a mask; built in, no weights, any CPU.",
        version=1,
        licence=BUILT_IN,
        memory=costs.grabcut_memory,
        seconds=costs.grabcut_seconds,
        params=(
            Param(
                "detail",
                36_000,
                "Working pixels of a cut after the first click; more is finer and slower.",
                4_000,
                400_000,
                unit="px",
            ),
            Param("smoothness", 1.0, "More gives shorter, calmer edges; less follows thin parts and noise.", 0.1, 10),
            Param("threads", 2, "Cuts that run side by side; the result does not depend on it.", 1, 16),
        ),
        prompts=frozenset({PromptKind.POINTS, PromptKind.BOX, PromptKind.STROKES, PromptKind.MASK}),
    ),
    EngineSpec(
        name="flow",
        job=Job.PROPAGATOR,
        target="engines.flow_engine:FlowPropagator",
        title="Optical flow with colour models",
        help="Keyframe masks carried through the clip; built in, no weights, any CPU.",
        version=1,
        licence=BUILT_IN,
        memory=costs.flow_memory,
        seconds=costs.flow_seconds,
        params=(
            Param(
                "quality",
                "best",
                "'fast' works at two thirds of the size, for previews.",
                choices=("best", "fast"),
                lighter=("fast",),
            ),
        ),
    ),
    EngineSpec(
        name="guided",
        job=Job.MATTER,
        target="engines.guided_engine:GuidedMatter",
        title="Guided filter matting",
        help="Guide masks to soft alpha; built in, no weights, any CPU.",
        version=1,
        licence=BUILT_IN,
        memory=costs.guided_memory,
        seconds=costs.guided_seconds,
        params=(
            Param(
                "band",
                0.0,
                "How far outside the mask's edge alpha is unknown (half of it inside); 0 follows its uncertainty.",
                0,
                512,
                unit="px",
            ),
            Param(
                "detail",
                "auto",
                "clean keeps to the mask's edge, tracked moves it to the picture's, auto decides by region.",
                choices=("auto", "clean", "tracked"),
            ),
            Param("sharpness", 1.0, "Contrast of the soft edge; above 1 is harder, below 1 softer.", 0.25, 4),
        ),
        needs_every_mask=True,
    ),
    EngineSpec(
        name="klt",
        job=Job.TRACKER,
        target="engines.klt_engine:KltTracker",
        title="Lucas-Kanade with patch memory",
        help="Points followed through the clip; built in, no weights, any CPU.",
        version=2,
        licence=BUILT_IN,
        memory=costs.klt_memory,
        seconds=costs.klt_seconds,
        params=(
            Param(
                "visibility",
                0.65,
                "Likeness with the query, against what is usual for the point, from which it counts as seen.",
                0,
                1,
            ),
            Param(
                "search",
                30.0,
                "How far around its expected place a lost point is looked for; 0 only looks at that place.",
                0,
                100,
                unit="px",
            ),
        ),
    ),
)
ENGINES: tuple[EngineSpec, ...] = (*BUILT_INS, *SAM, *MATANYONE, *VIDEOMAMA, *COTRACKER)
