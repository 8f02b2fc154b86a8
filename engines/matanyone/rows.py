"""MatAnyone's row of the table of engines."""

from __future__ import annotations

from engines.matanyone import costs
from engines.neural.params import DEVICE, PRECISION
from engines.spec import EngineSpec, Job, Licence, Param

ROWS: tuple[EngineSpec, ...] = (
    EngineSpec(
        name="matanyone",
        job=Job.MATTER,
        target="engines.matanyone_engine:MatAnyoneMatter",
        title="MatAnyone",
        help="Keyframe masks to hair-fine, steady alpha, carried through the clip both ways; not for commercial use.",
        version=1,
        licence=Licence("S-Lab License 1.0", commercial=False),
        memory=costs.memory,
        seconds=costs.seconds,
        params=(
            Param(
                "model",
                "matanyone2",
                "matanyone2 has finer edges in real footage; matanyone is the first version.",
                choices=("matanyone", "matanyone2"),
            ),
            Param("warmup", 10, "Times that a keyframe's alpha is refined before the clip goes on.", 0, 50),
            Param("erode", 10, "Diameter by which a keyframe's mask shrinks, after it has grown.", 0, 200, unit="px"),
            Param("dilate", 10, "Diameter by which a keyframe's mask grows first.", 0, 200, unit="px"),
            Param(
                "max_size",
                1080,
                "Short side that the network works at at most, alpha then taking the picture's edges; 0 is the clip's.",
                0,
                4320,
                unit="px",
                lighter=(720, 540, 360),
            ),
            DEVICE,
            PRECISION,
        ),
        packages=("torch", "torchvision", "omegaconf", "imageio", "tqdm", "safetensors", "huggingface_hub", "PIL"),
        models={"matanyone": "matanyone", "matanyone2": "matanyone2"},
        sources=("matanyone",),
    ),
)
