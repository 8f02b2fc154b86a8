from __future__ import annotations

import pytest

from errors import Cancelled
from matting_runner.progress import Progress, Reporter, Stage


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_speed_fraction_and_time_left() -> None:
    clock, seen = Clock(), list[Progress]()
    reporter = Reporter(seen.append, clock=clock)
    reporter.expect({Stage.PROPAGATE: 10, Stage.MATTE: 10})
    reporter.begin(Stage.PROPAGATE, 10)
    for _ in range(10):
        clock.now += 1.5
        reporter.tick()
    assert seen[-1].fps == pytest.approx(1 / 1.5) and seen[-1].done == 10
    # A frame of propagation costs 15, one of matting 6: 150 of 210 is done, in 15 s.
    assert seen[-1].fraction == pytest.approx(150 / 210)
    assert seen[-1].seconds_left == pytest.approx(6.0)
    reporter.begin(Stage.MATTE, 10)
    for _ in range(10):
        clock.now += 0.6
        reporter.tick()
    assert seen[-1].fraction == 1.0 and seen[-1].seconds_left == pytest.approx(0.0)
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)


def test_halves_make_wholes() -> None:
    seen = list[Progress]()
    reporter = Reporter(seen.append)
    reporter.begin(Stage.PROPAGATE, 1)
    reporter.tick(0.5)
    reporter.tick(0.5)
    assert [p.done for p in seen] == [0.5, 1.0]


def test_stops_between_frames() -> None:
    reporter = Reporter(should_stop=lambda: reporter.frames.get(Stage.MATTE, 0) >= 3)
    reporter.begin(Stage.MATTE, 10)
    reporter.tick()
    reporter.tick()
    with pytest.raises(Cancelled):
        reporter.tick()
    assert reporter.frames[Stage.MATTE] == 3
