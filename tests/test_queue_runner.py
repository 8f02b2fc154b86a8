"""What is started when, and what becomes of each end: with executors that a test plays by hand, without a sleep."""

from __future__ import annotations

from pathlib import Path

import pytest

from queue_logic import (
    JobProgress,
    JobQueue,
    JobState,
    Needs,
    ProcessRecord,
)
from queue_logic.messages import Control, Crashed, Ended, Planned, Progressed
from tests.queue_stage import DONE, Stage, add


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


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
