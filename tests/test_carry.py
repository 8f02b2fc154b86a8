"""From a matting session to a tracking session, as the app does it: now, or behind the job that makes the masks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app_logic.carry import track_through
from app_logic.services import Services
from errors import PromptError, SessionNotFoundError
from matting_runner import create_session, run_matting, set_keyframe
from session_store import FramePrompts, Keyframe, MattingSession, PointPrompt
from tests.conftest import disc, write_clip
from tracking_runner import run_tracking
from tracking_session_store import TrackingSession

FRAMES = 8


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    made = Services(tmp_path / "workspace")
    yield made
    made.close()


@pytest.fixture
def matting(services: Services, tmp_path: Path) -> MattingSession:
    return create_session(services.matting.store, write_clip(tmp_path / "clip.mp4", FRAMES, audio=False))


def give_mask(session: MattingSession) -> None:
    item = session.add_object("ball")
    item.prompts[0] = FramePrompts(points=[PointPrompt(x=30, y=32), PointPrompt(x=80, y=5, positive=False)])
    set_keyframe(session, item, 0, disc(0), Keyframe(origin="prompts", digest=""))
    session.save()


def jobs(services: Services, session_id: str) -> list[str]:
    return [str(job.parameters["until"]) for job in services.queue.jobs() if job.session_id == session_id]


def test_clicks_and_masks_become_points_of_a_group(services: Services, matting: MattingSession) -> None:
    give_mask(matting)
    made = track_through(services, matting.state.id, 10, start=False)
    points = TrackingSession.load(made.folder).state.points
    assert points[0].keys == {0: (30, 32)} and len(points) == 11, "the negative click is none"
    assert {point.group for point in points} == {"ball"}
    inside = disc(0) > 127
    assert all(inside[round(y), round(x)] for point in points for x, y in point.keys.values())
    assert jobs(services, made.state.id) == ["frames"]
    run_tracking(TrackingSession.load(made.folder), until="track")


def test_points_may_wait_for_the_masks(services: Services, matting: MattingSession) -> None:
    services.queue.add("matting", matting.state.id, {"until": "propagate"})
    made = track_through(services, matting.state.id, 5, start=False)
    assert not made.state.points and jobs(services, made.state.id) == ["track"], "frames are part of it"
    give_mask(matting)
    run_matting(matting)
    run_tracking(TrackingSession.load(made.folder), until="track")
    assert len(TrackingSession.load(made.folder).state.points) == 6


def test_what_gives_no_points_makes_no_session(services: Services, matting: MattingSession) -> None:
    with pytest.raises(PromptError, match="click on an object first"):
        track_through(services, matting.state.id, 10, start=True)
    give_mask(matting)
    with pytest.raises(PromptError, match="1 to 5000"):
        track_through(services, matting.state.id, 0, start=True)
    with pytest.raises(SessionNotFoundError):
        track_through(services, "20260101-000000-nobody", 10, start=True)
    assert list(services.tracking.store.ids()) == []
