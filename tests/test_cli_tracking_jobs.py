"""Tracking sessions in the commands for all sessions and all jobs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app_logic.services import HANDLERS
from app_logic.work import Work
from cli.queue import STAGES
from matting_runner import Stage
from queue_logic import JobQueue
from session_store import SessionStore
from tests.conftest import Answer, assert_error, write_clip
from tracking_runner import STAGES as TRACKING_STAGES
from tracking_runner import create_session
from tracking_session_store import TrackingSession, TrackingSessionStore

Cli = Callable[..., Answer]


@pytest.fixture
def session(workspace: Path, tmp_path: Path) -> TrackingSession:
    """Return a tracking session of a clip of a few frames with two points."""
    made = create_session(TrackingSessionStore(workspace / "tracking_sessions"), write_clip(tmp_path / "short.mp4", 6))
    for x in (30, 40):
        made.add_point(0, x, 30)
    made.state.formats = ["csv"]
    made.save()
    return made


def test_the_queue_knows_both_kinds_of_job() -> None:
    assert set(HANDLERS) == {*STAGES, "upload"} and {"matting": tuple(Stage), "tracking": TRACKING_STAGES} == STAGES


def test_a_tracking_session_is_queued_and_run(cli: Cli, session: TrackingSession, workspace: Path) -> None:
    job = cli("queue", "add", session.state.id, "--json").json["jobs"][0]
    assert (job["kind"], job["name"]) == ("tracking", "short.mp4")
    work = Work(
        JobQueue(workspace),
        SessionStore(workspace / "sessions"),
        lambda _: None,
        {"tracking": TrackingSessionStore(session.folder.parent)},
    )
    assert [row["name"] for row in work.listing()] == ["short"]
    answer = cli("run-queue", "--json")
    assert answer.code == 0 and answer.json["jobs"][0]["state"] == "done"
    assert Path(answer.json["jobs"][0]["result"]["outputs"]["csv"]).is_file()


def test_a_stage_of_the_other_kind_is_refused(cli: Cli, session: TrackingSession, workspace: Path) -> None:
    assert_error(cli("queue", "add", session.state.id, "--until", "matte"), 3, "frames, track, deliver")
    assert JobQueue(workspace).jobs() == []
    JobQueue(workspace).add("tracking", session.state.id, {"speed": 3})
    answer = cli("run-queue", "--json")
    assert answer.code == 1 and "a tracking job has no parameter 'speed'" in answer.json["jobs"][0]["error"]


def test_it_is_listed_cleaned_and_deleted(cli: Cli, session: TrackingSession) -> None:
    row = cli("list", "--json").json["sessions"][0]
    assert (row["kind"], row["points"], row["state"], row["progress"]) == ("tracking", 2, "new", 0)
    cli("queue", "add", session.state.id)
    cli("run-queue")
    row = cli("list", "--json").json["sessions"][0]
    assert row["progress"] == 1 and row["formats"] == ["csv"] and row["usage"]["tracks"] > 0 < row["usage"]["frames"]
    assert session.state.id in cli("list").out
    cleaned = cli("session", "clean", "--deep", "--yes", "--json").json
    assert set(cleaned["sessions"][0]["parts"]) == {"frames", "tracks"}
    assert not session.frames_dir.exists() and not session.raw_path("tracks").exists()
    result = next(session.results_dir.glob("*.csv"))
    cli("queue", "add", session.state.id)
    assert "which needs it all" in cli("session", "clean", "--yes", "--json").json["skipped"][0]["reason"]
    gone = cli("session", "delete", session.state.id, "--yes", "--json").json
    assert gone["jobs_removed"] == ["1", "2"] and not session.folder.exists() and result.exists()


def test_what_is_for_matting_says_so(cli: Cli, session: TrackingSession) -> None:
    assert_error(cli("export", session.state.id), 3, "is a tracking session")
    assert_error(cli("export", "20000101-000000-aaaaaa"), 4, "there is no session")
