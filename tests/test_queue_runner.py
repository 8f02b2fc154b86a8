"""What is started when, and what becomes of each end: with executors that a test plays by hand, without a sleep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from queue_logic import (
    Job,
    JobProgress,
    JobQueue,
    JobState,
    Limits,
    Needs,
    Observer,
    Order,
    ProcessRecord,
    QueueRunner,
)
from queue_logic.messages import Control, Crashed, Ended, Message, Planned, Progressed


@dataclass
class Played:
    """An execution whose messages the test says."""

    order: Order
    device: str
    worker: ProcessRecord | None = None
    said: list[Message] = field(default_factory=list)
    heard: list[Control] = field(default_factory=list)
    killed: bool = False

    def messages(self) -> list[Message]:
        said, self.said = self.said, []
        return said

    def send(self, control: Control) -> None:
        self.heard.append(control)
        if control is Control.CANCEL and self.obeys:
            self.said.append(Ended(how="cancelled"))

    obeys: bool = True

    def kill(self) -> None:
        self.killed = True
        self.said.append(Crashed(error="its process was killed"))


class Stage:
    """A queue, its runner, a clock that the test turns, and executions that it plays."""

    def __init__(
        self,
        workspace: Path,
        devices: tuple[str, ...] = ("cpu",),
        lanes: dict[str, str] | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.now = 0.0
        self.started: list[Played] = []
        self.queue = JobQueue(workspace, clock=lambda: self.now)
        limits = Limits(hang_seconds=60, cancel_seconds=3, attempts=2)
        self.runner = QueueRunner(self.queue, self, devices, limits, lambda: self.now, lanes, observers)

    def start(self, order: Order, device: str) -> Played:
        self.started.append(Played(order, device))
        return self.started[-1]

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.runner.step()

    def says(self, *messages: Message) -> None:
        self.started[-1].said.extend(messages)
        self.runner.step()

    def killed(self) -> list[bool]:
        return [played.killed for played in self.started]

    def states(self) -> list[str]:
        return [job.state.value for job in self.queue.jobs()]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def add(stage: Stage, count: int = 2) -> None:
    for number in range(count):
        stage.queue.add("matting", f"s{number}")


DONE = Ended(how="done", result={"frames": 3})


def test_one_job_at_a_time_in_order(stage: Stage) -> None:
    add(stage, 3)
    stage.after(0)
    assert stage.states() == ["running", "pending", "pending"]
    stage.queue.move_top("3")
    stage.says(DONE)
    assert stage.states() == ["running", "done", "pending"] and stage.started[-1].order.session_id == "s2"
    assert stage.queue.get("1").result == {"frames": 3}


def test_each_device_has_a_job_and_a_session_only_one(tmp_path: Path) -> None:
    stage = Stage(tmp_path, ("cuda:0", "cuda:1"))
    stage.queue.add("matting", "s0")
    stage.queue.add("matting", "s0", {"until": "matte"})
    stage.queue.add("matting", "s1")
    stage.after(0)
    assert stage.states() == ["running", "pending", "running"]
    assert [played.device for played in stage.started] == ["cuda:0", "cuda:1"]


def test_progress_and_needs_are_kept(stage: Stage) -> None:
    add(stage, 1)
    stage.after(0)
    needs = Needs(memory_bytes=1, disk_bytes=2, seconds=3)
    stage.says(Planned(needs=needs), Progressed(progress=JobProgress(stage="matte", fraction=0.5, seconds_left=9)))
    job = stage.queue.get("1")
    assert job.needs == needs and job.progress.stage == "matte" and job.progress.fraction == 0.5


def test_a_failure_fails_one_job_and_says_why(stage: Stage) -> None:
    add(stage)
    stage.after(0)
    stage.says(Ended(how="failed", error="there is no session 's0'"))
    assert stage.states() == ["failed", "running"]
    assert stage.queue.get("1").error == "there is no session 's0'" and stage.queue.get("1").attempts == 1


def test_a_crash_is_tried_again_and_then_fails_with_the_way_on(stage: Stage) -> None:
    add(stage)
    stage.after(0)
    stage.says(Crashed(error="its process crashed"))
    assert stage.states() == ["running", "pending"] and stage.queue.get("1").attempts == 2
    stage.says(Crashed(error="its process crashed"))
    assert stage.states() == ["failed", "running"]
    assert stage.queue.get("1").error == (
        "its process crashed, 2 times; what was committed is kept, to go on: run.py queue retry 1"
    )
    stage.queue.retry("1")
    stage.says(DONE)
    stage.says(DONE)
    assert stage.states() == ["done", "done"] and stage.queue.get("1").error == ""


def test_a_hang_is_ended_and_tried_again(stage: Stage) -> None:
    add(stage, 1)
    stage.after(0)
    stage.after(59)
    stage.says(Progressed(progress=JobProgress()))
    stage.after(59)
    assert stage.killed() == [False]
    stage.after(1)
    assert stage.killed() == [True, False] and stage.states() == ["running"] and len(stage.started) == 2
    stage.after(30)
    stage.after(30)
    assert stage.states() == ["failed"] and "no sign of life for 60 s" in stage.queue.get("1").error


def test_a_machine_that_slept_is_no_hang(stage: Stage) -> None:
    add(stage, 1)
    stage.after(0)
    stage.after(3600)
    stage.after(59)
    assert stage.killed() == [False] and stage.states() == ["running"]
    stage.after(1)
    assert stage.killed() == [True, False]


def test_a_job_that_crashes_while_it_is_cancelled_is_cancelled(stage: Stage) -> None:
    add(stage, 1)
    stage.after(0)
    stage.queue.cancel("1")
    stage.says(Crashed(error="its process crashed"))
    assert stage.states() == ["cancelled"] and len(stage.started) == 1


def test_cancel_asks_and_a_users_cancel_is_no_failure(stage: Stage) -> None:
    add(stage)
    stage.after(0)
    stage.queue.cancel("1")
    stage.after(0.1)
    stage.after(0.1)
    assert stage.started[0].heard == [Control.CANCEL] and not stage.started[0].killed
    assert stage.states() == ["cancelled", "running"] and stage.queue.get("1").error == ""


def test_cancel_is_by_force_where_asking_does_not_help(stage: Stage) -> None:
    add(stage, 1)
    stage.after(0)
    stage.started[0].obeys = False
    stage.queue.cancel("1")
    stage.after(0.1)
    stage.after(2.9)
    assert stage.states() == ["running"]
    stage.after(0.2)
    assert stage.states() == ["cancelled"] and stage.started[0].killed and stage.now < 5


def test_done_counts_even_when_a_cancel_came_too_late(stage: Stage) -> None:
    add(stage, 1)
    stage.after(0)
    stage.started[0].said.append(DONE)
    stage.queue.cancel("1")
    stage.after(0)
    assert stage.states() == ["done"]


def test_a_worker_that_was_told_to_stop_from_outside_goes_on(stage: Stage) -> None:
    add(stage, 1)
    stage.after(0)
    stage.says(Ended(how="cancelled"))
    assert stage.states() == ["running"] and len(stage.started) == 2


def test_a_stopped_queue_starts_nothing(stage: Stage) -> None:
    add(stage)
    stage.after(0)
    stage.queue.stop()
    stage.says(DONE)
    assert stage.states() == ["done", "pending"] and stage.runner.is_idle()
    stage.queue.start()
    stage.after(0)
    assert stage.states() == ["done", "running"]


def test_closing_interrupts_and_the_next_start_goes_on(stage: Stage) -> None:
    add(stage)
    stage.after(0)
    stage.runner.close()
    assert stage.states() == ["interrupted", "pending"] and stage.queue.get("1").attempts == 0
    stage.after(0)
    assert stage.started[-1].order.job_id == "1"


def test_closing_is_by_force_where_asking_does_not_help(stage: Stage) -> None:
    add(stage, 1)
    stage.after(0)
    stage.started[0].obeys = False
    stage.runner.close()
    assert stage.states() == ["interrupted"] and stage.started[0].killed and stage.now < 5


def test_what_an_owner_that_died_left_running_is_interrupted_and_goes_on(stage: Stage) -> None:
    add(stage, 3)
    gone = ProcessRecord(pid=2**22 + 1, host="elsewhere")
    stage.queue.update("1", state=JobState.RUNNING, attempts=1, worker=gone)
    stage.queue.update("2", state=JobState.RUNNING, attempts=1)
    stage.queue.cancel("2")
    stage.queue.update("3", state=JobState.RUNNING, attempts=3)
    stage.runner.recover()
    assert stage.states() == ["interrupted", "cancelled", "failed"]
    assert "ended 3 times while it ran" in stage.queue.get("3").error
    stage.after(0)
    assert stage.states()[0] == "running"


def test_what_a_user_waits_for_goes_first(stage: Stage) -> None:
    add(stage)
    stage.after(0)
    with stage.runner.first("cpu"):
        with stage.runner.first("cpu"):
            stage.after(1000)
        assert stage.started[0].heard == [Control.PAUSE] and not stage.started[0].killed
        stage.says(DONE)
        assert stage.states() == ["done", "pending"]
    stage.after(0)
    assert stage.states() == ["done", "running"]


def test_a_paused_job_goes_on_with_a_fresh_patience(stage: Stage) -> None:
    add(stage, 1)
    stage.after(0)
    with stage.runner.first("cpu"):
        stage.after(59)
    assert stage.started[0].heard == [Control.PAUSE, Control.RESUME]
    stage.after(59)
    assert not stage.started[0].killed


def test_a_clock_set_back_changes_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock is only shown; here every look at it is an hour earlier than the one before."""
    from datetime import UTC, datetime, timedelta

    times = (datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=hour) for hour in range(1000))
    for module in ("queue", "runner"):
        monkeypatch.setattr(f"queue_logic.{module}.now", lambda: next(times))
    add(stage, 3)
    stage.after(0)
    stage.after(10)
    stage.says(DONE)
    assert [played.order.session_id for played in stage.started] == ["s0", "s1"]
    job = stage.queue.get("1")
    assert job.ended is not None and job.started is not None and job.ended < job.started and job.seconds == 10
    stage.runner.close()
    assert stage.states() == ["done", "interrupted", "pending"]
    assert JobQueue(stage.queue.workspace).jobs() == stage.queue.jobs()


def test_a_job_edited_out_of_the_file_by_hand_is_stopped(stage: Stage) -> None:
    add(stage, 1)
    stage.after(0)
    (stage.queue.workspace / "queue.json").write_text('{"version": 1, "jobs": []}')
    stage.after(0)
    stage.after(0)
    assert stage.started[0].heard == [Control.CANCEL] and stage.queue.jobs() == [] and stage.runner.is_idle()


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
