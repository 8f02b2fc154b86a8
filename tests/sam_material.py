"""Tiny random networks of the real SAM classes, saved as the hub has them, and a small moving picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.base import Direction, Image, Mask, Propagated

if TYPE_CHECKING:
    from engines.sam.family import Network

SIDE = 64


def save_tiny_sam2(folder: Path, seed: int = 0, side: int = SIDE) -> Path:
    """Save a random SAM2 of a small configuration as a checkpoint of `Sam2VideoModel`, the form that the hub has."""
    import torch
    from transformers.models.sam2_video import Sam2VideoConfig, Sam2VideoModel

    torch.manual_seed(seed)
    model = Sam2VideoModel(Sam2VideoConfig(**tiny_sam2(side)))
    awaken(model)
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


def save_tiny_edgetam(folder: Path, seed: int = 0, side: int = SIDE) -> Path:
    """Save a random EdgeTAM of a small configuration as a checkpoint of `EdgeTamVideoModel`, the form the hub has."""
    import torch
    from transformers.models.edgetam_video import EdgeTamVideoConfig, EdgeTamVideoModel

    torch.manual_seed(seed)
    model = EdgeTamVideoModel(EdgeTamVideoConfig(**tiny_edgetam(side)))
    awaken(model)
    model.save_pretrained(folder)
    return folder


def tiny_edgetam(side: int) -> dict[str, object]:
    """Return the configuration: every part of the real network, with the switches of the published one."""
    backbone = {
        "model_type": "timm_wrapper",
        "architecture": "repvit_m1",
        "num_classes": 2,
        "model_args": {
            "in_chans": 3,
            "features_only": True,
            "out_indices": [0, 1, 2, 3],
            "embed_dim": [16, 32, 48, 64],
            "depth": [1, 1, 2, 1],
        },
    }
    return {
        "vision_config": {
            "model_type": "edgetam_vision_model",
            "backbone_config": backbone,
            "backbone_channel_list": [64, 48, 32, 16],
            "backbone_feature_sizes": [[side // 4] * 2, [side // 8] * 2, [side // 16] * 2],
        },
        "prompt_encoder_config": {"image_size": side},
        "image_size": side,
        "enable_temporal_pos_encoding_for_object_pointers": False,
        "enable_occlusion_spatial_embedding": False,
        "memory_attention_rope_feat_sizes": [side // 16] * 2,
        "memory_attention_rope_k_sizes": [side // 32] * 2,
        "perceiver_resampler_num_latents": (side // 32) ** 2,
        "perceiver_resampler_num_latents_2d": (side // 32) ** 2,
    }


@contextmanager
def tiny_network(family: str, folder: Path) -> Iterator[Network]:
    """Give a tiny network of 'sam2' or 'edgetam' on one thread: two that wait for each other are slow beside others."""
    import torch

    from engines.neural.compute import choose
    from engines.neural.loading import release
    from engines.sam.family import Network
    from engines.sam2_engine import EDGETAM, SAM2

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        saved = save_tiny_sam2(folder) if family == "sam2" else save_tiny_edgetam(folder)
        yield Network(SAM2 if family == "sam2" else EDGETAM, saved, choose("cpu", "fp32"))
    finally:
        release()
        torch.set_num_threads(threads)


def awaken(model: Any) -> None:
    """Make random weights say something: signals keep their strength from layer to layer, and objects are there.

    Freshly made, the networks answer alike whatever they see: nothing, or hardly anything.
    """
    import torch

    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("weight") and parameter.ndim > 1 and "embed.weight" not in name:
                strength = (parameter.numel() / len(parameter)) ** -0.5
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * strength)
            elif parameter.numel() == 1 or parameter.std() == 0:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
        model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(2.0)
        ours, theirs = model.shared_image_embedding, model.prompt_encoder.shared_embedding
        ours.positional_embedding.copy_(theirs.positional_embedding)  # one and the same in the published weights


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


class Past:
    """What was yielded before, as an engines.base.MaskHistory."""

    def __init__(self, steps: list[Propagated] | None = None) -> None:
        self.made = flat(steps or [])

    def get(self, index: int, object_id: int, *, draft: bool = False) -> Mask | None:
        return None if draft else self.made.get((index, object_id))


def flat(steps: list[Propagated]) -> dict[tuple[int, int], Mask]:
    """Return the masks of a propagation by frame and object."""
    return {(step.index, key): mask for step in steps for key, mask in step.masks.items()}


def carry(
    net: Network, film: Film, keys: Mapping[int, Mapping[int, Mask]], direction: Direction, past: Past | None = None
) -> list[Propagated]:
    """Return all that the propagator yields for the whole clip."""
    from engines.sam.video import SamPropagator

    return list(SamPropagator(net).propagate(film, keys, 0, len(film), direction, past or Past()))


def library_session(net: Network, film: Film, keys: Mapping[int, Mask], reverse: bool) -> dict[int, Any]:
    """Return logits by frame from the library's own session with all frames, unpruned, for one object."""
    import importlib

    import torch

    from engines.sam.session import one_answer

    model = net.video()
    module, name = net.family.session
    with torch.inference_mode():
        video = torch.cat([net.pixels(film.read(i), SIDE) for i in range(len(film))])
        session = getattr(importlib.import_module(module), name)(video=video, dtype=torch.float32)
        for index, mask in keys.items():
            given = torch.nn.functional.interpolate(
                torch.tensor(mask > 127).float()[None, None], (SIDE, SIDE), mode="bilinear", antialias=True
            )
            session.add_mask_inputs(session.obj_id_to_idx(7), index, (given >= 0.5).float())
            session.obj_with_new_inputs = [7]
            with one_answer(model):
                model(session, frame_idx=index)
        start = max(keys) if reverse else min(keys)
        outputs = model.propagate_in_video_iterator(session, start_frame_idx=start, reverse=reverse)
        return {out.frame_idx: out.pred_masks.clone() for out in outputs}
