"""The fault table, part one: what happens to a job's process. Each row is made to happen to a real one.

The rest of the table: test_queue_disk.py (full disk, power cut), test_queue_app.py (the app), test_queue.py (the file).
In the end each row has the very masks and alpha of a job that nothing happened to, and a job that waits behind the
faulty one has run too: nothing is lost, and nobody is blocked.
"""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

import pytest

from queue_logic import JobQueue, JobState
from tests import faults
from tests.fault_bench import Bench, needs_linux


class Row(NamedTuple):
    fault: str
    stage: str
    frames: float
    ends: JobState
    """The job's state after the first run of the queue; a failed one is retried by the test, as by its user."""
    says: str
    """Part of its error then."""
    kept: str
    slow: bool = False
    """Run in CI, but not by default."""


DONE, FAILED = JobState.DONE, JobState.FAILED
COMMITTED = "every committed chunk; the rest is made again, the second attempt starts by itself"
TABLE = [
    Row("SIGKILL", "frames", 40, DONE, "", COMMITTED, slow=True),
    Row("SIGKILL", "frames", 64, DONE, "", COMMITTED, slow=True),
    Row("SIGKILL", "keyframes", 1, DONE, "", COMMITTED, slow=True),
    Row("SIGKILL", "propagate", 20, DONE, "", COMMITTED),
    Row("SIGKILL", "propagate", 55, DONE, "", COMMITTED, slow=True),
    Row("SIGKILL", "matte", 55, DONE, "", COMMITTED, slow=True),
    Row("SIGKILL", "deliver", 50, DONE, "", "the alpha; deliverables appear whole or not at all", slow=True),
    Row("SIGTERM", "propagate", 50, DONE, "", "every frame until then", slow=True),
    Row("crash in native code", "matte", 30, DONE, "", COMMITTED, slow=True),
    Row("hang", "propagate", 30, DONE, "", COMMITTED, slow=True),
    Row("exception", "matte", 30, FAILED, "unexpected RuntimeError: odd (details in logs/job-1.log)", COMMITTED),
    Row("out of memory", "matte", 30, FAILED, "out of memory", COMMITTED, slow=True),
]


@needs_linux
@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=pytest.mark.slow) if row.slow else row for row in TABLE],
    ids=lambda row: f"{row.fault} in {row.stage} {row.frames}",
)
def test_fault(bench: Bench, unharmed: dict[str, bytes], row: Row) -> None:
    faults.plan(bench.workspace, row.fault, row.stage, row.frames)
    bench.run(hang_seconds=8 if row.fault == "hang" else 60)
    assert (bench.workspace / "fault.met").exists()
    job = bench.queue.get("1")
    assert job.state is row.ends and row.says in job.error
    assert job.attempts == (2 if row.ends is DONE else 1)
    if row.ends is FAILED:
        bench.queue.retry("1")
        bench.run()
    bench.assert_whole(unharmed)


@needs_linux
def test_session_deleted_under_a_running_job(bench: Bench) -> None:
    """Kept: the other jobs; nothing of the deleted session comes back."""
    faults.plan(bench.workspace, "session deleted", "propagate", 30)
    bench.run()
    job, other = bench.queue.jobs()
    assert job.state is FAILED and "was deleted while it was being run" in job.error and job.attempts == 1
    assert other.state is FAILED
    assert list((bench.workspace / "sessions").iterdir()) == []


@needs_linux
def test_cancel_takes_less_than_5_seconds_even_where_the_worker_does_not_listen(bench: Bench) -> None:
    """Kept: every committed chunk; `retry` goes on."""
    faults.plan(bench.workspace, "hang", "propagate", 50)
    thread = threading.Thread(target=bench.run)
    thread.start()
    while not (bench.workspace / "fault.met").exists():
        thread.join(0.02)
    begin = time.monotonic()
    JobQueue(bench.workspace).cancel("1")
    while bench.queue.get("1").state is JobState.RUNNING:
        thread.join(0.02)
    assert time.monotonic() - begin < 5 and bench.queue.get("1").state is JobState.CANCELLED
    thread.join()
    assert bench.queue.get("1").error == "" and bench.queue.get("2").state is FAILED


def test_the_table_names_each_fault_once() -> None:
    keys = [(row.fault, row.stage, row.frames) for row in TABLE]
    assert len(set(keys)) == len(keys) and all(row.kept for row in TABLE)
