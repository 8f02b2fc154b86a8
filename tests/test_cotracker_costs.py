"""What the table of engines says of CoTracker3, against what was measured; see tests/cotracker_measure.py."""

from __future__ import annotations

import pytest

from engines.cotracker import costs
from engines.spec import Load

MEASURED = [
    ("online", 854, 480, 16, 32, 1325, 0.703),
    ("online", 1280, 720, 100, 32, 1347, 1.019),
    ("online", 1920, 1080, 400, 32, 1980, 2.279),
    ("online", 3840, 2160, 16, 24, 1406, 0.715),
    ("offline", 854, 480, 16, 60, 2085, 0.586),
    ("offline", 1280, 720, 100, 60, 2653, 0.814),
    ("offline", 1920, 1080, 400, 60, 4110, 1.712),
    ("offline", 854, 480, 100, 100, 2814, 0.848),
]
"""Model, width, height, points, frames, megabytes, seconds a frame: two cores, fp32."""


@pytest.mark.parametrize(("model", "width", "height", "points", "frames", "megabytes", "seconds"), MEASURED)
def test_costs_are_near_what_was_measured(
    model: str, width: int, height: int, points: int, frames: int, megabytes: int, seconds: float
) -> None:
    load = Load(width, height, frames, points, {"model": model})
    assert costs.memory(load) / 1e6 == pytest.approx(megabytes, rel=0.12)
    size, overlap = (16, 8) if model == "online" else (60, 20)
    windows = max(1, -(-(frames - overlap) // (size - overlap))) * size / frames  # a short clip has fewer a frame
    shorter = costs.WINDOWS[model] - min(windows, costs.WINDOWS[model])
    said = costs.seconds(load) - shorter * costs.REFINING * (points + 36 + 64)
    assert said == pytest.approx(seconds, rel=0.15)


def test_more_takes_more_and_the_lighter_model_less() -> None:
    for model in costs.WINDOWS:
        loads = [Load(1280, 720, 99, count, {"model": model}) for count in (1, 300, 1024, 5000)]
        memory, seconds = [costs.memory(load) for load in loads], [costs.seconds(load) for load in loads]
        assert memory == sorted(memory) and seconds == sorted(seconds) and seconds[0] < seconds[1]
    heavy = Load(1280, 720, 99, 256, {"model": "offline"})
    assert costs.memory(Load(1280, 720, 99, 256, {"model": "online"})) < costs.memory(heavy)
    assert costs.memory(Load(1280, 720, 99, 256, {"model": "offline", "grid": 0})) < costs.memory(heavy)
