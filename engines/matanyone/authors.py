"""The authors' network, imported from their sources on this disk and built with exactly the weights of a folder.

Their sources are not for commercial use and no part of this project: `just setup` puts them into `sdks/`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engines.neural.compute import Compute
from engines.neural.loading import hold
from errors import EngineFailedError, EngineUnavailableError
from machine import RECIPES

SOURCES = "matanyone"
"""Folder of `sdks/`, and the package in it. MatAnyone 2 has the same code with other names, and other weights."""
CONFIGS = ("eval_matanyone_config.yaml", "model/base.yaml")
FOLLOWS = ("aux_computer.", ".inv_freq", ".num_batches_tracked")
"""Parts of the network that weights may lack: used in training only, or computed from the configuration."""


@dataclass(frozen=True)
class Network:
    """The network with the weights of a folder, where it computes."""

    folder: Path
    sdks: Path
    compute: Compute

    def load(self) -> Any:
        """Return the network; see `engines.neural.loading.hold`.

        Raises:
            EngineUnavailableError: the sources are not there, or other ones.
            EngineFailedError: the weights are damaged, or they are those of another network.
        """
        # The precision too: the network remembers positional encodings in the one that it was first run with.
        return hold((SOURCES, self.folder, self.sdks, self.compute), self._load)

    def _load(self) -> Any:
        with authors_package(self.sdks):
            network = build(self.sdks, torch.device(self.compute.device))
        load_strictly(network, self.folder)
        return network.to(self.compute.device).eval()

    def new_core(self, features: Any) -> Any:
        """Return the authors' InferenceCore, for one object.

        Args:
            features: encodes pictures; shared by the cores that see the same ones.
        """
        network = self.load()
        from matanyone.inference.inference_core import InferenceCore

        return InferenceCore(network, network.cfg, image_feature_store=features, device=self.compute.device)


@contextmanager
def authors_package(sdks: Path) -> Iterator[None]:
    """Make the authors' package importable within the block only.

    Raises:
        EngineUnavailableError: it is not there, or it needs a package that is not installed.
    """
    place = sdks / SOURCES
    if not (place / SOURCES / "__init__.py").is_file():
        raise EngineUnavailableError(f"the authors' sources are not in {place}; run: {RECIPES} setup")
    sys.path.insert(0, str(place))
    try:
        yield
    except ImportError as error:
        raise EngineUnavailableError(
            f"the authors' sources in {place} cannot be used ({error}); remove that folder, then run: {RECIPES} setup"
        ) from error
    finally:
        sys.path.remove(str(place))


def build(sdks: Path, device: torch.device) -> Any:
    """Return the network with random weights, on the CPU, ready to compute on `device` later.

    Call it within `authors_package`.
    """
    from matanyone.model import matanyone as model
    from matanyone.utils import device as theirs
    from omegaconf import OmegaConf

    # The sources choose a device of their own when they are imported, and ask for it again wherever they turn
    # autocast off: with a GPU present, that would be the GPU's autocast even while the network is on the CPU.
    theirs.get_default_device = lambda: torch.device(device.type)
    model.device = device
    return model.MatAnyone(OmegaConf.create(_config(sdks)), single_object=True)


def _config(sdks: Path) -> dict[str, Any]:
    from omegaconf import OmegaConf

    place = sdks / SOURCES / SOURCES / "config"
    try:
        whole, network = (OmegaConf.load(place / name) for name in CONFIGS)
    except OSError as error:
        raise EngineUnavailableError(
            f"{error.filename} is missing; remove {sdks / SOURCES}, then run: {RECIPES} setup"
        ) from error
    kept = {key: value for key, value in whole.items() if key not in {"defaults", "hydra"}}
    # With True it would download an ImageNet ResNet, only to have it overwritten.
    return {**kept, "model": {**network, "pretrained_resnet": False}}


def load_strictly(network: Any, folder: Path) -> None:
    """Load model.safetensors of `folder` into the network.

    Raises:
        EngineFailedError: it is damaged, or of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / "model.safetensors"
    mend = f"fetch them again: run.py models remove {folder.name}, then run.py models download {folder.name}"
    try:
        given = load_file(path)
    except (OSError, SafetensorError) as error:
        raise EngineFailedError(f"the weights {path} are damaged ({error}); {mend}") from error
    own = network.state_dict()
    missing = sorted(key for key in own.keys() - given.keys() if not any(part in key for part in FOLLOWS))
    unknown = sorted(given.keys() - own.keys())
    others = sorted(key for key in own.keys() & given.keys() if own[key].shape != given[key].shape)
    for what, keys in (("missing", missing), ("unknown", unknown), ("of another shape", others)):
        if keys:
            raise EngineFailedError(f"the weights {path} are not MatAnyone's: {len(keys)} {what}, as {keys[0]}; {mend}")
    network.load_state_dict(given, strict=False)
