"""The fault table, part two: the disk is full in each writer, and a power cut takes what was not synced.

Full disk: the job fails and says so; kept is every committed chunk, and deliverables that were made before. `retry`
goes on when there is space again. Power cut: kept is what the session's state counts on. In both cases the result is
that of a job that nothing happened to.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from queue_logic import JobState
from tests import faults
from tests.fault_bench import Bench, needs_linux

slow = pytest.mark.slow
ALPHA_AND_FOREGROUND = ("alpha", "foreground")


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
    ("stage", "frames", "formats"),
    [
        pytest.param("frames", 20, ALPHA_AND_FOREGROUND, marks=slow),
        pytest.param("propagate", 20, ALPHA_AND_FOREGROUND, marks=slow),
        pytest.param("matte", 20, ALPHA_AND_FOREGROUND, marks=slow),
        ("deliver", 5, ("alpha",)),
        pytest.param("frames", 64, ALPHA_AND_FOREGROUND, marks=slow),
        pytest.param("keyframes", 1, ALPHA_AND_FOREGROUND, marks=slow),
        *(pytest.param("deliver", 5, (name,), marks=slow) for name in ("foreground", "prores", "webm", "png", "exr")),
    ],
)
def test_full_disk(
    small_disk: Path, chunky_clip: Path, unharmed: dict[str, bytes], stage: str, frames: int, formats: tuple[str, ...]
) -> None:
    bench = Bench.make(small_disk, chunky_clip, formats)
    faults.plan(bench.workspace, "disk full", stage, frames)
    bench.run()
    job = bench.queue.get("1")
    assert job.state is JobState.FAILED and "the disk is full" in job.error and "\n" not in job.error
    (small_disk / "ballast").unlink()
    bench.queue.retry("1")
    bench.run()
    bench.assert_whole(unharmed)


@needs_linux
@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        pytest.param("*/frames/*.jpg", 55, marks=slow),
        pytest.param("*/propagated/*.png", 50, marks=slow),
        pytest.param("*/alpha/*.mkv", 2, marks=slow),
        ("*/state.json", 3),
        pytest.param("*/keyframes/*.png", 1, marks=slow),
        pytest.param("*/drafts/*.png", 10, marks=slow),
        pytest.param("*/state.json", 6, marks=slow),
        pytest.param("*/meta.json", 1, marks=slow),
        pytest.param("*/foreground.mp4", 1, marks=slow),
    ],
)  # fmt: skip
def test_power_cut(bench: Bench, unharmed: dict[str, bytes], pattern: str, count: int) -> None:
    """Killed between a write and its rename, and everything that was not synced till then is gone.

    Nothing that was lost is taken for whole.
    """
    files = [path.stat() for path in (bench.workspace / "sessions").rglob("*") if path.is_file()]
    faults.plan(bench.workspace, "power cut", pattern=pattern, count=count)
    bench.run(attempts=1)
    assert bench.queue.get("1").state is JobState.FAILED and "was killed" in bench.queue.get("1").error
    lost = faults.lose_what_was_not_synced(bench.workspace, {(stat.st_ino, stat.st_size) for stat in files})
    assert lost
    bench.queue.retry("1")
    bench.run()
    bench.assert_whole(unharmed)
