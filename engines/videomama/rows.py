"""VideoMaMa's row of the table of engines."""

from __future__ import annotations

from dataclasses import replace

from engines.neural import params
from engines.spec import EngineSpec, Job, Licence, Param
from engines.videomama import costs

BATCH_SIZE = Param(
    "batch_size",
    16,
    "Frames that the network sees together; more is steadier and takes more memory.",
    1,
    64,
    unit="frames",
    lighter=(8, 4),
)
OVERLAP = Param(
    "overlap",
    4,
    "Frames in which neighbouring windows fade into each other, at most half of one.",
    0,
    32,
    unit="frames",
)
SEED = Param("seed", 0, "Of the network's noise: the same number gives the same alpha.", 0, 2**31 - 1)
SIZE = Param(
    "size",
    1024,
    "Long side of the network's pictures; it was trained at 1024, and alpha is brought back to the frame's size.",
    256,
    2048,
    unit="px",
    lighter=(768, 512),
)
PRECISION = replace(
    params.PRECISION,
    help="auto is fp16 on CUDA GPUs, as its weights are; bf16 on CPUs that compute in it; fp32 elsewhere.",
)

ROWS: tuple[EngineSpec, ...] = (
    EngineSpec(
        name="videomama",
        job=Job.MATTER,
        target="engines.videomama_engine:VideoMaMaMatter",
        title="VideoMaMa",
        help="Guide masks of every frame to fine alpha, by a video diffusion network; wants a GPU.",
        version=1,
        licence=Licence("CC BY-NC 4.0", commercial=False),
        memory=costs.memory,
        seconds=costs.seconds,
        params=(BATCH_SIZE, OVERLAP, SEED, SIZE, params.DEVICE, PRECISION),
        needs_every_mask=True,
        context=lambda params: int(params["batch_size"]) - 1,
        packages=("torch", "diffusers", "accelerate", "safetensors"),
        weights=("videomama-unet", "videomama-vae"),
    ),
)
