"""The authors' own SAM2 (the sam2 package) with the weights of a tiny checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.contest import sam2_authors
from benchmarks.contest.sam2_authors import authors_key
from tests.sam_material import SIDE

__all__ = ["TINY", "authors_key", "build"]

TINY = {
    "image_size": SIDE,
    "image_encoder.trunk.embed_dim": 16,
    "image_encoder.trunk.stages": [1, 2, 2, 1],
    "image_encoder.trunk.global_att_blocks": [4],
    "image_encoder.trunk.window_spec": [8, 4, 4, 2],
    "image_encoder.trunk.window_pos_embed_bkg_spatial_size": [4, 4],
    "image_encoder.neck.backbone_channel_list": [128, 64, 32, 16],
    "memory_attention.num_layers": 2,
    "memory_attention.layer.self_attention.feat_sizes": [SIDE // 16] * 2,
    "memory_attention.layer.cross_attention.feat_sizes": [SIDE // 16] * 2,
}
"""What differs from the authors' sam2.1_hiera_t.yaml in the tiny configuration of tests/sam_material.py."""


def build(folder: Path) -> Any:
    """Return the authors' video predictor with the weights of the tiny checkpoint in `folder`."""
    return sam2_authors.build(folder, TINY)
