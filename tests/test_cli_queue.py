"""Commands `queue …` and `run-queue`: what they print, what they do, and what they say when something is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from queue_logic import JobQueue, JobState, QueueLock
from tests.clip_sessions import prompted_session
from tests.conftest import Answer, assert_error, write_clip

ROOT = Path(__file__).resolve().parent.parent
Cli = Callable[..., Answer]


@pytest.fixture
def sessions(workspace: Path, tmp_path: Path) -> list[str]:
    """Return the ids of three sessions of a clip of a few frames."""
    clip = write_clip(tmp_path / "short.mp4", 6)
    found = []
    for _ in range(3):
        session = prompted_session(workspace / "sessions", clip, ("alpha",), keyframe=4)
        found.append(session.state.id)
    return found


def states(answer: Answer) -> list[tuple[str, str]]:
    return [(job["id"], job["state"]) for job in answer.json["jobs"]]


def test_add_move_remove_and_clear(cli: Cli, sessions: list[str]) -> None:
    assert states(cli("queue", "add", *sessions, "--json")) == [("1", "pending"), ("2", "pending"), ("3", "pending")]
    assert states(cli("queue", "add", sessions[0], "--json")) == [("1", "pending")]
    assert [i for i, _ in states(cli("queue", "move", "3", "top", "--json"))] == ["3", "1", "2"]
    assert [i for i, _ in states(cli("queue", "move", "3", "bottom", "--json"))] == ["1", "2", "3"]
    assert [i for i, _ in states(cli("queue", "move", "2", "1", "--json"))] == ["2", "1", "3"]
    assert states(cli("queue", "cancel", "1", "--json")) == [("1", "cancelled")]
    assert states(cli("queue", "retry", "1", "--json")) == [("1", "pending")]
    assert states(cli("queue", "cancel", "1", "2", "--json")) == [("1", "cancelled"), ("2", "cancelled")]
    assert states(cli("queue", "reset", "2", "--json")) == [("2", "pending")]
    assert states(cli("queue", "clear", "--json")) == [("1", "cancelled")]
    assert states(cli("queue", "remove", "3", "--json")) == [("3", "pending")]
    assert states(cli("queue", "list", "--json")) == [("2", "pending")]
    assert states(cli("queue", "clear", "--all", "--json")) == [("2", "pending")]
    assert cli("queue", "list").out.startswith("no jobs\nnot being run")


def test_run_queue_runs_all_and_says_how_each_ended(cli: Cli, sessions: list[str], workspace: Path) -> None:
    cli("queue", "add", sessions[0], "--until", "matte")
    cli("queue", "add", *sessions[1:])
    (workspace / "sessions" / sessions[1] / "masks" / "1" / "keyframes" / "000004.png").unlink()
    JobQueue(workspace).add("matting", "20000101-000000-aaaaaa")
    cli("queue", "move", "4", "top")
    answer = cli("run-queue", "--json")
    assert answer.code == 1 and answer.out.count("\n") == 1
    missing, *jobs = answer.json["jobs"]
    assert missing["state"] == "failed" and "there is no session '20000101-000000-aaaaaa'" in missing["error"]
    assert [job["state"] for job in jobs] == ["done", "failed", "done"]
    assert "give that keyframe again" in jobs[1]["error"] and jobs[0]["result"]["outputs"] == {}
    assert Path(jobs[2]["result"]["outputs"]["alpha"]).is_file() and jobs[2]["result"]["peak_bytes"] > 50e6
    assert jobs[2]["needs"]["memory_bytes"] > 50e6
    assert [line.split()[:3] for line in answer.err.splitlines()] == [
        ["job", "4", "failed"],
        ["job", "1", "done"], ["job", "2", "failed"], ["job", "3", "done"]
    ]  # fmt: skip
    listed = cli("queue", "list").out
    assert "give that keyframe again" in listed and "not being run" in listed
    assert [job for job, _ in states(cli("queue", "retry", "--failed", "--json"))] == ["4", "2"]
    cli("queue", "clear", "--all")
    nothing = cli("run-queue")
    assert nothing.code == 0 and nothing.out == "no jobs; run.py queue add ID\n"


def test_matte_into_the_queue(cli: Cli, workspace: Path, small_clip: Path) -> None:
    answer = cli("matte", small_clip, "--points", "0:+30,32", "--range", "0:3", "--queue", "--json")
    job = answer.json["jobs"][0]
    assert (job["state"], job["kind"], job["name"]) == ("pending", "matting", "small clip.mp4")
    assert job["needs"]["memory_bytes"] > 50e6 and job["needs"]["seconds"] > 0
    assert "about" in cli("queue", "list").out and "of work" in cli("queue", "list").out
    assert not (workspace / "sessions" / job["session_id"] / "frames").exists()
    assert cli("run-queue", "--json").json["jobs"][0]["result"]["frames"] == 3


def test_run_queue_is_refused_while_another_process_runs_it(cli: Cli, workspace: Path) -> None:
    with QueueLock(workspace, "web app"):
        assert_error(cli("run-queue"), 4, "run by web app", f"process {os.getpid()}", "queue add ID")
        assert "run by web app" in cli("queue", "list").out
        assert cli("queue", "list", "--json").json["owner"]["what"] == "web app"


def test_a_job_that_was_left_running_is_not_taken_over_by_looking(
    cli: Cli, sessions: list[str], workspace: Path
) -> None:
    cli("queue", "add", sessions[0])
    JobQueue(workspace).update("1", state=JobState.RUNNING)
    assert states(cli("queue", "list", "--json")) == [("1", "running")]
    assert_error(cli("queue", "remove", "1"), 4, "running", "queue cancel 1")
    assert cli("queue", "cancel", "1").out.startswith("job 1  stopping")
    assert cli("run-queue", "--json").json["jobs"][0]["state"] == "cancelled"


def test_stop_and_start(cli: Cli, sessions: list[str]) -> None:
    cli("queue", "add", sessions[0])
    assert cli("queue", "stop", "--json").json == {"stopped": True}
    assert "queue start" in cli("queue", "list").out and cli("queue", "list", "--json").json["stopped"] is True
    assert cli("queue", "start", "--json").json == {"stopped": False}
    cli("queue", "stop")
    assert cli("run-queue", "--json").json["jobs"][0]["state"] == "done"


def test_what_cannot_fit_is_refused_before_it_waits(
    cli: Cli, sessions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner_base.room.disk_free", lambda _: 0)
    assert_error(cli("queue", "add", sessions[0]), 7, "of disk", "session clean", "--force")
    assert cli("queue", "list", "--json").json["jobs"] == []
    assert cli("queue", "add", sessions[0], "--force", "--json").json["jobs"][0]["parameters"] == {"force": True}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["queue", "add", "no-such-session"], 4, ["no session", "list"]),
        (["queue", "add", "../../etc"], 4, ["not a session id"]),
        (["queue", "add"], 2, ["SESSION..."]),
        (["queue", "add", "ONE", "--until", "lunch"], 3, ["--until", "propagate"]),
        (["queue", "remove", "7"], 4, ["no job '7'", "queue list"]),
        (["queue", "move", "1", "7"], 4, ["no job"]),
        (["queue", "move", "7", "sideways"], 4, ["no job"]),
        (["queue", "cancel", "x" * 1000], 4, ["no job"]),
        (["queue", "retry"], 3, ["--failed"]),
        (["queue", "jump"], 2, ["jump"]),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_errors_are_one_line(cli: Cli, sessions: list[str], arguments: list[str], code: int, words: list[str]) -> None:
    assert_error(cli(*[sessions[0] if word == "ONE" else word for word in arguments]), code, *words)
    assert cli("queue", "list", "--json").json["jobs"] == []


def test_odd_queue_files_are_said(cli: Cli, sessions: list[str], workspace: Path) -> None:
    cli("queue", "add", sessions[0])
    (workspace / "queue.json").write_text("{")
    answer = cli("queue", "list", "--json")
    assert states(answer) == [("1", "pending")] and answer.err.startswith("warning: ") and "kept as" in answer.err
    (workspace / "queue.json").write_text('{"version": 9}')
    for command in (["queue", "list"], ["queue", "add", sessions[0]], ["run-queue"]):
        assert_error(cli(*command), 4, "newer SplazMatte")


def start_app(workspace: Path, *flags: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "SPLAZMATTE_WORKSPACE": str(workspace)}
    return subprocess.Popen(
        [sys.executable, "run.py", "run-queue", *flags],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for(condition: Callable[[], Any], process: subprocess.Popen[str]) -> None:
    while not condition():
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.02)


def test_jobs_are_added_and_cancelled_while_another_process_waits_for_them(
    cli: Cli, sessions: list[str], workspace: Path
) -> None:
    process = start_app(workspace, "--wait", "--json")
    queue = JobQueue(workspace)
    wait_for(lambda: cli("queue", "list", "--json").json["owner"], process)
    cli("queue", "add", sessions[0])
    wait_for(lambda: queue.get("1").state is JobState.DONE, process)
    cli("queue", "add", *sessions[1:])
    cli("queue", "cancel", "3")
    wait_for(lambda: queue.get("2").state is JobState.DONE, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 130, err
    assert json.loads(out)["error"]["type"] == "Cancelled" and "goes on from there" in err
    assert [job.state.value for job in queue.jobs()] == ["done", "done", "cancelled"]


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_a_signal_interrupts_and_the_next_run_goes_on(
    cli: Cli, small_clip: Path, workspace: Path, number: signal.Signals
) -> None:
    session = prompted_session(workspace / "sessions", small_clip)
    cli("queue", "add", session.state.id)
    process = start_app(workspace)
    wait_for(lambda: list(session.folder.glob("masks/1/propagated/*.png")), process)
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130 and "goes on from there" in err
    assert states(cli("queue", "list", "--json")) == [("1", "interrupted")]
    answer = cli("run-queue", "--json")
    assert answer.code == 0 and states(answer) == [("1", "done")]
