"""What a tracking session takes from a matting session."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errors import PromptError, SessionNotFoundError
from matting_runner import set_keyframe
from pipeline.masks import MaskFolder
from session_store import Keyframe, MattingSession, SessionStore
from tests.clip_sessions import prompted_session
from tests.conftest import disc, write_clip
from tracking_runner import run_tracking
from tracking_runner.carry import carry_over
from tracking_runner.from_matting import session_of
from tracking_session_store import TrackingSession, TrackingSessionStore


@pytest.fixture
def matting(tmp_path: Path) -> MattingSession:
    """Return a session with clicks on frame 0 and a mask on frame 4."""
    return prompted_session(tmp_path / "sessions", write_clip(tmp_path / "short.mp4", 8), keyframe=4)


@pytest.fixture
def tracking(matting: MattingSession, tmp_path: Path) -> TrackingSession:
    return session_of(TrackingSessionStore(tmp_path / "tracking_sessions"), matting, 6)


def frames(session: TrackingSession) -> list[int]:
    return [frame for point in session.state.points for frame in point.keys]


def test_clicks_and_the_first_mask_become_points_once(tracking: TrackingSession) -> None:
    carry_over(tracking)
    assert frames(tracking) == [0, *[4] * 6]
    assert all(disc(4)[round(y), round(x)] for point in tracking.state.points[1:] for x, y in [point.keys[4]])
    carry_over(tracking)
    assert len(tracking.state.points) == 7
    assert TrackingSessionStore(tracking.folder.parent).open(tracking.state.id).state.carry is None


def test_only_what_lies_in_the_range(matting: MattingSession, tmp_path: Path) -> None:
    matting.state.range = (3, 8)
    matting.save()
    session = session_of(TrackingSessionStore(tmp_path / "tracking_sessions"), matting, 6)
    carry_over(session)
    assert session.state.range == (3, 8) and frames(session) == [4] * 6


def test_masks_of_a_run_count_where_there_is_no_keyframe(matting: MattingSession, tracking: TrackingSession) -> None:
    item = matting.state.objects[0]
    item.prompts, item.keyframes = {}, {}
    MaskFolder(matting.masks_dir(item.id, "propagated")).write(5, disc(5))
    matting.save()
    carry_over(tracking)
    assert frames(tracking) == [5] * 6


def test_an_empty_mask_is_passed_over(matting: MattingSession, tracking: TrackingSession) -> None:
    item = matting.state.objects[0]
    set_keyframe(matting, item, 2, np.zeros_like(disc(0)), Keyframe(origin="mask", digest=""))
    matting.save()
    carry_over(tracking)
    assert frames(tracking)[1:] == [4] * 6


def test_a_run_takes_them_first(tracking: TrackingSession) -> None:
    tracking.state.formats = ["csv"]
    run_tracking(tracking)
    assert tracking.state.columns == list(range(1, 8)) and tracking.state.carry is None


def test_nothing_to_take_and_nowhere_to_take_it_from(
    matting: MattingSession, tracking: TrackingSession, tmp_path: Path
) -> None:
    matting.state.objects = []
    matting.save()
    with pytest.raises(PromptError, match="no clicks or masks"):
        run_tracking(tracking)
    SessionStore(tmp_path / "sessions").delete(matting.state.id)
    with pytest.raises(SessionNotFoundError):
        run_tracking(tracking)
