"""Kinds of job that need no device run beside those that do; observers are told of all."""

from __future__ import annotations

from pathlib import Path

from queue_logic import (
    Job,
    JobState,
)
from queue_logic.messages import Control, Crashed, Ended
from tests.queue_stage import DONE, Stage, add


def test_a_kind_with_a_lane_runs_beside_the_device_and_takes_none(tmp_path: Path) -> None:
    stage = Stage(tmp_path, lanes={"upload": "net"})
    for kind, session in (("upload", "s0"), ("upload", "s1"), ("matting", "s2"), ("matting", "s3")):
        stage.queue.add(kind, session)
    stage.after(0)
    assert [(played.order.session_id, played.device) for played in stage.started] == [("s0", "net"), ("s2", "cpu")]
    stage.started[0].said.append(DONE)
    stage.after(0)
    stage.after(0)
    assert [(played.order.session_id, played.device) for played in stage.started[2:]] == [("s1", "net")]
    with stage.runner.first("cpu"):
        assert stage.started[1].heard == [Control.PAUSE] and stage.started[2].heard == []


def test_a_session_that_waits_for_a_lane_can_be_worked_on_meanwhile(tmp_path: Path) -> None:
    stage = Stage(tmp_path, lanes={"upload": "net"})
    for kind, session in (("upload", "s0"), ("upload", "s1"), ("matting", "s1")):
        stage.queue.add(kind, session)
    stage.after(0)
    assert stage.states() == ["running", "pending", "running"]
    stage.started[0].said.append(DONE)
    stage.after(0)
    assert stage.states() == ["done", "pending", "running"], "one at a time on a session"
    stage.says(DONE)
    stage.after(0)
    assert stage.states() == ["done", "running", "done"]


def test_no_job_goes_before_what_waits_for_the_same_session(tmp_path: Path) -> None:
    stage = Stage(tmp_path, lanes={"upload": "net"})
    for kind, session in (("matting", "s0"), ("matting", "s1"), ("upload", "s1"), ("upload", "s2")):
        stage.queue.add(kind, session)
    stage.after(0)
    assert stage.states() == ["running", "pending", "pending", "running"]  # s1 is to be matted first
    stage.started[1].said.append(DONE)
    stage.after(0)
    assert stage.states() == ["running", "pending", "pending", "done"]
    stage.started[0].said.append(DONE)
    stage.after(0)
    stage.after(0)
    assert stage.states() == ["done", "running", "pending", "done"]
    stage.says(DONE)
    stage.after(0)
    assert stage.states() == ["done", "done", "running", "done"]


def test_observers_are_told_what_happens_to_jobs(tmp_path: Path) -> None:
    told: list[tuple[str, str, str]] = []

    def broken(job: Job, what: str) -> None:
        raise RuntimeError("an observer's own fault")

    stage = Stage(tmp_path, observers=[broken, lambda job, what: told.append((job.id, what, job.state.value))])
    add(stage, 3)
    stage.after(0)
    stage.says(Crashed(error="its process crashed"))
    stage.says(DONE)
    stage.says(Ended(how="failed", error="no"))
    stage.queue.cancel("3")
    stage.after(0)
    stage.after(0)
    assert told == [
        ("1", "started", "running"),
        ("1", "crashed", "pending"),
        ("1", "resumed", "running"),
        ("1", "done", "done"),
        ("2", "started", "running"),
        ("2", "failed", "failed"),
        ("3", "started", "running"),
        ("3", "cancelled", "cancelled"),
    ]


def test_observers_are_told_of_what_an_owner_that_died_has_left(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    stage = Stage(tmp_path, observers=[lambda job, what: told.append((job.id, what))])
    add(stage, 2)
    stage.queue.update("1", state=JobState.RUNNING, attempts=1)
    stage.queue.update("2", state=JobState.RUNNING, attempts=9)
    stage.runner.recover()
    assert told == [("1", "interrupted"), ("2", "failed")]
    stage.after(0)
    assert told[2:] == [("1", "resumed")]
