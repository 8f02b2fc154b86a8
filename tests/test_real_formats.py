"""Checkpoints in the engines' real formats, small and random, through hub, disk and loader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines import weights
from engines.base import Point, Prompts
from engines.download import download
from engines.neural.loading import release
from engines.registry import create, get_spec, usable
from engines.spec import Job
from errors import EngineFailedError
from tests.hub_server import Hub
from tests.sam_material import save_tiny_sam2
from tests.weights_bench import NAME, hub, models

__all__ = ["hub", "models"]
pytestmark = pytest.mark.slow


def test_a_sam2_is_downloaded_and_runs_and_one_wrong_byte_is_found(hub: Hub, tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="neural engines are not installed: just setup")
    made = save_tiny_sam2(tmp_path / "made")
    for file in weights.get_set(NAME).files:
        hub.files[f"facebook/{NAME}/{file.path}"] = (made / file.path).read_bytes()
    hub.cuts[f"facebook/{NAME}/model.safetensors"] = [1_000_000, 2_000_000]
    place = download(NAME)
    assert usable(get_spec(Job.SEGMENTER, "sam2")) == {"model": "tiny"}
    engine = create(Job.SEGMENTER, "sam2", {"model": "tiny", "device": "cpu", "precision": "fp32"})
    engine.set_image(np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8))
    assert engine.predict(Prompts(points=(Point(20, 20),)))[0].mask.shape == (48, 64)
    release()
    data = bytearray((place / "model.safetensors").read_bytes())
    data[len(data) // 2] ^= 1
    (place / "model.safetensors").write_bytes(data)
    with pytest.raises(EngineFailedError, match=rf"\./start\.sh download-models {NAME} --verify"):
        weights.verify(NAME)
