"""The fault table: each row is a fault that is made to happen, how the job ends, and what is kept.

Every row with a worker runs a real one. `then` says what the user has to do: nothing (the queue goes on by itself), or
retry. In the end each row has the very masks and alpha of a job that nothing happened to, and a job that waits behind
the faulty one has run too: nothing is lost, and nobody is blocked.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from pipeline.probe import scan
from queue_logic import JobQueue, JobState, Limits, LocalExecutor, QueueRunner
from session_store import MattingSession, SessionStore
from tests import faults
from tests.clip_sessions import pixels, prompted_session
from tests.conftest import write_clip

ROOT = Path(__file__).resolve().parent.parent
FRAMES = 64
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the fault is made with Linux's means")


class Row(NamedTuple):
    fault: str
    stage: str
    frames: float
    ends: JobState
    """The job's state after the first run of the queue."""
    says: str
    """Part of its error then."""
    kept: str


DONE, FAILED = JobState.DONE, JobState.FAILED
COMMITTED = "every committed chunk; the rest is made again, the second attempt starts by itself"
TABLE = [
    Row("SIGKILL", "frames", 40, DONE, "", COMMITTED),
    Row("SIGKILL", "frames", FRAMES, DONE, "", COMMITTED),
    Row("SIGKILL", "keyframes", 1, DONE, "", COMMITTED),
    Row("SIGKILL", "propagate", 20, DONE, "", COMMITTED),
    Row("SIGKILL", "propagate", 55, DONE, "", COMMITTED),
    Row("SIGKILL", "matte", 55, DONE, "", COMMITTED),
    Row("SIGKILL", "deliver", 50, DONE, "", "the alpha; deliverables appear whole or not at all"),
    Row("SIGTERM", "propagate", 50, DONE, "", "every frame until then"),
    Row("crash in native code", "matte", 30, DONE, "", COMMITTED),
    Row("hang", "propagate", 30, DONE, "", COMMITTED),
    Row("exception", "matte", 30, FAILED, "unexpected RuntimeError: odd (details in logs/job-1.log)", "until retried"),
    Row("out of memory", "matte", 30, FAILED, "out of memory", "every committed chunk, until retried"),
    Row("disk full", "frames", 20, FAILED, "the disk is full", "every committed chunk, until retried"),
    Row("disk full", "frames", FRAMES, FAILED, "the disk is full", "every committed chunk, until retried"),
    Row("disk full", "keyframes", 1, FAILED, "the disk is full", "every committed chunk, until retried"),
    Row("disk full", "propagate", 20, FAILED, "the disk is full", "every committed chunk, until retried"),
    Row("disk full", "matte", 20, FAILED, "the disk is full", "every committed chunk, until retried"),
    *(
        Row(f"disk full:{name}", "deliver", 5, FAILED, "the disk is full", "the alpha and deliverables made before")
        for name in ("alpha", "foreground", "prores", "webm", "png", "exr")
    ),
]


class Bench(NamedTuple):
    workspace: Path
    queue: JobQueue
    session: MattingSession

    def run(self, *, attempts: int = 2, hang_seconds: float = 60.0) -> None:
        executor = LocalExecutor(self.workspace, {"matting": faults.TARGET})
        limits = Limits(hang_seconds=hang_seconds, cancel_seconds=2, attempts=attempts)
        QueueRunner(self.queue, executor, limits=limits).run(lambda: False)

    def opened(self) -> MattingSession:
        return SessionStore(self.workspace / "sessions").open(self.session.state.id)


def make_bench(workspace: Path, clip: Path, formats: tuple[str, ...] = ("alpha", "foreground")) -> Bench:
    session = prompted_session(workspace / "sessions", clip, formats)
    queue = JobQueue(workspace)
    queue.add("matting", session.state.id, {"force": True})
    queue.add("unheard of", "s")
    return Bench(workspace, queue, session)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", FRAMES)


@pytest.fixture
def bench(tmp_path: Path, clip: Path) -> Bench:
    return make_bench(tmp_path / "workspace", clip)


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> dict[str, bytes]:
    """Return the masks and alpha of a job that nothing happened to."""
    bench = make_bench(tmp_path_factory.mktemp("unharmed"), clip, ("alpha",))
    bench.run()
    assert bench.queue.get("1").state is DONE, bench.queue.get("1").error
    return pixels(bench.opened())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small tmpfs (root on Linux)")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=False)


