"""Which classes and pictures each family of SAM networks wants."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.base import Image
from engines.neural.compute import Compute, choose
from engines.neural.loading import hold, load_transformers
from engines.sam.attention import lighten

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALVES = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Family:
    """A family of networks with the same programming interface in the transformers library."""

    name: str
    image: tuple[str, str]
    """Module and class for prompts on an image."""
    video: tuple[str, str]
    """Module and class for a clip."""
    session: tuple[str, str]
    """Module and class of the clip's session."""
    colours: tuple[tuple[float, ...], tuple[float, ...]] = IMAGENET
    """Mean and deviation that pixels 0..1 are normalised by."""
    image_options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """A family's network with the weights of a folder, where it computes."""

    family: Family
    folder: Path
    compute: Compute

    def inference(self) -> AbstractContextManager[None]:
        """Return a context to compute in; see `engines.neural.compute.Compute.inference`.

        The network sees squares of one size whatever the picture's, so that a smaller model is all that helps.
        """
        return self.compute.inference("choose a smaller model, or device=cpu")

    def image(self) -> Any:
        """Return the model for images; see `engines.neural.loading.hold`."""
        return self._hold(self.family.image, self.family.image_options)

    def video(self) -> Any:
        """Return the model for clips."""
        return self._hold(self.family.video, {})

    def _hold(self, target: tuple[str, str], options: dict[str, Any]) -> Any:
        is_narrow = self.compute == Compute("cpu", "bf16")

        def load() -> Any:
            model = load_transformers(*target, self.folder, **options).to(self.compute.device)
            if is_narrow:
                lighten(model)
            return model

        return hold((target, self.folder, self.compute.device, is_narrow), load)

    def pixels(self, rgb: Image, side: int) -> Any:
        """Return a picture as the network takes it: float32 [1, 3, side, side] on its device.

        The same as the family's own processor: an antialiased bilinear resize of bytes, then normalisation.
        """
        import torch
        from torchvision.transforms.v2 import functional

        mean, deviation = self.family.colours
        picture = torch.tensor(rgb, device=self.compute.device).permute(2, 0, 1).contiguous()
        picture = functional.resize(picture, [side, side], antialias=True).to(torch.float32)
        # In one step, as the processor does it: the last bits count where results are compared.
        scale = [torch.tensor(values, device=picture.device) * 255.0 for values in (mean, deviation)]
        return functional.normalize(picture, *scale)[None]


def network(family: Family, weights: str, device: str, precision: str) -> Network:
    """Return the network of that set of weights.

    Raises:
        EngineUnavailableError: the weights or the device are not there.
    """
    from engines.weights import find

    return Network(family, find(weights), choose(device, precision))


def side_of(model: Any) -> int:
    """Return the side of the square pictures that a model takes."""
    size = getattr(model.config, "image_size", None) or model.prompt_encoder.image_size
    return int(size if isinstance(size, int) else size[0])
