"""Tiny random networks of the real SAM classes, saved as the hub has them, and a small moving picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engines.base import Image, Mask

SIDE = 128


def save_tiny_sam2(folder: Path, seed: int = 0, side: int = SIDE) -> Path:
    """Save a random SAM2 of a small configuration as a checkpoint of `Sam2VideoModel`, the form that the hub has."""
    import torch
    from transformers.models.sam2_video import Sam2VideoConfig, Sam2VideoModel

    torch.manual_seed(seed)
    model = Sam2VideoModel(Sam2VideoConfig(**tiny_sam2(side)))
    lively(model)
    model.save_pretrained(folder)
    return folder


def tiny_sam2(side: int) -> dict[str, object]:
    """Return the configuration: every part of the real network, a Hiera of six blocks."""
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 16,
        "num_attention_heads": 1,
        "image_size": [side, side],
        "blocks_per_stage": [1, 2, 2, 1],
        "embed_dim_per_stage": [16, 32, 64, 128],
        "num_attention_heads_per_stage": [1, 2, 4, 8],
        "window_size_per_stage": [8, 4, 4, 2],
        "global_attention_blocks": [4],
        "window_positional_embedding_background_size": [4, 4],
    }
    sizes = [[side // 4] * 2, [side // 8] * 2, [side // 16] * 2]
    return {
        "vision_config": {
            "model_type": "sam2_vision_model",
            "backbone_config": backbone,
            "backbone_channel_list": [128, 64, 32, 16],
            "backbone_feature_sizes": sizes,
        },
        "prompt_encoder_config": {"image_size": side},
        "image_size": side,
        "memory_attention_num_layers": 2,
        "memory_attention_rope_feat_sizes": [side // 16] * 2,
    }


def lively(model: object) -> None:
    """Make random weights say something: parameters that begin at zero or one get a value of their own."""
    import torch

    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():  # type: ignore[attr-defined]
            if parameter.numel() == 1 or parameter.std() == 0:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)


class Film:
    """Seeded frames with a disc that moves, as an engines.base.FrameSource."""

    def __init__(self, frames: int, width: int, height: int) -> None:
        self.frames, self._size = frames, (width, height)
        self._ground = np.random.default_rng(3).integers(0, 255, (height, width, 3)).astype(np.uint8)
        self.reads: list[int] = []

    def __len__(self) -> int:
        return self.frames

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def read(self, index: int) -> Image:
        self.reads.append(index)
        picture = self._ground.copy()
        picture[self.disc(index) > 0] = (200, 40, 90)
        return picture

    def disc(self, index: int) -> Mask:
        """Return where the disc is, uint8 [H, W], 0 or 255."""
        width, height = self._size
        y, x = np.mgrid[:height, :width]
        centre = width * (0.3 + 0.4 * index / max(1, self.frames)), height / 2
        inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < (min(width, height) / 4) ** 2
        return inside.astype(np.uint8) * 255
