"""Random weights of the real MatAnyone network, as the hub has them; the authors' own way to run it; small clips."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.base import Guide, Image, Mask
from tests.random_weights import lively


def save_random_weights(folder: Path, sdks: Path, seed: int = 0) -> Path:
    """Save the real network with random weights as `PyTorchModelHubMixin` saves it, the form that the hub has."""
    import torch

    from engines.matanyone.authors import authors_package, build

    torch.manual_seed(seed)
    with authors_package(sdks):
        network = build(sdks, torch.device("cpu"))
    lively(network)
    with torch.no_grad():
        # Untrained keys lie so far apart that nothing is similar to anything, and the authors' softmax gives nan.
        network.key_proj.key_proj.weight.mul_(0.1)
        network.key_proj.d_proj.weight.mul_(0.1)
    network.save_pretrained(folder)
    return folder


class AuthorsDriver:
    """What the authors' `inference_matanyone.py` does with a clip, on frames in memory, with weights of a folder.

    Args:
        sdks: folder of the sources.
        package: 'matanyone' or 'matanyone2'.
        folder: of the weights.
    """

    def __init__(self, sdks: Path, package: str, folder: Path) -> None:
        import torch
        from omegaconf import OmegaConf
        from safetensors.torch import load_file

        sys.path.insert(0, str(sdks / package))
        self._core = importlib.import_module(f"{package}.inference.inference_core")
        self._masks = importlib.import_module(f"{package}.utils.inference_utils")
        model = importlib.import_module(f"{package}.model.{package}")
        sys.path.remove(str(sdks / package))
        place = sdks / package / package / "config"
        config: Any = OmegaConf.load(place / "eval_matanyone_config.yaml")
        config["model"] = OmegaConf.load(place / "model" / "base.yaml")
        config["model"]["pretrained_resnet"] = False
        kind = model.MatAnyone if package == "matanyone" else model.MatAnyone2
        self._network = kind(config, single_object=True).eval()
        self._network.load_state_dict(load_file(folder / "model.safetensors"), strict=True)
        self._torch = torch

    def alphas(
        self,
        pictures: Sequence[Image],
        mask: Mask,
        *,
        warmup: int = 10,
        erode: int = 10,
        dilate: int = 10,
        size: tuple[int, int] | None = None,
        bf16: bool = False,
    ) -> list[NDArray[np.float32]]:
        """Return the alphas, float32 [H, W], of pictures of which the first one has that mask."""
        torch = self._torch
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            frames = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
            frames = torch.cat([frames[:1].repeat(warmup, 1, 1, 1), frames]).float()
            given = mask
            if dilate > 0:
                given = self._masks.gen_dilate(given, dilate, dilate)
            if erode > 0:
                given = self._masks.gen_erosion(given, erode, erode)
            first = torch.from_numpy(given).float()
            if size is not None:
                frames = torch.nn.functional.interpolate(frames, size=size[::-1], mode="area")
                first = torch.nn.functional.interpolate(first[None, None], size=size[::-1], mode="nearest")[0, 0]
            core = self._core.InferenceCore(self._network, cfg=self._network.cfg, device="cpu")
            result = []
            for index, frame in enumerate(frames):
                picture = frame / 255.0
                if index == 0:
                    core.step(picture, first, objects=[1])
                found = core.step(picture, first_frame_pred=True) if index <= warmup else core.step(picture)
                if index >= warmup:
                    result.append(core.output_prob_to_mask(found).float().numpy())
        return result


class Clip:
    """Seeded frames in which discs move over a textured ground, as an engines.base.FrameSource."""

    def __init__(self, frames: int, width: int, height: int) -> None:
        self.frames, self._size = frames, (width, height)
        noise = np.random.default_rng(3).integers(0, 255, (height, width, 3)).astype(np.uint8)
        self._ground = cv2.GaussianBlur(noise, (0, 0), 1.5)
        self.reads: list[int] = []

    def __len__(self) -> int:
        return self.frames

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def read(self, index: int) -> Image:
        self.reads.append(index)
        picture = self._ground.copy()
        for object_id in (2, 1):
            picture[self.disc(index, object_id) > 0] = (200, 40 * object_id, 90)
        return picture

    def disc(self, index: int, object_id: int = 1) -> Mask:
        """Return where an object is, uint8 [H, W], 0 or 255: one goes right, one goes left."""
        width, height = self._size
        y, x = np.mgrid[:height, :width]
        way = 0.3 + 0.4 * index / max(1, self.frames)
        centre = width * (way if object_id == 1 else 1 - way), height * (0.4 if object_id == 1 else 0.6)
        inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < (min(width, height) / 4) ** 2
        return inside.astype(np.uint8) * 255


class Reversed:
    """A clip from its end to its beginning."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip

    def __len__(self) -> int:
        return len(self._clip)

    @property
    def size(self) -> tuple[int, int]:
        return self._clip.size

    def read(self, index: int) -> Image:
        return self._clip.read(len(self._clip) - 1 - index)


class Keyframes:
    """Keyframes {object id: {frame: mask}} as an engines.base.GuideSource."""

    def __init__(self, masks: Mapping[int, Mapping[int, Mask]]) -> None:
        self.masks = masks

    def read(self, index: int) -> Guide:
        raise AssertionError("this matter needs keyframes only")

    def objects(self) -> list[int]:
        return list(self.masks)

    def keyframes(self, object_id: int) -> list[int]:
        return sorted(self.masks[object_id])

    def keyframe(self, object_id: int, index: int) -> Mask:
        return self.masks[object_id][index]
