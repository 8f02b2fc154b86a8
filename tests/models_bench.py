"""A folder of models of its own and a hub on this machine, for tests of what the app does about weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from app_logic.models import ModelRow, ModelsDesk
from config import get_settings
from tests.hub_server import Hub, serve

FREE = "sam2.1-hiera-tiny"
NC = "matanyone"
REPOSITORIES = {FREE: "facebook/sam2.1-hiera-tiny", NC: "PeiqingYang/MatAnyone"}


def big(name: str) -> str:
    """Return the key of a set's large file on the hub."""
    return f"{REPOSITORIES[name]}/model.safetensors"


def stock(size: int) -> dict[str, bytes]:
    """Return what the hub has: two sets, each with a large file of `size` bytes."""
    rng = np.random.default_rng(7)
    return {
        key: data
        for name, repository in REPOSITORIES.items()
        for key, data in ((big(name), rng.bytes(size)), (f"{repository}/config.json", b'{"model_type": "x"}'))
    }


@contextmanager
def local_hub(folder: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> Iterator[Hub]:
    """Serve two sets while the block runs, to whoever downloads in this process, into `folder`/models."""
    monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", str(folder / "models"))
    monkeypatch.setenv("HF_HOME", str(folder / "home"))
    get_settings.cache_clear()
    try:
        with serve(Hub(stock(size))) as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.address)
            yield hub
    finally:
        get_settings.cache_clear()


def row(desk: ModelsDesk, name: str) -> ModelRow:
    """Return the row of one set."""
    return next(found for found in desk.rows() if found.entry.name == name)