def assert_whole(bench: Bench, unharmed: dict[str, bytes]) -> None:
    """Check that the first job is done as if nothing had happened, and that the second one was not held up."""
    job, other = bench.queue.jobs()
    assert job.state is DONE and job.error == "", job
    assert other.state is FAILED and "no work of the kind 'unheard of'" in other.error
    session = bench.opened()
    assert pixels(session) == unharmed
    assert not [*session.folder.rglob("*.partial"), *session.folder.rglob("*.tmp")]
    for name in {"alpha", "foreground"} & set(session.state.formats):
        assert scan(session.folder / f"{name}.mp4").frames == FRAMES
    assert JobQueue(bench.workspace).jobs() == bench.queue.jobs()


@needs_linux
@pytest.mark.parametrize(
    "row", [row for row in TABLE if "disk" not in row.fault], ids=lambda r: f"{r.fault} in {r.stage} {r.frames}"
)
def test_fault(bench: Bench, unharmed: dict[str, bytes], row: Row) -> None:
    faults.plan(bench.workspace, row.fault, row.stage, row.frames)
    bench.run(hang_seconds=4 if row.fault == "hang" else 60)
    assert (bench.workspace / "fault.met").exists()
    job = bench.queue.get("1")
    assert job.state is row.ends and row.says in job.error
    assert job.attempts == (2 if row.ends is DONE else 1)
    if row.ends is FAILED:
        bench.queue.retry("1")
        bench.run()
    assert_whole(bench, unharmed)


@pytest.mark.parametrize(
    "row", [row for row in TABLE if "disk" in row.fault], ids=lambda r: f"{r.fault} in {r.stage} {r.frames}"
)
def test_full_disk(small_disk: Path, clip: Path, unharmed: dict[str, bytes], row: Row) -> None:
    fault, _, name = row.fault.partition(":")
    bench = make_bench(small_disk, clip, (name,) if name else ("alpha", "foreground"))
    faults.plan(bench.workspace, fault, row.stage, row.frames)
    bench.run()
    job = bench.queue.get("1")
    assert job.state is row.ends and row.says in job.error and "\n" not in job.error
    (small_disk / "ballast").unlink()
    bench.queue.retry("1")
    bench.run()
    assert_whole(bench, unharmed)
    made = bench.opened().state.delivered
    assert set(made) == set(bench.session.state.formats)


@needs_linux
@pytest.mark.parametrize(
    ("pattern", "count"),
    [("*/frames/*.jpg", 55), ("*/keyframes/*.png", 1), ("*/drafts/*.png", 10), ("*/propagated/*.png", 50),
     ("*/alpha/*.mkv", 2), ("*/state.json", 3), ("*/state.json", 6), ("*/meta.json", 1), ("*/foreground.mp4", 1)],
)  # fmt: skip
def test_power_cut(bench: Bench, unharmed: dict[str, bytes], pattern: str, count: int) -> None:
    """Killed between a write and its rename, and everything that was not synced till then is gone.

    Kept: what the state counts on. Nothing that was lost is taken for whole.
    """
    files = [path.stat() for path in (bench.workspace / "sessions").rglob("*") if path.is_file()]
    faults.plan(bench.workspace, "power cut", pattern=pattern, count=count)
    bench.run(attempts=1)
    assert bench.queue.get("1").state is FAILED and "was killed" in bench.queue.get("1").error
    lost = faults.lose_what_was_not_synced(bench.workspace, {(stat.st_ino, stat.st_size) for stat in files})
    assert lost
    bench.queue.retry("1")
    bench.run()
    assert_whole(bench, unharmed)


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
    import threading
    import time

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
@pytest.mark.parametrize(("stage", "frames"), [("frames", 50), ("propagate", 50), ("matte", 55), ("deliver", 40)])
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
    assert_whole(bench, unharmed)


@needs_linux
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
    assert_whole(bench, unharmed)


@needs_linux
@pytest.mark.parametrize("obedient", [True, False])
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
    assert_whole(bench, unharmed)


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


def test_the_table_names_each_fault_once() -> None:
    keys = [(row.fault, row.stage, row.frames) for row in TABLE]
    assert len(set(keys)) == len(keys) and all(row.kept for row in TABLE)
