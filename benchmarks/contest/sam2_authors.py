"""The authors' own SAM2 (the sam2 package) with the weights of one of our checkpoints; tests use it too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONFIG = "configs/sam2.1/sam2.1_hiera_t.yaml"
RULES = (
    (r"^memory_temporal_positional_encoding$", "maskmem_tpos_enc"),
    (r"^no_memory_embedding$", "no_mem_embed"),
    (r"^no_memory_positional_encoding$", "no_mem_pos_enc"),
    (r"^no_object_pointer$", "no_obj_ptr"),
    (r"^occlusion_spatial_embedding_parameter$", "no_obj_embed_spatial"),
    (r"^object_pointer_proj", "obj_ptr_proj"),
    (r"^temporal_positional_encoding_projection_layer", "obj_ptr_tpos_proj"),
    (r"^vision_encoder\.backbone", "image_encoder.trunk"),
    (r"patch_embed\.projection", "patch_embed.proj"),
    (r"^vision_encoder\.neck\.convs\.(\d)", r"image_encoder.neck.convs.\1.conv"),
    (r"^memory_attention\.layer_norm", "memory_attention.norm"),
    (r"^memory_encoder\.feature_projection", "memory_encoder.pix_feat_proj"),
    (r"^memory_encoder\.projection", "memory_encoder.out_proj"),
    (r"^memory_encoder\.memory_fuser", "memory_encoder.fuser"),
    (r"depthwise_conv", "dwconv"),
    (r"pointwise_conv", "pwconv"),
    (r"(fuser\.layers\.\d+)\.scale", r"\1.gamma"),
    (r"(fuser\.layers\.\d+)\.layer_norm", r"\1.norm"),
    (r"mask_downsampler\.final_conv", "mask_downsampler.encoder.12"),
    (r"^prompt_encoder", "sam_prompt_encoder"),
    (r"shared_embedding\.positional_embedding", "pe_layer.positional_encoding_gaussian_matrix"),
    (r"mask_embed\.conv1", "mask_downscaling.0"),
    (r"mask_embed\.layer_norm1", "mask_downscaling.1"),
    (r"mask_embed\.conv2", "mask_downscaling.3"),
    (r"mask_embed\.layer_norm2", "mask_downscaling.4"),
    (r"mask_embed\.conv3", "mask_downscaling.6"),
    (r"^mask_decoder", "sam_mask_decoder"),
    (r"upscale_conv1", "output_upscaling.0"),
    (r"upscale_layer_norm", "output_upscaling.1"),
    (r"upscale_conv2", "output_upscaling.3"),
    (r"layer_norm_final_attn", "norm_final_attn"),
    (r"layer_norm(\d)", r"norm\1"),
    (r"o_proj", "out_proj"),
)


def authors_key(ours: str) -> str:
    """Return what the sam2 package calls a parameter; of perceptrons and downsamplers the number of the layer too."""
    name = ours
    for pattern, text in RULES:
        name = re.sub(pattern, text, name)
    name = re.sub(
        r"mask_downsampler\.layers\.(\d)\.(conv|layer_norm)",
        lambda m: f"mask_downsampler.encoder.{3 * int(m[1]) + (m[2] == 'layer_norm')}",
        name,
    )
    if re.search(
        r"(obj_ptr_proj|iou_prediction_head|pred_obj_score_head|hypernetworks_mlps\.\d)\.(proj_|layers)", name
    ):
        name = re.sub(r"\.layers\.(\d)", lambda m: f".layers.{int(m[1]) + 1}", name)
        return name.replace("proj_in", "layers.0").replace("proj_out", "layers.2")
    return name.replace("mlp.proj_in", "mlp.layers.0").replace("mlp.proj_out", "mlp.layers.1")


def authors_state(folder: Path) -> dict[str, Any]:
    """Return the weights of the checkpoint in `folder` under the sam2 package's names."""
    from safetensors.torch import load_file

    state: dict[str, Any] = {}
    for key, value in load_file(folder / "model.safetensors").items():
        if key.startswith("shared_image_embedding"):
            continue
        if key == "prompt_encoder.point_embed.weight":
            state |= {f"sam_prompt_encoder.point_embeddings.{i}.weight": value[i : i + 1] for i in range(4)}
            continue
        state[authors_key(key)] = value
    return state


def build(folder: Path, overrides: Mapping[str, object] | None = None, device: str = "cpu") -> Any:
    """Return the authors' video predictor of the tiny model with the weights in `folder`, loaded strictly.

    Args:
        folder: has model.safetensors, as the hub has it.
        overrides: what differs from their sam2.1_hiera_t.yaml, by name.
        device: where it computes.
    """
    from sam2.build_sam import build_sam2_video_predictor

    extra = [f"++model.{key}={value}" for key, value in (overrides or {}).items()]
    theirs = build_sam2_video_predictor(CONFIG, device=device, hydra_overrides_extra=extra)
    theirs.load_state_dict(authors_state(folder), strict=True)
    return theirs.eval().float()
