"""What SAM takes: run as a process of its own that cuts pictures or carries masks, and prints its peak and its times.

python -m tests.sam_measure make tiny FOLDER
python -m tests.sam_measure image FOLDER 854 480 1
python -m tests.sam_measure video FOLDER 854 480 3
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engines.base import Direction, Image, Mask, Point, Prompts

FRAMES = 8
"""With the keyframe, as many as a memory holds; and one more picture than a segmenter keeps."""
HIERA: dict[str, tuple[int, int, list[int], list[int], list[int], list[int]]] = {
    "tiny": (96, 1, [1, 2, 7, 2], [5, 7, 9], [8, 4, 14, 7], [7, 7]),
    "small": (96, 1, [1, 2, 11, 2], [7, 10, 13], [8, 4, 14, 7], [7, 7]),
    "base-plus": (112, 2, [2, 3, 16, 3], [12, 16, 20], [8, 4, 14, 7], [14, 14]),
    "large": (144, 2, [2, 6, 36, 4], [23, 33, 43], [8, 4, 16, 8], [7, 7]),
}
"""Width, heads, blocks, global blocks, windows and background of the backbones in the authors' sam2.1 files."""


def real_sam2(model: str) -> dict[str, object]:
    """Return the configuration of a published SAM 2.1."""
    width, heads, blocks, everywhere, windows, background = HIERA[model]
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": width,
        "num_attention_heads": heads,
        "blocks_per_stage": blocks,
        "embed_dim_per_stage": [width * 2**stage for stage in range(4)],
        "num_attention_heads_per_stage": [heads * 2**stage for stage in range(4)],
        "window_size_per_stage": windows,
        "global_attention_blocks": everywhere,
        "window_positional_embedding_background_size": background,
    }
    channels = [width * 2**stage for stage in (3, 2, 1, 0)]
    vision = {"model_type": "sam2_vision_model", "backbone_config": backbone, "backbone_channel_list": channels}
    return {"vision_config": vision}


def real_edgetam() -> dict[str, object]:
    """Return the configuration of the published EdgeTAM."""
    backbone = {
        "model_type": "timm_wrapper",
        "architecture": "repvit_m1",
        "num_classes": 2,
        "model_args": {"in_chans": 3, "features_only": True, "out_indices": [0, 1, 2, 3]},
    }
    return {
        "vision_config": {"model_type": "edgetam_vision_model", "backbone_config": backbone},
        "enable_temporal_pos_encoding_for_object_pointers": False,
        "enable_occlusion_spatial_embedding": False,
    }


def make(model: str, folder: Path) -> None:
    """Save a random network of a published size."""
    import torch

    torch.manual_seed(0)
    network: Any
    if model == "edgetam":
        from transformers.models.edgetam_video import EdgeTamVideoConfig, EdgeTamVideoModel

        network = EdgeTamVideoModel(EdgeTamVideoConfig(**real_edgetam()))
    else:
        from transformers.models.sam2_video import Sam2VideoConfig, Sam2VideoModel

        network = Sam2VideoModel(Sam2VideoConfig(**real_sam2(model)))
    network.save_pretrained(folder)


class Still:
    """A clip of one picture, as an engines.base.FrameSource that takes no more memory than that."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self.picture: Image = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)

    def __len__(self) -> int:
        return FRAMES

    def read(self, index: int) -> Image:
        """Return a picture that is not the one before, at its first pixel."""
        self.picture[0, 0] = index
        return self.picture

    def disc(self, place: int) -> Mask:
        """Return a mask for the object number `place`."""
        mask = np.zeros(self.size[::-1], np.uint8)
        centre = (self.size[0] * (2 + place) // 6, self.size[1] // 2)
        return cv2.circle(mask, centre, self.size[1] // 6, 255, -1)


class Nothing:
    """An engines.base.MaskHistory of a job that begins."""

    def get(self, index: int, object_id: int, *, draft: bool = False) -> None:
        return None


def peak() -> int:
    """Return the most bytes that this process has had in memory."""
    with Path("/proc/self/status").open() as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def cut(network: Any, film: Still) -> list[float]:
    """Click on every picture; return the seconds of each."""
    from engines.sam.image import SamSegmenter

    segmenter, seconds = SamSegmenter(network), []
    for index in range(FRAMES):
        begun = time.perf_counter()
        segmenter.set_image(film.read(index))
        segmenter.predict(Prompts(points=(Point(film.size[0] / 2, film.size[1] / 2),)))
        seconds.append(time.perf_counter() - begun)
    return seconds


def carry(network: Any, film: Still, objects: int) -> list[float]:
    """Carry masks from the first frame on; return the seconds of each frame."""
    from engines.sam.video import SamPropagator

    keys = {0: {place: film.disc(place) for place in range(objects)}}
    steps = SamPropagator(network).propagate(film, keys, 0, FRAMES, Direction.FORWARD, Nothing())
    begun, seconds = time.perf_counter(), []
    for _ in steps:
        seconds.append(time.perf_counter() - begun)
        begun = time.perf_counter()
    return seconds


def measure(kind: str, folder: Path, film: Still, objects: int, precision: str) -> dict[str, Any]:
    """Return peak bytes beyond what there was before anything of torch, and the seconds of each frame."""
    before = peak()
    from engines.neural.compute import choose
    from engines.sam.family import Network
    from engines.sam2_engine import EDGETAM, SAM2

    network = Network(EDGETAM if "edgetam" in folder.name else SAM2, folder, choose("cpu", precision))
    seconds = cut(network, film) if kind == "image" else carry(network, film, objects)
    return {"bytes": peak() - before, "seconds": [round(value, 3) for value in seconds]}


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "make":
        make(rest[0], Path(rest[1]))
    else:
        path, across, down, count, *extra = rest
        film_ = Still(int(across), int(down))
        found = measure(what, Path(path), film_, int(count), extra[0] if extra else "fp32")
        print(json.dumps(found))
