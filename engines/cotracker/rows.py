"""CoTracker3's row of the table of engines."""

from __future__ import annotations

from dataclasses import replace

from engines.cotracker import costs
from engines.neural.params import DEVICE, PRECISION
from engines.spec import EngineSpec, Job, Licence, Param

ROWS: tuple[EngineSpec, ...] = (
    EngineSpec(
        name="cotracker3",
        job=Job.TRACKER,
        target="engines.cotracker_engine:CoTracker3Tracker",
        title="CoTracker 3",
        help="Points followed through the clip, all together, also while they are hidden.",
        version=1,
        licence=Licence("CC-BY-NC 4.0", commercial=False),
        memory=costs.memory,
        seconds=costs.seconds,
        params=(
            Param(
                "model",
                "online",
                "online works through 16 frames at a time, offline sees 60 at once and takes more memory.",
                choices=("online", "offline"),
                lighter=("online",),
            ),
            Param(
                "grid",
                6,
                "Points per side of a regular grid that is followed beside the points, to tell how the picture moves.",
                0,
                32,
                lighter=(0,),
            ),
            replace(DEVICE, help="Where it computes; auto is CUDA, then the CPU, as Apple's GPUs lack an operation."),
            replace(
                PRECISION, help="Of matrix products; auto is fp32, bf16 is faster and some hundredths of a pixel off."
            ),
        ),
        packages=("torch",),
        models={"online": "cotracker3-online", "offline": "cotracker3-offline"},
        sources=("co-tracker",),
    ),
)
