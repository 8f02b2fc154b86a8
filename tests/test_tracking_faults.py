"""The fault table for tracking jobs: what test_queue_faults.py and test_queue_disk.py do to matting jobs.

In the end each row has the very raw arrays and files of a job that nothing happened to, and a job that waits behind
the faulty one has run too.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from queue_logic import JobQueue, JobState
from tests import faults
from tests.fault_bench import needs_linux
from tests.track_bench import TrackBench

slow = pytest.mark.slow
DONE, FAILED = JobState.DONE, JobState.FAILED


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory, chunky_clip: Path) -> dict[str, bytes]:
    """Return what a job that nothing happens to makes."""
    bench = TrackBench.make(tmp_path_factory.mktemp("unharmed"), chunky_clip)
    bench.run()
    return bench.made()


@pytest.fixture
def bench(tmp_path: Path, chunky_clip: Path) -> TrackBench:
    return TrackBench.make(tmp_path / "workspace", chunky_clip)


@needs_linux
@pytest.mark.parametrize(
    ("fault", "stage", "frames", "ends", "says"),
    [
        pytest.param("SIGKILL", "frames", 40, DONE, "", marks=slow),
        ("SIGKILL", "track", 32, DONE, ""),
        pytest.param("SIGKILL", "track", 96, DONE, "", marks=slow),
        pytest.param("SIGKILL", "deliver", 50, DONE, "", marks=slow),
        pytest.param("SIGTERM", "track", 32, DONE, "", marks=slow),
        pytest.param("crash in native code", "track", 32, DONE, "", marks=slow),
        pytest.param("hang", "track", 32, DONE, "", marks=slow),
        pytest.param("hang", "deliver", 10, DONE, "", marks=slow),
        pytest.param("exception", "track", 96, FAILED, "unexpected RuntimeError: odd", marks=slow),
        pytest.param("out of memory", "track", 32, FAILED, "out of memory", marks=slow),
    ],
)
def test_fault(
    bench: TrackBench, unharmed: dict[str, bytes], fault: str, stage: str, frames: int, ends: JobState, says: str
) -> None:
    faults.plan(bench.workspace, fault, stage, frames)
    bench.run(hang_seconds=8 if fault == "hang" else 60)
    assert (bench.workspace / "fault.met").exists()
    job = bench.queue.get("1")
    assert job.state is ends and says in job.error
    assert job.attempts == (2 if ends is DONE else 1)
    if ends is FAILED:
        bench.queue.retry("1")
        bench.run()
    bench.assert_whole(unharmed)


@needs_linux
def test_session_deleted_under_a_running_job(bench: TrackBench) -> None:
    """Kept: the other jobs; nothing of the deleted session comes back."""
    faults.plan(bench.workspace, "session deleted", "track", 32)
    bench.run()
    job, other = bench.queue.jobs()
    assert job.state is FAILED and "was deleted while it was being run" in job.error and other.state is FAILED
    assert list((bench.workspace / "tracking_sessions").iterdir()) == []


@needs_linux
@slow
def test_cancel_takes_less_than_5_seconds_even_where_the_worker_does_not_listen(
    bench: TrackBench, unharmed: dict[str, bytes]
) -> None:
    """Kept: the pass that is whole; `retry` goes on."""
    faults.plan(bench.workspace, "hang", "track", 96)
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
    assert (bench.opened().folder / "raw_pass.npz").exists()
    bench.queue.retry("1")
    bench.run()
    bench.assert_whole(unharmed)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small tmpfs (root on Linux)")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=False)


@pytest.mark.parametrize(
    ("stage", "frames"),
    [
        pytest.param("frames", 20, marks=slow),
        pytest.param("track", 32, marks=slow),  # the first pass cannot be kept
        pytest.param("track", 128, marks=slow),  # the arrays cannot be written
        pytest.param("deliver", 5, marks=slow),  # the video
        pytest.param("deliver", 64, marks=slow),  # the exports
    ],
)
def test_full_disk(small_disk: Path, chunky_clip: Path, unharmed: dict[str, bytes], stage: str, frames: int) -> None:
    bench = TrackBench.make(small_disk, chunky_clip)
    faults.plan(bench.workspace, "disk full", stage, frames)
    bench.run()
    job = bench.queue.get("1")
    assert job.state is FAILED and "the disk is full" in job.error and "\n" not in job.error
    (small_disk / "ballast").unlink()
    bench.queue.retry("1")
    bench.run()
    bench.assert_whole(unharmed)


@needs_linux
@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        pytest.param("*/raw_pass.npz", 1, marks=slow),
        pytest.param("*/raw_visibility.1.npy", 1, marks=slow),
        pytest.param("*/raw_visibility.npy", 1, marks=slow),
        pytest.param("*/ae_export_002.txt", 1, marks=slow),
        pytest.param("*/frames/*.jpg", 55, marks=slow),
        pytest.param("*/raw_tracks.1.npy", 1, marks=slow),
        pytest.param("*/raw_tracks.npy", 1, marks=slow),
        pytest.param("*/state.json", 3, marks=slow),
        pytest.param("*/state.json", 4, marks=slow),
        pytest.param("*/tracking_*.mp4", 1, marks=slow),
        pytest.param("*/tracks_*.csv", 1, marks=slow),
    ],
)  # fmt: skip
def test_power_cut(bench: TrackBench, unharmed: dict[str, bytes], pattern: str, count: int) -> None:
    """Killed between a write and its rename, and everything that was not synced till then is gone."""
    files = [path.stat() for path in bench.workspace.rglob("*") if path.is_file()]
    faults.plan(bench.workspace, "power cut", pattern=pattern, count=count)
    bench.run(attempts=1)
    assert bench.queue.get("1").state is FAILED and "was killed" in bench.queue.get("1").error
    faults.lose_what_was_not_synced(bench.workspace, {(stat.st_ino, stat.st_size) for stat in files})
    bench.queue.retry("1")
    bench.run()
    bench.assert_whole(unharmed)
