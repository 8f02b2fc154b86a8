"""The two networks of VideoMaMa, by the diffusers library: a VAE into and out of codes, and the U-Net between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engines.base import Alpha, Image, Mask
from engines.neural.compute import Compute, choose
from engines.neural.loading import channels_last, hold, load_transformers
from engines.videomama.precision import of_codec, settled
from engines.videomama.setting import CHUNK
from errors import EngineFailedError

UNET = ("diffusers.models.unets.unet_spatio_temporal_condition", "UNetSpatioTemporalConditionModel")
VAE = ("diffusers.models.autoencoders.autoencoder_kl_temporal_decoder", "AutoencoderKLTemporalDecoder")
CODES = 4
"""Channels of a code."""
SHRINK = 8
"""Pixels of a code's pixel."""
TIME_IDS = (7.0, 127.0, 0.0)
"""Frames per second, motion bucket and noise that the network was trained with."""
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Network:
    """Weights of two folders, where they compute, and whether both are in memory at once.

    Equal to the authors' pipeline under the same noise, which the caller gives.
    """

    unet: Path
    """Holds unet/, as the authors' repository does."""
    vae: Path
    """Holds vae/."""
    compute: Compute
    turns: bool
    """One of the two networks in memory at a time: less memory for the time it takes to load each once a window."""

    @property
    def dtype(self) -> Any:
        """Return the type that the U-Net computes in."""
        return DTYPES[self.compute.precision]

    def inference(self) -> Any:
        """Return the context to compute in; out of memory is a ResourceError. See `Compute.inference`."""
        return replace(self.compute, precision="fp32").inference()  # the weights have the precision: nothing to cast

    def encode(self, picture: Image, mask: Mask, noise: tuple[Any, Any]) -> Any:
        """Return the codes of a frame, [2 * CODES, h / 8, w / 8] on the device.

        Args:
            picture: RGB uint8 [h, w, 3], sides multiples of 64.
            mask: uint8 [h, w], 0 or 255.
            noise: float32 [CODES, h / 8, w / 8] each, for sampling the picture's code and the mask's.
        """
        codes = [
            self._codec(partial(_sample, x, eps))  # one by one: no frame depends on another
            for x, eps in zip((picture, np.repeat(mask[..., None], 3, axis=2)), noise, strict=True)
        ]
        return torch.cat(codes).to(self.dtype)

    def answer(self, codes: Any, noise: Any) -> Any:
        """Return the alphas' codes [T, CODES, h, w] of a window.

        Args:
            codes: [T, 2 * CODES, h, w], of `encode`.
            noise: float32 [T, CODES, h, w].
        """
        unet, device = self._unet(), self.compute.device
        given = torch.cat([noise.to(device, self.dtype), codes], dim=1)[None].contiguous()
        hidden = torch.zeros(1, 1, unet.config.cross_attention_dim, device=device, dtype=self.dtype)
        ids = torch.tensor([TIME_IDS], device=device, dtype=self.dtype)
        once = torch.ones(1, device=device, dtype=torch.long)
        result = unet(given, once, hidden, added_time_ids=ids).sample[0]
        if not bool(result.isfinite().all()):
            raise EngineFailedError("VideoMaMa's numbers ran over in fp16; choose precision=bf16 or precision=fp32")
        return result

    def decode(self, answers: Any) -> Alpha:
        """Return the alphas, float32 [T, 8 h, 8 w] 0..1, of codes [T, CODES, h, w]."""
        parts = []
        for part in answers.split(CHUNK):
            pictures = self._codec(partial(_decoded, part)).float()
            parts.append((pictures / 2 + 0.5).clamp(0, 1).mean(dim=1).cpu().numpy())
        return np.concatenate(parts)

    def _codec(self, work: Callable[[Any], Any]) -> Any:
        """Return `work(vae)`; in single precision where half precision runs over, for this piece of work alone."""
        vae = self._vae()
        result = work(vae)
        if bool(result.isfinite().all()):
            return result
        half = vae.dtype
        if half != torch.float16:
            raise EngineFailedError("VideoMaMa gave no numbers; check its weights: run.py models verify videomama-vae")
        try:
            return work(vae.to(torch.float32))
        finally:
            vae.to(half)

    def _unet(self) -> Any:
        if not self.turns:
            return self._pair()[0]
        return hold(("videomama unet", self.unet, self.compute), self._load_unet)

    def _vae(self) -> Any:
        if not self.turns:
            return self._pair()[1]
        return hold(("videomama vae", self.vae, self.compute), self._load_vae)

    def _pair(self) -> tuple[Any, Any]:
        key = ("videomama", self.unet, self.vae, self.compute)
        pair: tuple[Any, Any] = hold(key, lambda: (self._load_unet(), self._load_vae()))
        return pair

    def _load_unet(self) -> Any:
        return self._load(UNET, self.unet, subfolder="unet", torch_dtype=self.dtype)

    def _load_vae(self) -> Any:
        kind = DTYPES[of_codec(self.compute.device, self.compute.precision)]
        return self._load(VAE, self.vae, subfolder="vae", variant="fp16", torch_dtype=kind)

    def _load(self, target: tuple[str, str], folder: Path, **options: Any) -> Any:
        # Straight into memory in the right type: no second copy of the weights.
        network = load_transformers(*target, folder, low_cpu_mem_usage=True, **options).to(self.compute.device)
        return channels_last(network) if self.compute == Compute("cpu", "bf16") else network


def network(device: str, precision: str) -> Network:
    """Return the network with the weights on the disk.

    Raises:
        EngineUnavailableError: the weights or the device are not there.
    """
    from engines.weights import find

    where = choose(device, precision).device
    compute = Compute(where, settled(where, precision))
    return Network(find("videomama-unet"), find("videomama-vae"), compute, turns=where == "cpu")


def _sample(picture: NDArray[np.uint8], noise: Any, vae: Any) -> Any:
    """Return the code of uint8 [h, w, 3], sampled with that noise; unlike elsewhere it is not scaled."""
    pixels = torch.tensor(picture, device=vae.device).permute(2, 0, 1)[None].contiguous()
    spread = vae.encode((pixels.to(torch.float32) / 255 * 2 - 1).to(vae.dtype)).latent_dist
    return (spread.mean + spread.std * noise[None].to(vae.device, vae.dtype))[0]


def _decoded(answers: Any, vae: Any) -> Any:
    """Return pictures [T, 3, H, W] -1..1."""
    codes = (1 / vae.config.scaling_factor) * answers.to(vae.dtype)
    return vae.decode(codes, num_frames=len(codes)).sample
