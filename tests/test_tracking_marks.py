"""What a tracking session's deliverables are made from, and which of them are out of date."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from session_base import Delivered
from tracking_export import TRACK_FORMATS
from tracking_export.motion.result import MotionKind
from tracking_runner.marks import VIDEO, delivery_marks, outdated
from tracking_session_store import MotionChoice, TrackingState, TrackPoint

NAMES = (VIDEO, *TRACK_FORMATS)


@pytest.fixture
def state() -> TrackingState:
    """Return a session with a thousand points that has delivered every format."""
    made = TrackingState(
        id="20260101-000000-abcdef", name="a", source="a.mp4", original_name="a.mp4", created=datetime.now(UTC)
    )
    made.points = [TrackPoint(id=i, name=f"p{i}", colour="#ff0000", keys={0: (i, 2), 50: (3, 4)}) for i in range(1000)]
    marks = delivery_marks(made, (0, 300), NAMES)
    made.delivered = {name: Delivered(path=name, mark=mark) for name, mark in marks.items()}
    return made


def test_all_but_the_video_follow_the_motions(state: TrackingState) -> None:
    assert outdated(state, 300) == []
    state.motions = [MotionChoice(id=1, name="pin", kind=MotionKind.SIMILARITY)]
    assert outdated(state, 300) == list(TRACK_FORMATS)


def test_what_an_older_solver_gave_is_out_of_date(state: TrackingState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking_runner.marks._SOLVER", 3)
    assert outdated(state, 300) == [], "without motions nothing came from it"
    state.motions = [MotionChoice(id=1, name="pin", kind=MotionKind.SIMILARITY)]
    marks = delivery_marks(state, (0, 300), NAMES)
    state.delivered = {name: Delivered(path=name, mark=mark) for name, mark in marks.items()}
    assert outdated(state, 300) == []
    monkeypatch.undo()
    assert outdated(state, 300) == list(TRACK_FORMATS)


def test_all_follow_points_and_range(state: TrackingState) -> None:
    state.points[7].name = "nose"
    assert outdated(state, 300) == list(NAMES)
    state.points[7].name = "p7"
    state.range = (5, 300)
    assert outdated(state, 300) == list(NAMES)
    state.range = (0, 300)
    assert outdated(state, 300) == []


def test_a_thousand_points_in_every_format_are_looked_at_quickly(state: TrackingState) -> None:
    """The page asks at each change; twenty milliseconds on an idle machine."""

    def seconds() -> float:
        begin = time.thread_time()
        outdated(state, 300)
        return time.thread_time() - begin

    assert min(seconds() for _ in range(3)) < 0.1
