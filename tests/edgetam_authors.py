"""The authors' own EdgeTAM (sdks/edgetam) with the weights of one of our checkpoints."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config import Settings
from tests.sam2_authors import authors_key
from tests.sam_material import SIDE, tiny_edgetam

SOURCES = Settings().sdks_path / "edgetam"
TINY = {
    "image_size": SIDE,
    "image_encoder.trunk.name": "repvit_m1",
    "image_encoder.neck.backbone_channel_list": [64, 48, 32, 16],
    "memory_attention.layer.self_attention.feat_sizes": [SIDE // 16] * 2,
    "memory_attention.layer.cross_attention.q_sizes": [SIDE // 16] * 2,
    "memory_attention.layer.cross_attention.k_sizes": [SIDE // 32] * 2,
    "spatial_perceiver.num_latents": (SIDE // 32) ** 2,
    "spatial_perceiver.num_latents_2d": (SIDE // 32) ** 2,
}
"""What differs from the authors' edgetam.yaml in the tiny configuration of tests/sam_material.py."""
RULES = (
    (r"vision_encoder\.backbone\.timm_model", "image_encoder.trunk.body"),
    (r"^spatial_perceiver\.latents_1d", "spatial_perceiver.latents"),
    (r"spatial_perceiver\.layer_norm", "spatial_perceiver.norm"),
    (r"(spatial_perceiver\.layers\.\d+)\.layer_norm_input", r"\1.attn.norm_x"),
    (r"(spatial_perceiver\.layers\.\d+)\.layer_norm_latents", r"\1.attn.norm_latents"),
    (r"(spatial_perceiver\.layers\.\d+)\.layer_norm_self", r"\1.self_attn.norm"),
    (r"(spatial_perceiver\.layers\.\d+)\.cross_attention", r"\1.attn"),
    (r"(spatial_perceiver\.layers\.\d+)\.self_attention", r"\1.self_attn"),
    (r"(spatial_perceiver\.layers\.\d+\.\w*attn)\.q_proj", r"\1.to_q"),
    (r"(spatial_perceiver\.layers\.\d+\.\w*attn)\.o_proj", r"\1.to_out"),
    (r"(spatial_perceiver\.layers\.\d+)\.mlp", r"\1.ff"),
    (r"(spatial_perceiver\.layers\.\d+)\.self_mlp", r"\1.self_ff"),
    (r"(ff)\.layer_norm", r"\1.0"),
    (r"(ff)\.up_proj", r"\1.1"),
    (r"(ff)\.down_proj", r"\1.3"),
    (r"(memory_attention\.layers\.\d+)\.mlp\.up_proj", r"\1.linear1"),
    (r"(memory_attention\.layers\.\d+)\.mlp\.down_proj", r"\1.linear2"),
)


@contextmanager
def authors_package() -> Iterator[None]:
    """Have `import sam2` mean EdgeTAM's package, which has the name of SAM2's."""
    hydra = importlib.import_module("hydra.core.global_hydra")

    def forget() -> dict[str, Any]:
        hydra.GlobalHydra.instance().clear()
        return {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "sam2"}

    before = forget()
    sys.path.insert(0, str(SOURCES))
    try:
        yield
    finally:
        forget()
        sys.path.remove(str(SOURCES))
        sys.modules.update(before)


def build(folder: Path) -> Any:
    """Return the authors' predictor with the weights of the tiny checkpoint in `folder`; see `authors_package`."""
    import timm.models
    import torch
    from safetensors.torch import load_file
    from sam2.build_sam import build_sam2_video_predictor

    create = timm.models.create_model
    backbone: Any = tiny_edgetam(SIDE)["vision_config"]
    sizes = {key: backbone["backbone_config"]["model_args"][key] for key in ("embed_dim", "depth")}
    timm.models.create_model = lambda name, **given: create(name, **{**given, **sizes, "pretrained": False})
    extra = [f"++model.{key}={value}" for key, value in TINY.items()]
    try:
        theirs = build_sam2_video_predictor("configs/edgetam.yaml", device="cpu", hydra_overrides_extra=extra)
    finally:
        timm.models.create_model = create
    theirs.load_state_dict(_translated(load_file(folder / "model.safetensors")), strict=True)
    return theirs.eval().to(torch.float32)


def _translated(given: dict[str, Any]) -> dict[str, Any]:
    """Return a checkpoint under the authors' names; keys and values of the perceiver are one matrix there."""
    import torch

    state: dict[str, Any] = {}
    for key, value in given.items():
        if key.startswith("shared_image_embedding"):
            continue
        if key == "prompt_encoder.point_embed.weight":
            state |= {f"sam_prompt_encoder.point_embeddings.{i}.weight": value[i : i + 1] for i in range(4)}
        elif key.startswith("spatial_perceiver") and "k_proj" in key:
            both = torch.cat([value, given[key.replace("k_proj", "v_proj")]])
            state[_authors_key(key.replace("k_proj", "to_kv"))] = both
        elif not (key.startswith("spatial_perceiver") and "v_proj" in key):
            state[_authors_key(key)] = value
    return state


def _authors_key(ours: str) -> str:
    """Return what the authors call a parameter: SAM2's name where it is not one of EdgeTAM's own."""
    name = ours
    for pattern, text in RULES:
        name = re.sub(pattern, text, name)
    return name if name != ours else authors_key(name)
