"""Tiny random networks of the real VideoMaMa classes, saved as the hub has them, and guides for a small film."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engines.base import Guide, Mask
from tests.sam_material import Film, lively


def save_tiny(folder: Path, seed: int = 0) -> tuple[Path, Path]:
    """Save both networks in half precision under `folder` and return the folders of the two sets of weights."""
    import torch

    torch.manual_seed(seed)
    for model, place, options in (
        (tiny_unet(), "videomama-unet/unet", {}),
        (tiny_vae(), "videomama-vae/vae", {"variant": "fp16"}),
    ):
        lively(model)
        model.half().save_pretrained(folder / place, **options)
    return folder / "videomama-unet", folder / "videomama-vae"


def tiny_unet() -> Any:
    """Return a U-Net with every kind of block, as many levels and the inputs of the real one."""
    from diffusers import UNetSpatioTemporalConditionModel

    return UNetSpatioTemporalConditionModel(
        in_channels=12,
        block_out_channels=(32, 32, 64, 64),
        num_attention_heads=(1, 2, 2, 2),
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=24,
        layers_per_block=1,
        cross_attention_dim=16,
        sample_size=8,
    )


def tiny_vae() -> Any:
    """Return a VAE that halves three times, with the real one's number of channels in a code."""
    from diffusers import AutoencoderKLTemporalDecoder

    return AutoencoderKLTemporalDecoder(
        down_block_types=("DownEncoderBlock2D",) * 4, block_out_channels=(32, 32, 32, 32), layers_per_block=1
    )


class Guides:
    """The film's disc as guide masks, but for the frames in which nothing is seen."""

    def __init__(self, film: Film, empty: frozenset[int] = frozenset()) -> None:
        self._film, self._empty = film, empty
        self.reads: list[int] = []

    def read(self, index: int) -> Guide:
        self.reads.append(index)
        mask = self._film.disc(index)
        return Guide(np.zeros_like(mask) if index in self._empty else mask, 1.0)

    def objects(self) -> list[int]:
        return [1]

    def keyframes(self, object_id: int) -> list[int]:
        return [0]

    def keyframe(self, object_id: int, index: int) -> Mask:
        return self._film.disc(index)
