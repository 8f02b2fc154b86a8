"""A job's own log: what gets into it, from a real worker too; how it is read while it grows; how little is kept."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from errors import JobNotFoundError
from log import line
from queue_logic import (
    Job,
    JobLog,
    JobLogs,
    JobQueue,
    JobState,
    Limits,
    LocalExecutor,
    Order,
    QueueRunner,
    job_log,
    log_path,
    worker,
)
from queue_logic.executor import Channel
from queue_logic.job_log import OUTPUT, parse
from tests import faults
from tests.clip_sessions import prompted_session
from tests.fault_bench import needs_linux
from tests.queue_stage import DONE, Stage

TIME = datetime(2026, 1, 1, tzinfo=UTC)


def job(job_id: str = "1", **more: object) -> Job:
    return Job.model_validate({"id": job_id, "kind": "matting", "session_id": "s1", "created": TIME, **more})


def events(path: Path) -> list[str]:
    return [entry.event for entry in JobLog(path).read(all_of_it=True)]


def test_a_real_job_says_what_it_does(tmp_path: Path, chunky_clip: Path) -> None:
    session = prompted_session(tmp_path / "sessions", chunky_clip, ("alpha",))
    queue = JobQueue(tmp_path)
    queue.add("matting", session.state.id)
    faults.plan(tmp_path, "SIGKILL", "propagate", 10)
    QueueRunner(queue, LocalExecutor(tmp_path, {"matting": faults.TARGET}), observers=[JobLogs(tmp_path)]).run(
        lambda: False
    )
    found = JobLog(log_path(tmp_path, "1")).read(all_of_it=True)
    said = [entry.event for entry in found]
    assert said[:2] == ["job starts", "worker starts"] and said[-2:] == ["worker done", "job done"]
    crashed = said.index("job crashed, it will be tried again")
    assert "killed" in found[crashed].values["error"] and said[crashed + 1] == "job goes on"
    stages = {entry.values["stage"]: entry.values for entry in found if entry.event == "stage ends"}
    assert stages["matte"]["frames"] == 64 and stages["matte"]["seconds"] > 0
    engines = {entry.values["engine"] for entry in found if entry.event == "engine"}
    assert engines >= {"flow", "guided"}
    needs = next(entry.values for entry in found if entry.event == "needs")
    assert needs["memory_bytes"] > 0 and found[-2].values["peak_bytes"] > 50e6
    for entry in found:
        assert entry.values["session_id"] == session.state.id and entry.values["job_id"] == "1", entry


def noisy(workspace: Path, order: Order, channel: Channel) -> dict[str, str]:
    """Print as libraries do, then fail as nobody expects; a handler."""
    print("a library speaks")
    os.write(2, b"10%\r50%\r100%\nand from C\n")
    for _ in range(int(str(order.parameters.get("lines", 0)))):
        print("x" * 1000)
    raise ZeroDivisionError("odd")


def run_noisy(workspace: Path, **parameters: int) -> list[job_log.Line]:
    queue = JobQueue(workspace)
    queue.add("noisy", "s", parameters)
    executor = LocalExecutor(workspace, {"noisy": "tests.test_job_log:noisy"})
    QueueRunner(queue, executor, limits=Limits(attempts=1), observers=[JobLogs(workspace)]).run(lambda: False)
    assert queue.get("1").state is JobState.FAILED
    return JobLog(log_path(workspace, "1")).read(all_of_it=True)


def test_what_libraries_print_and_what_nobody_expects(tmp_path: Path) -> None:
    found = run_noisy(tmp_path)
    assert [entry.event for entry in found if entry.level == OUTPUT] == ["a library speaks", "100%", "and from C"]
    unexpected = next(entry for entry in found if entry.event == "unexpected error")
    assert 'raise ZeroDivisionError("odd")' in unexpected.details and unexpected.level == "error"
    assert found[-1].event == "job failed" and "details in logs/job-1.log" in found[-1].values["error"]


def test_an_attempt_begins_with_a_log_that_is_not_long(tmp_path: Path) -> None:
    logs, path = JobLogs(tmp_path), log_path(tmp_path, "1")
    logs(job(), "started")
    with path.open("a") as file:
        file.writelines(line("info", "x" * 1000) + "\n" for _ in range(2000))
    logs(job(attempts=2), "resumed")
    assert path.stat().st_size < job_log.KEPT_BYTES + 1000
    said = events(path)
    assert said[0] == "earlier lines were left out" and said[-1] == "job goes on"
    logs(job(attempts=3), "resumed")
    assert said[:5] == events(path)[:5], "its first line still says whose it is"


def test_a_log_of_another_job_of_that_id_goes(tmp_path: Path) -> None:
    logs, path = JobLogs(tmp_path), log_path(tmp_path, "1")
    logs(job(), "started")
    logs(job(), "failed")
    logs(job(), "started")
    assert events(path) == ["job starts", "job failed", "job starts"], "of the same one it stays"
    logs(job(created=TIME + timedelta(days=1)), "started")
    assert events(path) == ["job starts"]


def test_few_logs_are_kept_and_little_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(20):
        (folder / f"job-{number}.log").write_bytes(b"x" * 100)
        os.utime(folder / f"job-{number}.log", (number, number))
    (folder / "app.log").write_bytes(b"x" * 10_000)
    monkeypatch.setattr(job_log, "FILES", 10)
    job_log.prune(folder, keep=[folder / "job-0.log"])
    assert sorted(int(path.stem[4:]) for path in folder.glob("job-*.log")) == [0, *range(10, 20)]
    monkeypatch.setattr(job_log, "ALL_BYTES", 350)
    job_log.prune(folder)
    assert sorted(int(path.stem[4:]) for path in folder.glob("job-*.log")) == [17, 18, 19]
    assert (folder / "app.log").exists()


def test_a_log_is_followed_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "job-1.log"
    follower = JobLog(path)
    assert follower.read() == []
    with path.open("a") as file:
        file.write(line("info", "one") + "\nhalf ")
        file.flush()
        assert [entry.event for entry in follower.read()] == ["one"]
        assert follower.read() == []
        file.write("a line\nthe last")
    assert [entry.event for entry in follower.read()] == ["half a line"]
    assert [entry.event for entry in follower.read(all_of_it=True)] == ["the last"]
    path.write_text(line("info", "anew") + "\n")
    assert [entry.event for entry in follower.read()] == ["anew"]


def test_of_a_huge_log_the_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_log, "READ_BYTES", 1000)
    path = tmp_path / "job-1.log"
    path.write_text("".join(f"line {number}\n" for number in range(1000)))
    follower = JobLog(path)
    found = follower.read()
    assert follower.cut and found[-1].event == "line 999" and found[0].event.startswith("line ") and len(found) < 120
    path.write_text("x" * 5000)
    assert sum(len(entry.event) for entry in JobLog(path).read()) <= 1000, "a line without end"


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '{"time": 1, "level": "info", "event": "x"}',
        '{"time": "", "level": "shout", "event": "x"}',
        '{"event": "x"}',
        "{",
        "{" * 9999,
        '{"a":' + "[" * 9999,
        "\x1b[31mred",
    ],
    ids=range(8),
)
def test_whatever_is_none_of_ours_is_output(text: str) -> None:
    assert parse(text).level == OUTPUT and "\x1b" not in parse(text).event


def test_secrets_that_libraries_print_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from config import get_settings

    monkeypatch.setenv("SPLAZMATTE_PASSWORD", "open sesame")
    get_settings.cache_clear()
    assert parse("with open sesame").event == "with ••••••"
    get_settings.cache_clear()


@pytest.mark.parametrize("job_id", ["", "../x", "1/2", "a" * 100, "1\n", "١x y", "*"])
def test_ids_are_no_paths(tmp_path: Path, job_id: str) -> None:
    with pytest.raises(JobNotFoundError):
        log_path(tmp_path, job_id)


def test_a_log_that_cannot_be_written_is_nobodys_error(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file in its place")
    stage = Stage(tmp_path, observers=[JobLogs(tmp_path)])
    stage.queue.add("matting", "s")
    stage.after(0)
    stage.says(DONE)
    assert stage.states() == ["done"]


@needs_linux
def test_output_without_end_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own, as it takes the process's own output away."""
    import subprocess
    import sys

    code = f"""
import os, sys, threading
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
from queue_logic import worker
worker.MOST_OUTPUT, worker._LOOK = 5000, 0.001
worker.prepare(sys.argv[1], "cpu", background=False)
while not os.path.samestat(os.fstat(1), os.stat(os.devnull)):
    os.write(1, b"x" * 99 + b"\\n")
    threading.Event().wait(0.0001)
import faulthandler
faulthandler._sigsegv()
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "job-1.log")], check=False, timeout=60)
    text = (tmp_path / "job-1.log").read_text()
    assert done.returncode < 0 and "too much output" in text and "Segmentation fault" in text
    assert worker.MOST_OUTPUT > 1_000_000
