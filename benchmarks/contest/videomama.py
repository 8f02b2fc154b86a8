"""VideoMaMa: our job against the authors' `inference_onestep_folder.py`, from the sources in sdks/.

On a GPU the networks have their real size; on the CPU the codec has, and the U-Net a fifth of the real width. Both
sides are given a mask for every frame, and the clip is one window of the size that the network works at.
"""

from __future__ import annotations

import importlib
from itertools import cycle
from typing import Any

from benchmarks.contest import ours
from benchmarks.contest.files import extract_pngs, lively, read_pngs
from benchmarks.contest.task import Contestant, Results, Task, Watch
from matting_runner import Stage
from session_store import EngineChoice

WINDOW = 16
CROSS = 1024
"""Channels of the hidden states that both sides replace by zeros."""


def prepare(task: Task, device: str) -> None:
    """Save random networks in half precision, and the ones around them that the authors' code loads as well."""
    import torch
    from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    real = device == "cuda"
    width = {} if real else {"block_out_channels": (64, 128, 256, 256), "num_attention_heads": (1, 2, 4, 4)}
    unet = UNetSpatioTemporalConditionModel(in_channels=12, cross_attention_dim=CROSS, **width)
    lively(unet)
    unet.half().save_pretrained(task.models / "videomama-unet" / "unet")
    vae = AutoencoderKLTemporalDecoder(
        down_block_types=("DownEncoderBlock2D",) * 4, block_out_channels=(128, 256, 512, 512), layers_per_block=2
    )
    lively(vae)
    vae.half().save_pretrained(task.models / "videomama-vae" / "vae", variant="fp16")
    size = {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 16}
    clip = CLIPVisionConfig(projection_dim=CROSS, patch_size=14, **(size if real else {"num_hidden_layers": 2}))
    place = task.models / "videomama-vae"
    CLIPVisionModelWithProjection(clip).half().save_pretrained(place / "image_encoder", variant="fp16")
    CLIPImageProcessor().save_pretrained(place / "feature_extractor")


def ours_side(task: Task, watch: Watch) -> None:
    """Run our job up to the alpha."""
    import diffusers.models.autoencoders.autoencoder_kl_temporal_decoder
    import diffusers.models.unets.unet_spatio_temporal_condition  # noqa: F401

    watch.lap("start")
    params = {"batch_size": WINDOW, "size": _size(task)[0]}
    ours.matte(task, watch, EngineChoice(name="videomama", params=params), until=Stage.MATTE, every_mask=True)


def theirs_side(task: Task, watch: Watch) -> None:
    """Extract frames, run their pipeline, write its pictures."""
    _theirs(task, watch, "theirs")


def _theirs(task: Task, watch: Watch, side: str) -> None:
    import torch

    authors: Any = importlib.import_module("inference_onestep_folder")
    watch.lap("start")
    kind = torch.float16 if torch.cuda.is_available() else torch.float32  # with bfloat16 it cannot make its pictures
    models = str(task.models / "videomama-vae"), str(task.models / "videomama-unet")
    pipeline = authors.VideoInferencePipeline(*models, weight_dtype=kind)
    watch.lap("weights")
    folder = task.made_by(side)
    (folder / "frames").mkdir()
    (folder / "results").mkdir()
    extract_pngs(task.clip, folder / "frames")
    frames = len(list((folder / "frames").iterdir()))
    pictures, masks = authors.load_image_sequence(str(folder / "frames"), str(task.masks), frames, frames, *_size(task))
    watch.lap("frames")
    masks = [mask.point(lambda value: 255 if value > 127 else 0, mode="L") for mask in masks]
    made = pipeline.run(cond_frames=pictures, mask_frames=masks)
    watch.lap("inference")
    for index, picture in enumerate(made):
        picture.save(folder / "results" / f"{index:05d}.png")
    watch.lap("write")


def check(task: Task, watch: Watch) -> None:
    """Run their side with our noise: theirs takes some of it from a generator that nobody seeds."""
    import torch
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    from engines.videomama.noise import draw

    def ours_drawn(purpose: str, shape: Any, like: Any = None) -> Any:
        made = torch.stack([draw(0, index, purpose, shape[-3:]) for index in range(shape[-4])])
        return made if like is None else made.to(like)

    purposes = cycle(("picture", "mask"))

    def sample(self: Any, generator: Any = None) -> Any:
        return self.mean + self.std * ours_drawn(next(purposes), self.mean.shape, self.mean)

    plain = torch.randn

    def randn(*shape: Any, generator: Any = None, **given: Any) -> Any:
        if isinstance(shape[0], int) or len(shape[0]) != 5:  # all but what a whole window begins with
            return plain(*shape, generator=generator, **given)
        return ours_drawn("answer", shape[0])[None].to(given["device"], given["dtype"])

    DiagonalGaussianDistribution.sample, torch.randn = sample, randn
    _theirs(task, watch, "check")


def _size(task: Task) -> tuple[int, int]:
    import cv2

    mask = cv2.imread(str(task.mask), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    return mask.shape[1], mask.shape[0]


def results(task: Task, side: str) -> Results:
    """Return the alphas that a side has made."""
    return ours.alphas(task) if side == "ours" else read_pngs(task.folder / side / "results")


CONTESTANT = Contestant(
    name="videomama",
    title="VideoMaMa",
    sizes={"cpu": (384, 192, WINDOW // 2), "cuda": (1024, 576, WINDOW), "quick": (256, 128, 4)},
    prepare=prepare,
    ours=ours_side,
    theirs=theirs_side,
    results=results,
    tolerance=8
    / 255,  # bf16 on the CPU against their fp32; in fp16 on a GPU 3 / 255; in fp32 1 / 255, as theirs are cut off
    check=check,
    packages=("einops",),
    sources=("videomama",),
)
