"""The one table of weights: what there is to download, from where, under which licence. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True)
class WeightFile:
    """A file of a set: its path in the repository and on the disk."""

    path: str
    size: int
    """Bytes, for progress and the look at the disk; the hub's own number decides."""
    sha256: str = ""
    """Beginning of its hash, where its authors' file is known; the hub's own hash is compared as well."""


@dataclass(frozen=True)
class WeightSet:
    """What one network needs."""

    name: str
    """Folder under the folder of models."""
    group: str
    """Switch of `models download` that takes it."""
    title: str
    repository: str
    files: tuple[WeightFile, ...]
    licence: str
    terms: str
    """What the licence means for who uses the results."""
    commercial: bool
    gated: bool = False
    """Its authors ask to accept the terms on the hub's page before they let it be downloaded."""

    @property
    def is_free(self) -> bool:
        """Tell whether its licence asks nothing of who uses it, so that nobody has to accept anything."""
        return self.licence == APACHE[0]

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def page(self) -> str:
        """Return the address of its page."""
        return f"https://huggingface.co/{self.repository}"


APACHE = "Apache-2.0", "Free for any use, commercial use included.", True
SLAB = (
    "S-Lab License 1.0",
    "Not for commercial use: results must not be part of paid work unless its authors agree in writing.",
    False,
)
CC_NC = "CC-BY-NC 4.0", "Not for commercial use: results must not be part of paid work.", False


def _sam2(name: str, size: int, title: str) -> WeightSet:
    files = (WeightFile("config.json", 7_000), WeightFile("model.safetensors", size * MB))
    return WeightSet(name, "sam2", title, f"facebook/{name}", files, *APACHE)


def _single(name: str, group: str, title: str, repository: str, size: int, licence: tuple[str, str, bool]) -> WeightSet:
    files = (WeightFile("config.json", 4_000), WeightFile("model.safetensors", size * MB))
    return WeightSet(name, group, title, repository, files, *licence)


WEIGHTS: tuple[WeightSet, ...] = (
    _single("edgetam", "sam2", "EdgeTAM", "yonigozlan/EdgeTAM-hf", 56, APACHE),
    _sam2("sam2.1-hiera-tiny", 156, "SAM 2.1 tiny"),
    _sam2("sam2.1-hiera-small", 184, "SAM 2.1 small"),
    _sam2("sam2.1-hiera-base-plus", 323, "SAM 2.1 base-plus"),
    _sam2("sam2.1-hiera-large", 898, "SAM 2.1 large"),
    WeightSet(
        "sam3",
        "sam3",
        "SAM 3",
        "facebook/sam3",
        (
            WeightFile("config.json", 26_000),
            WeightFile("model.safetensors", 3_440 * MB),
            WeightFile("tokenizer.json", 3_600_000),
            WeightFile("tokenizer_config.json", 1_000),
        ),
        "SAM License",
        "Commercial use is allowed; some uses are forbidden (military, weapons and others): read the licence.",
        True,
        gated=True,
    ),
    _single("matanyone", "matanyone", "MatAnyone", "PeiqingYang/MatAnyone", 141, SLAB),
    _single("matanyone2", "matanyone", "MatAnyone 2", "PeiqingYang/MatAnyone2", 141, SLAB),
    WeightSet(
        "videomama-unet",
        "videomama",
        "VideoMaMa",
        "SammyLim/VideoMaMa",
        (
            WeightFile("unet/config.json", 2_000),
            WeightFile("unet/diffusion_pytorch_model.safetensors", 3_050 * MB),
        ),
        "CC BY-NC 4.0, Stability AI Community",
        "Not for commercial use: results must not be part of paid work.",
        False,
    ),
    WeightSet(
        "videomama-vae",
        "videomama",
        "Stable Video Diffusion, image codec",
        "stabilityai/stable-video-diffusion-img2vid-xt",
        (
            WeightFile("vae/config.json", 1_000),
            WeightFile("vae/diffusion_pytorch_model.fp16.safetensors", 195 * MB),
        ),
        "Stability AI Community",
        "Free below a yearly revenue of one million US dollars; above that a licence of Stability AI is needed.",
        True,
        gated=True,
    ),
    WeightSet(
        "cotracker3-online",
        "cotracker",
        "CoTracker 3 online",
        "facebook/cotracker3",
        (WeightFile("scaled_online.pth", 101_695_610, "205d3478"),),
        *CC_NC,
    ),
    WeightSet(
        "cotracker3-offline",
        "cotracker",
        "CoTracker 3 offline",
        "facebook/cotracker3",
        (WeightFile("scaled_offline.pth", 101_890_938, "2670d456"),),
        *CC_NC,
    ),
)
GROUPS = tuple(dict.fromkeys(entry.group for entry in WEIGHTS))
"""Switches of `models download`."""
