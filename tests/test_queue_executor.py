"""Another executor, as a distributed engine would bring one: jobs run by processes that are reached over a network.

All it shares with the workers is the workspace; all it carries are the messages. Queue, worker and runner stay as they
are.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, Listener, wait
from pathlib import Path

import pytest

from queue_logic import Executor, JobQueue, JobState, Limits, Order, ProcessRecord, QueueRunner
from queue_logic.messages import Control, Crashed, Ended, Message, decode
from tests import faults
from tests.clip_sessions import prompted_session

ROOT = Path(__file__).resolve().parent.parent
REMOTE = """
import sys
from multiprocessing.connection import Client
sys.path.insert(0, sys.argv[1])
from queue_logic import worker
pipe = Client(("127.0.0.1", int(sys.argv[2])), authkey=b"test")
worker.main(pipe, *sys.argv[3:])
"""


class NetworkExecutor:
    """Starts a process 'elsewhere' for each order, which calls back over TCP."""

    def __init__(self, workspace: Path, target: str) -> None:
        self._workspace = workspace
        self._target = target
        self._listener = Listener(("127.0.0.1", 0), authkey=b"test")
        self._started: list[NetworkExecution] = []

    def start(self, order: Order, device: str) -> NetworkExecution:
        port = str(self._listener.address[1])
        told = [
            str(self._workspace),
            self._target,
            order.model_dump_json(),
            device,
            str(self._workspace / "remote.log"),
        ]
        process = subprocess.Popen([sys.executable, "-c", REMOTE, str(ROOT), port, *told], cwd=self._workspace)
        self._started.append(NetworkExecution(process, self._listener.accept()))
        return self._started[-1]

    def wait(self, seconds: float) -> None:
        wait([execution.pipe for execution in self._started if not execution.pipe.closed], seconds)

    def close(self) -> None:
        self._listener.close()
        for execution in self._started:
            execution.kill()


class NetworkExecution:
    worker: ProcessRecord | None = None

    def __init__(self, process: subprocess.Popen[bytes], pipe: Connection) -> None:
        self.process = process
        self.pipe = pipe

    def messages(self) -> list[Message]:
        found: list[Message] = []
        try:
            while not self.pipe.closed and self.pipe.poll():
                found.append(decode(self.pipe.recv_bytes()))
                if isinstance(found[-1], Ended):
                    self.pipe.close()
        except (EOFError, OSError):
            self.pipe.close()
            found.append(Crashed(error="the connection was lost"))
        return found

    def send(self, control: Control) -> None:
        with suppress(OSError):
            self.pipe.send_bytes(control.value.encode())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[NetworkExecutor]:
    executor = NetworkExecutor(tmp_path, faults.TARGET)
    yield executor
    executor.close()


def test_jobs_run_elsewhere_without_a_change_to_queue_or_runner(
    tmp_path: Path, small_clip: Path, network: NetworkExecutor
) -> None:
    executor: Executor = network
    queue = JobQueue(tmp_path)
    for until in ("keyframes", "frames"):
        session = prompted_session(tmp_path / "sessions", small_clip)
        queue.add("matting", session.state.id, {"until": until})
    faults.plan(tmp_path, "SIGKILL", "frames", 60)
    QueueRunner(queue, executor).run(lambda: False)
    first, second = queue.jobs()
    assert (first.state, first.attempts, first.progress.stage) == (JobState.DONE, 2, "keyframes"), first.error
    assert second.state is JobState.DONE and second.progress.fraction == 1 and second.needs is not None
    assert list(session.folder.glob("frames/*.jpg"))


def test_a_job_elsewhere_is_cancelled_over_the_channel(
    tmp_path: Path, small_clip: Path, network: NetworkExecutor
) -> None:
    session = prompted_session(tmp_path / "sessions", small_clip)
    queue = JobQueue(tmp_path)
    queue.add("matting", session.state.id)
    faults.plan(tmp_path, "hold", "frames", 20)
    runner = QueueRunner(queue, network, limits=Limits(cancel_seconds=60))

    def cancel() -> None:
        if (tmp_path / "fault.met").exists() and queue.get("1").state is JobState.RUNNING:
            queue.cancel("1")

    runner.run(lambda: False, cancel)
    assert queue.get("1").state is JobState.CANCELLED


def test_the_handler_is_where_it_says() -> None:
    import pkgutil

    from app_logic.services import HANDLERS
    from matting_runner.job import run_job

    assert pkgutil.resolve_name(HANDLERS["matting"]) is run_job
