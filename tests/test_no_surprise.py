"""No engine ever downloads by itself: making one without weights is an error, and no connection is tried."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engines.neural.loading import release
from engines.registry import ENGINES, check_params, create, missing_packages
from engines.spec import EngineSpec
from engines.table import BUILT_INS
from errors import EngineUnavailableError, SplazMatteError
from tests.weights_bench import models

__all__ = ["models"]
NEURAL = [spec for spec in ENGINES if spec not in BUILT_INS]
EACH_MODEL = [(spec, model) for spec in NEURAL for model in (spec.models or [""])]


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let no connection and no look-up of a name happen; a test that tries one fails."""
    tried: list[str] = []

    def refuse(*arguments: object, **_: object) -> None:
        tried.append(str(arguments[-1]))
        raise OSError("no network here")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield tried
    assert tried == []


def test_the_guard_notices(guard: list[str]) -> None:
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("127.0.0.1", 9))
    assert len(guard) == 1
    guard.clear()


@pytest.mark.parametrize(("spec", "model"), EACH_MODEL, ids=lambda value: getattr(value, "name", value))
def test_creating_an_engine_without_weights_is_an_error(
    guard: list[str], models: Path, spec: EngineSpec, model: str
) -> None:
    with pytest.raises(EngineUnavailableError, match=r"; run: \./start\.sh "):
        create(spec.job, spec.name, {"model": model} if model else {})
    assert not models.exists()


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "model"), EACH_MODEL, ids=lambda value: getattr(value, "name", value))
def test_the_engine_itself_does_not_fetch_either(guard: list[str], models: Path, spec: EngineSpec, model: str) -> None:
    """Past the registry's look at the disk, and through the engine's first use."""
    if missing_packages(spec):
        pytest.skip("neural engines are not installed: just setup")
    module, _, attribute = spec.target.partition(":")
    given = {"model": model, "device": "cpu"} if model else {"device": "cpu"}
    params = check_params(spec, {name: value for name, value in given.items() if name in {p.name for p in spec.params}})
    with pytest.raises(SplazMatteError):
        engine = getattr(importlib.import_module(module), attribute)(**params)
        engine.set_image(np.zeros((64, 64, 3), np.uint8))
    release()
    assert not models.exists()
