"""A tiny random network of the real SAM 3 classes, saved as the hub has it: one checkpoint that serves all of them."""

from __future__ import annotations

from pathlib import Path

from tests.random_weights import lively

SIDE = 112
PATCH = 14
WIDTH = 128
"""Of the parts that are not the ViT; the library takes it for granted that memories have 64 channels, and less."""


def save_tiny_sam3(folder: Path, seed: int = 5) -> Path:
    """Save a random SAM 3 of a small configuration as a checkpoint of `Sam3VideoModel`, with its tokenizer.

    Its keys are the class's own, as on the hub; `save_pretrained` of today writes some with their prefix twice.
    """
    import torch
    from safetensors.torch import save_file
    from transformers.models.sam3_video import Sam3VideoConfig, Sam3VideoModel

    torch.manual_seed(seed)
    model = Sam3VideoModel(Sam3VideoConfig(**tiny_sam3()))
    lively(model)
    with torch.no_grad():  # queries that differ, and objects that are there: so instances come, overlap and go
        for name, parameter in model.named_parameters():
            if parameter.ndim >= 2 and "text_encoder" not in name:
                parameter.mul_(6 if name.startswith("detector_model") else 2 if name.startswith("tracker_model") else 1)
        model.detector_model.detr_decoder.presence_head.layer3.bias.fill_(3)
        model.tracker_model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(3)
    folder.mkdir(parents=True)
    model.config.save_pretrained(folder)
    state = {name: value.contiguous().clone() for name, value in model.state_dict().items()}
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    save_tokenizer(folder)
    return folder


def tiny_sam3() -> dict[str, object]:
    """Return the configuration: every part of the real network, a ViT of two blocks."""
    grid = SIDE // PATCH
    small = {"hidden_size": WIDTH, "num_attention_heads": 2}
    tiny = {"hidden_size": 32, "num_attention_heads": 2}
    layer = {**small, "num_layers": 1, "intermediate_size": 64}
    backbone = {
        **tiny,
        "model_type": "sam3_vit_model",
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "image_size": SIDE,
        "patch_size": PATCH,
        "window_size": 4,
        "global_attn_indexes": [1],
        "pretrain_image_size": 56,
    }
    vision = {
        "model_type": "sam3_vision_model",
        "backbone_config": backbone,
        "fpn_hidden_size": WIDTH,
        "backbone_feature_sizes": [[4 * grid] * 2, [2 * grid] * 2, [grid] * 2],
    }
    text = {
        **tiny,
        "model_type": "clip_text_model",
        "vocab_size": 32,
        "intermediate_size": 64,
        "projection_dim": 16,
        "num_hidden_layers": 1,
        "max_position_embeddings": 32,
        "hidden_act": "gelu",
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 1,
    }
    detector = {
        "model_type": "sam3",
        "vision_config": vision,
        "text_config": text,
        "geometry_encoder_config": layer,
        "detr_encoder_config": layer,
        "detr_decoder_config": {**layer, "num_queries": 8},
        "mask_decoder_config": small,
    }
    tracker = {
        "model_type": "sam3_tracker_video",
        "vision_config": vision,
        "prompt_encoder_config": {"hidden_size": WIDTH, "image_size": SIDE, "patch_size": PATCH},
        "mask_decoder_config": {**small, "mlp_dim": 64, "iou_head_hidden_dim": 32},
        "memory_attention_hidden_size": WIDTH,
        "memory_attention_num_layers": 1,
        "memory_attention_feed_forward_hidden_size": 64,
        "memory_attention_rope_feat_sizes": [grid] * 2,
        "memory_encoder_hidden_size": WIDTH,
        "mask_downsampler_embed_dim": WIDTH,
        "memory_fuser_embed_dim": WIDTH,
        "memory_fuser_intermediate_dim": 64,
        "image_size": SIDE,
    }
    follow = {
        "det_nms_thresh": 0.7,
        "assoc_iou_thresh": 0.3,
        "trk_assoc_iou_thresh": 0.02,
        "hotstart_delay": 5,
        "hotstart_unmatch_thresh": 5,
        "hotstart_dup_thresh": 5,
        "recondition_every_nth_frame": 4,
        "high_conf_thresh": 0.0,
        "high_iou_thresh": 0.3,
    }
    return {"detector_config": detector, "tracker_config": tracker, "low_res_mask_size": 4 * grid, **follow}


def save_tokenizer(folder: Path) -> None:
    """Save a tokenizer of letters, in the two files that our table of weights names."""
    from transformers import CLIPTokenizer

    letters = [*"abcdefghijklmno", *(f"{letter}</w>" for letter in "abcdefghijklmno")]
    vocabulary = {"<|startoftext|>": 0, "<|endoftext|>": 1} | {name: i + 2 for i, name in enumerate(letters)}
    CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)
