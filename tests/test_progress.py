from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.notice import alive
from errors import Cancelled
from matting_runner.progress import Progress, Reporter, Stage
from runner_base.watched import Watched


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_speed_fraction_and_time_left() -> None:
    clock, seen = Clock(), list[Progress]()
    reporter = Reporter(seen.append, clock=clock)
    reporter.expect({Stage.PROPAGATE: 15.0, Stage.MATTE: 6.0})
    reporter.begin(Stage.PROPAGATE, 10)
    for _ in range(10):
        clock.now += 1.5
        reporter.tick()
    assert seen[-1].fps == pytest.approx(1 / 1.5) and seen[-1].done == 10
    # 15 of 21 s are done, as expected.
    assert seen[-1].fraction == pytest.approx(15 / 21)
    assert seen[-1].seconds_left == pytest.approx(6.0)
    reporter.begin(Stage.MATTE, 10)
    for _ in range(10):
        clock.now += 0.6
        reporter.tick()
    assert seen[-1].fraction == 1.0 and seen[-1].seconds_left == pytest.approx(0.0)
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)


def test_time_left_begins_with_what_was_expected_and_follows_the_pace() -> None:
    clock, seen = Clock(), list[Progress]()
    reporter = Reporter(seen.append, clock=clock)
    reporter.expect({Stage.MATTE: 100.0, Stage.DELIVER: 50.0})
    reporter.begin(Stage.MATTE, 100)
    for _ in range(60):
        clock.now += 2.0
        reporter.tick()
    first, last = seen[0].seconds_left, seen[-1].seconds_left
    assert first is not None and first == pytest.approx(149, rel=0.25)
    assert last is not None and last == pytest.approx(2 * (40 + 50), rel=0.05), "everything takes twice as long"


def test_a_stage_that_nobody_expected_still_counts() -> None:
    seen = list[Progress]()
    reporter = Reporter(seen.append, clock=Clock())
    reporter.expect({Stage.DELIVER: 1.0})
    reporter.begin(Stage.MATTE, 2)
    reporter.tick()
    assert 0 < seen[0].fraction < 1


def test_a_pause_is_nobodys_time() -> None:
    clock = Clock()

    def wait() -> bool:
        clock.now += 100
        return False

    reporter = Reporter(should_stop=wait, clock=clock)
    reporter.begin(Stage.MATTE, 3)
    for _ in range(3):
        clock.now += 1
        reporter.tick()
    reporter.end()
    assert reporter.seconds[Stage.MATTE] == pytest.approx(3)


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


class Pictures:
    size = (4, 2)

    def __len__(self) -> int:
        return 9

    def read(self, index: int) -> NDArray[np.uint8]:
        return np.full((2, 4, 3), index, np.uint8)


def test_each_reading_is_a_sign_of_life_and_a_place_to_stop() -> None:
    """An engine may read for long before it yields: a run back from a keyframe, or the way to where a job was cut."""
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) > 3

    source = Watched(Pictures(), Reporter(should_stop=should_stop))
    assert len(source) == 9 and source.size == (4, 2)
    assert [int(source.read(index)[0, 0, 0]) for index in (0, 5, 8)] == [0, 5, 8] and len(asked) == 3
    with pytest.raises(Cancelled):
        source.read(1)


def test_an_engine_may_tell_that_it_lives_and_be_stopped_by_that() -> None:
    asked: list[None] = []

    def stop() -> bool:
        asked.append(None)
        return len(asked) > 1

    with Reporter(should_stop=stop).listening():
        alive()
        with pytest.raises(Cancelled):
            alive()
    alive()
    assert len(asked) == 2, "nobody listens any more"


def test_a_note_is_told_once() -> None:
    reporter = Reporter()
    for text in ("a", "b", "a"):
        reporter.note(text)
    assert reporter.notices == ["a", "b"]
