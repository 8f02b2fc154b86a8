"""What SAM is said to take: more for more, and what a real network does take."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engines.sam import costs
from engines.spec import Load

ROOT = Path(__file__).parent.parent
SIZES = {"tiny": (854, 480), "edgetam": (1280, 720)}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("function", [costs.image_memory, costs.video_memory, costs.image_seconds, costs.video_seconds])
def test_more_takes_more(function: Callable[[Load], float], precision: str) -> None:
    given = {"precision": precision}
    sizes = [function(Load(640, 360, 9, params={"model": name, **given})) for name in costs.SINGLE]
    assert sizes == sorted(sizes)
    assert function(Load(3840, 2160, 9, params=given)) > function(Load(640, 360, 9, params=given))
    if function in {costs.video_memory, costs.video_seconds}:
        assert function(Load(640, 360, 9, objects=3, params=given)) > function(Load(640, 360, 9, params=given))


def test_auto_is_what_the_cpu_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for has, precision in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(costs, "cpu_has_bf16", lambda has=has: has)
        auto, said = (costs.video_seconds(Load(64, 36, 9, params={"precision": name})) for name in ("auto", precision))
        assert auto == said


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("model", list(SIZES))
def test_memory_of_a_click_is_what_is_said(model: str, precision: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="neural engines are not installed: just setup")
    width, height = SIZES[model]
    folder = tmp_path / model

    def run(*given: object) -> str:
        command = [sys.executable, "-m", "tests.sam_measure", *map(str, given)]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    run("make", model, folder)
    found = json.loads(run("image", folder, width, height, 1, precision).splitlines()[-1])
    said = costs.image_memory(Load(width, height, 1, params={"model": model, "precision": precision}))
    assert abs(found["bytes"] - said) < 0.15 * said, (found, said)
