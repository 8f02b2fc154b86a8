"""A hub with one small set of weights, in an empty folder of models, for the tests of downloads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import engines.download as downloads
from config import get_settings
from engines.download import download
from errors import SplazMatteError
from tests.hub_server import Hub, serve

pytest.importorskip("huggingface_hub", reason="neural engines are not installed: just setup")

NAME = "sam2.1-hiera-tiny"
"""Free of conditions."""
BIG = f"facebook/{NAME}/model.safetensors"
SMALL = f"facebook/{NAME}/config.json"
NC = "matanyone2"
"""Not for commercial use."""
SIZE = 300_000


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty folder of models that the settings point to."""
    monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", str(tmp_path / "models"))
    get_settings.cache_clear()
    yield tmp_path / "models"
    get_settings.cache_clear()


@pytest.fixture
def hub(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Return a hub that the settings point to; nobody waits between two tries."""
    monkeypatch.setattr(downloads, "_pause", lambda *_: None)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no token"))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    content = np.random.default_rng(0).bytes(SIZE)
    files = {BIG: content, SMALL: b'{"model_type": "sam2_video"}'}
    for repository in ("PeiqingYang/MatAnyone2", "PeiqingYang/MatAnyone"):
        files |= {f"{repository}/model.safetensors": content[::-1], f"{repository}/config.json": b"{}"}
    with serve(Hub(files)) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        yield made


def refusal(kind: type[SplazMatteError], name: str = NAME) -> str:
    """Return the one line with which a download is refused."""
    with pytest.raises(kind) as caught:
        download(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)
