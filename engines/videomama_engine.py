"""VideoMaMa (Lim et al. 2026), by the diffusers library: guide masks in, alpha out."""

from __future__ import annotations

from engines.videomama.matter import VideoMaMaMatter as _Matter
from engines.videomama.network import network


class VideoMaMaMatter(_Matter):
    """Guide masks -> alpha; see `engines.videomama.matter`.

    Args:
        batch_size: frames that go through the network together.
        overlap: frames in which neighbouring windows fade into each other, at most half a window.
        seed: of the network's noise.
        size: long side of the network's pictures.
        device: auto, cuda, mps or cpu.
        precision: auto, fp32, bf16 or fp16.
    """

    def __init__(
        self,
        batch_size: int = 16,
        overlap: int = 4,
        seed: int = 0,
        size: int = 1024,
        device: str = "auto",
        precision: str = "auto",
    ) -> None:
        super().__init__(network(device, precision), batch_size, overlap, seed, size)
