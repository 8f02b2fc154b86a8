"""The fault table, part three: the process that runs the queue is killed, told to end, or is one of several.

Each test says what is kept; parts one and two are test_queue_faults.py and test_queue_disk.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from queue_logic import JobState
from tests import faults
from tests.fault_bench import Bench, needs_linux

ROOT = Path(__file__).resolve().parent.parent
slow = pytest.mark.slow

APP = """
import signal, sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from queue_logic import JobQueue, Limits, LocalExecutor, QueueLock, QueueRunner
workspace, stop = Path(sys.argv[2]), threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
with QueueLock(workspace, "test app"):
    executor = LocalExecutor(workspace, {"matting": "tests.faults:run"})
    QueueRunner(JobQueue(workspace), executor, limits=Limits(cancel_seconds=2)).run(stop.is_set)
"""


@pytest.fixture
def app(bench: Bench) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Return a function that starts a process which runs the queue, as an app would."""
    started = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", APP, ROOT, bench.workspace], cwd=bench.workspace))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def held_worker(bench: Bench, process: subprocess.Popen[bytes]) -> psutil.Process:
    """Wait until the job is held at its fault, and return its worker."""
    while not (bench.workspace / "fault.met").exists():
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.02)
    worker = bench.queue.get("1").worker
    assert worker is not None
    return psutil.Process(worker.pid)


@needs_linux
@pytest.mark.parametrize(
    ("stage", "frames"),
    [
        ("propagate", 50),
        pytest.param("frames", 50, marks=slow),
        pytest.param("matte", 55, marks=slow),
        pytest.param("deliver", 40, marks=slow),
    ],
)
def test_the_app_is_killed(
    bench: Bench, app: Callable[[], subprocess.Popen[bytes]], unharmed: dict[str, bytes], stage: str, frames: int
) -> None:
    """Kept: every committed chunk. The worker ends with the app; the next app goes on."""
    faults.plan(bench.workspace, "hold", stage, frames)
    first = app()
    worker = held_worker(bench, first)
    first.kill()
    first.wait()
    assert psutil.wait_procs([worker], timeout=5)[1] == []
    assert bench.queue.get("1").state is JobState.RUNNING
    assert app().wait() == 0
    bench.assert_whole(unharmed)


@needs_linux
@slow
def test_the_app_is_killed_and_its_worker_is_frozen(
    bench: Bench, app: Callable[[], subprocess.Popen[bytes]], unharmed: dict[str, bytes]
) -> None:
    """Kept: every committed chunk. The next app ends the worker that outlived the first, and no other process."""
    faults.plan(bench.workspace, "hold", "propagate", 50)
    first = app()
    worker = held_worker(bench, first)
    worker.suspend()
    first.kill()
    first.wait()
    assert psutil.wait_procs([worker], timeout=0.3)[1] == [worker], "a frozen process cannot end itself"
    assert app().wait() == 0
    assert psutil.wait_procs([worker], timeout=5)[1] == []
    bench.assert_whole(unharmed)


@needs_linux
@pytest.mark.parametrize("obedient", [True, pytest.param(False, marks=slow)])
def test_the_app_is_told_to_end(
    bench: Bench, app: Callable[[], subprocess.Popen[bytes]], unharmed: dict[str, bytes], obedient: bool
) -> None:
    """SIGTERM. Kept: every frame until then, or every committed chunk where the worker does not listen."""
    faults.plan(bench.workspace, "hold" if obedient else "hang", "propagate", 50)
    first = app()
    worker = held_worker(bench, first)
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=5) == 0
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
    assert [job.state.value for job in bench.queue.jobs()] == ["interrupted", "pending"]
    assert app().wait() == 0
    bench.assert_whole(unharmed)


RACE = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from errors import QueueBusyError
from queue_logic import QueueLock
lock = QueueLock(Path(sys.argv[2]), sys.argv[3])
for line in sys.stdin:
    try:
        lock.acquire()
        print("mine", flush=True)
        sys.stdin.readline()
        if line == "die":
            os.kill(os.getpid(), 9)
        lock.release()
    except QueueBusyError as error:
        print(error, flush=True)
        sys.stdin.readline()
    print("ready", flush=True)
"""


def test_two_owners_at_the_same_moment(tmp_path: Path) -> None:
    """Many rounds: always exactly one gets the queue, and the other one is told who has it."""
    names = ("web app", "run-queue", "third")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, ROOT, tmp_path, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in names
    ]

    def tell(word: str) -> list[str]:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(f"{word}\n")
            process.stdin.flush()
        answers = []
        for process in processes:
            assert process.stdout is not None
            answers.append(process.stdout.readline().strip())
        return answers

    winners = set()
    for _ in range(20):
        answers = tell("go")
        assert answers.count("mine") == 1, answers
        winner = answers.index("mine")
        winners.add(winner)
        for answer in answers:
            assert answer == "mine" or f"being run by {names[winner]}, process {processes[winner].pid} on" in answer
        assert tell("next") == ["ready"] * 3
    for process in processes:
        process.kill()
        process.communicate()


def test_a_dead_owners_queue_is_taken_over(tmp_path: Path) -> None:
    """Kept: the queue; who died is named, and a process that now has its number is not mistaken for it."""
    from queue_logic import QueueLock, current_owner

    with subprocess.Popen(
        [sys.executable, "-c", RACE, ROOT, tmp_path, "web app"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "mine\n"
        assert current_owner(tmp_path) is not None
        process.kill()
    assert current_owner(tmp_path) is None
    with QueueLock(tmp_path, "run-queue") as lock:
        assert lock.left_by is not None and lock.left_by.process.pid == process.pid
        now = current_owner(tmp_path)
        assert now is not None and (now.what, now.process.pid) == ("run-queue", os.getpid())
    assert current_owner(tmp_path) is None
