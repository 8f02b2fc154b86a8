"""The authors' network, imported from their sources on this disk, with exactly the weights of a folder."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engines.neural.authors import authors_package
from engines.neural.compute import Compute
from engines.neural.loading import hold
from errors import EngineFailedError

SOURCES, PACKAGE = "co-tracker", "cotracker"
"""Folder of `sdks/`, and the package in it."""
WINDOWS = {"online": 16, "offline": 60}
"""Frames that the published weights were trained with, by model."""
ITERATIONS = 6
"""Times that the tracks of a window are refined, as in the authors' predictors."""


@dataclass(frozen=True)
class Network:
    """The network with the weights of a folder, where it computes."""

    model: str
    """online or offline."""
    folder: Path
    sdks: Path
    compute: Compute

    def load(self) -> Any:
        """Return the network, `adapted`; see `engines.neural.loading.hold`.

        Raises:
            EngineUnavailableError: the sources are not there, or other ones.
            EngineFailedError: the weights are damaged, or they are those of another network.
        """
        return hold((PACKAGE, self.model, self.folder, self.sdks, self.compute.device), self._load)

    def _load(self) -> Any:
        with authors_package(self.sdks, SOURCES, PACKAGE):
            network = build(self.model)
        load_strictly(network, self.folder / f"scaled_{self.model}.pth")
        return adapted(network.to(self.compute.device).eval())

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) that the network was trained at and works at whatever the clip's: 512, 384."""
        height, width = self.load().model_resolution
        return width, height

    def grid(self, side: int) -> Any:
        """Return the authors' grid of support points: float32 [side², 2], x and y at the network's size."""
        network = self.load()
        if not side:
            return torch.zeros(0, 2, device=self.compute.device)
        from cotracker.models.core.model_utils import get_points_on_a_grid

        return get_points_on_a_grid(side, network.model_resolution, device=self.compute.device)[0]


def build(model: str) -> Any:
    """Return the network with random weights, on the CPU. Call it within `authors_package`."""
    from cotracker.models.build_cotracker import build_cotracker

    return build_cotracker(offline=model == "offline", window_len=WINDOWS[model])


def adapted(network: Any) -> Any:
    """Return the network with `Prepared` and `Templates` in their places."""
    encoder = network.fnet
    del network.fnet  # torch lets nothing but a module take a module's place
    network.fnet = Prepared(encoder)
    network.get_track_feat = Templates(network.get_track_feat)
    return network


class Prepared:
    """In the place of the network's encoder: returns features that are there already.

    Windows overlap, and each group of points sees the same ones; so every frame is encoded once.

    Args:
        encoder: the network's own.
    """

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self.features: Any = None

    def encode(self, pixels: Any) -> Any:
        """Return features [n, 128, 96, 128] of pictures, float32 [n, 3, 384, 512] 0..255."""
        return self._encoder(2 * (pixels / 255.0) - 1.0)

    def __call__(self, pixels: Any) -> Any:
        """Return the window's features, the last frame's again for every frame that it was filled up with."""
        lacking = len(pixels) - len(self.features)
        if not lacking:
            return self.features
        return torch.cat([self.features, self.features[-1:].expand(lacking, -1, -1, -1)])


class Templates:
    """In the place of what samples the points' templates (how their surroundings look) from the frames of a window.

    Points that come from an earlier window keep the template that they had there.

    Args:
        sample: the network's own.
    """

    def __init__(self, sample: Callable[..., tuple[Any, Any]]) -> None:
        self._sample = sample
        self.known: Any = None
        """By level [1, 49, N, 128]; None where no point has one yet."""
        self.is_known: Any = None
        """bool [N]."""
        self.used: list[Any] = []
        """By level, those of the latest window."""

    def __call__(self, *args: Any, **options: Any) -> tuple[Any, Any]:
        """Return the centres' features, and the templates [1, 49, N, 128] of the level that is next."""
        centre, template = self._sample(*args, **options)
        if self.known is not None:
            template = torch.where(self.is_known[:, None], self.known[len(self.used)], template)
        self.used.append(template)
        return centre, template


@contextmanager
def prepared(network: Any, features: Any) -> Iterator[Any]:
    """Yield an empty video that stands for frames with those features, and forget them afterwards.

    The network asks a video for its shape and its encoder for the rest.

    Args:
        network: what `Network.load` returned.
        features: [T, 128, 96, 128].
    """
    network.fnet.features = features
    try:
        yield torch.zeros((), device=features.device).expand(1, len(features), 1, *network.model_resolution)
    finally:
        network.fnet.features = None
        network.get_track_feat.known = network.get_track_feat.is_known = None
        network.get_track_feat.used = []


def load_strictly(network: Any, path: Path) -> None:
    """Load a state dictionary into the network.

    Raises:
        EngineFailedError: it is damaged, or of another network.
    """
    name = path.parent.name
    mend = f"fetch them again: run.py models remove {name}, then run.py models download {name}"
    try:
        given = dict(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, EOFError, TypeError, ValueError, pickle.UnpicklingError) as error:
        first = (str(error).splitlines() or [repr(error)])[0]
        raise EngineFailedError(f"the weights {path} are damaged ({first}); {mend}") from error
    given = given.get("model", given)
    own = network.state_dict()
    others = [key for key in own.keys() & given.keys() if own[key].shape != given[key].shape]
    for what, keys in (
        ("missing", own.keys() - given.keys()),
        ("unknown", given.keys() - own.keys()),
        ("of another shape", others),
    ):
        if keys:
            raise EngineFailedError(
                f"the weights {path} are not CoTracker3's: {len(keys)} {what}, as {min(keys)}; {mend}"
            )
    network.load_state_dict(given)
