"""The list of jobs: edits, states, what the file survives, and several who edit it at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from errors import JobNotFoundError, JobStateError, ParameterError, SplazMatteError, StorageError, StoreError
from queue_logic import JobQueue, JobState, read_jobs

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    return JobQueue(tmp_path)


def ids(queue: JobQueue) -> list[str]:
    return [job.id for job in queue.jobs()]


def fill(queue: JobQueue, count: int = 3) -> list[str]:
    return [queue.add("matting", f"s{number}").id for number in range(count)]


def test_looking_at_an_empty_queue_writes_nothing(tmp_path: Path) -> None:
    assert JobQueue(tmp_path / "new").jobs() == [] and not (tmp_path / "new").exists()


def test_added_jobs_wait_in_order_and_survive(queue: JobQueue) -> None:
    job = queue.add("matting", "s1", {"until": "matte"})
    queue.add("tracking", "s2")
    again = JobQueue(queue.workspace).jobs()
    assert [(j.kind, j.session_id, j.state) for j in again] == [
        ("matting", "s1", JobState.PENDING), ("tracking", "s2", JobState.PENDING)
    ]  # fmt: skip
    assert again[0] == job and again[0].parameters == {"until": "matte"}


def test_the_same_order_twice_is_one_job(queue: JobQueue) -> None:
    first = queue.add("matting", "s1")
    assert queue.add("matting", "s1").id == first.id
    assert queue.add("matting", "s1", {"until": "matte"}).id != first.id
    queue.cancel(first.id)
    assert queue.add("matting", "s1").id not in (first.id, "2")


def test_ids_are_never_used_twice(queue: JobQueue) -> None:
    fill(queue)
    queue.clear(everything=True)
    assert queue.add("matting", "s").id == "4"


def test_moves(queue: JobQueue) -> None:
    fill(queue, 4)
    queue.move_top("3")
    assert ids(queue) == ["3", "1", "2", "4"]
    queue.move_bottom("1")
    assert ids(queue) == ["3", "2", "4", "1"]
    queue.move_before("1", "2")
    assert ids(queue) == ["3", "1", "2", "4"]
    queue.move_before("2", "2")
    assert ids(queue) == ["3", "1", "2", "4"]


def test_states_allow_what_makes_sense(queue: JobQueue) -> None:
    a, b, c = fill(queue)
    queue.update(a, state=JobState.RUNNING)
    queue.update(b, state=JobState.FAILED, error="no", attempts=2)
    for action in ("remove", "reset", "retry"):
        with pytest.raises(JobStateError):
            getattr(queue, action)(a)
    queue.cancel(a)
    assert queue.get(a).state is JobState.RUNNING and queue.get(a).cancel_requested
    with pytest.raises(JobStateError, match="failed already"):
        queue.cancel(b)
    queue.retry(b)
    assert (queue.get(b).state, queue.get(b).error, queue.get(b).attempts) == (JobState.PENDING, "", 0)
    with pytest.raises(JobStateError, match="pending"):
        queue.retry(b)
    queue.cancel(c)
    assert queue.get(c).state is JobState.CANCELLED and queue.get(c).error == ""
    queue.reset(c)
    assert queue.get(c).state is JobState.PENDING and not queue.get(c).cancel_requested


def test_clear_takes_what_is_finished_and_never_what_runs(queue: JobQueue) -> None:
    for job_id, state in zip(fill(queue, 6), JobState, strict=True):
        queue.update(job_id, state=state)
    assert [job.state for job in queue.clear()] == [JobState.DONE, JobState.FAILED, JobState.CANCELLED]
    assert {job.state for job in queue.jobs()} == {JobState.PENDING, JobState.RUNNING, JobState.INTERRUPTED}
    queue.clear(everything=True)
    assert [job.state for job in queue.jobs()] == [JobState.RUNNING]


def test_a_session_takes_its_jobs_along(queue: JobQueue) -> None:
    a, b, _ = fill(queue)
    queue.update(b, state=JobState.RUNNING)
    queue.remove_session("s0")
    queue.remove_session("s1")
    assert ids(queue) == [b, "3"] and queue.get(b).cancel_requested
    with pytest.raises(JobNotFoundError):
        queue.get(a)


@pytest.mark.parametrize("action", ["get", "remove", "retry", "reset", "cancel", "move_top", "move_bottom"])
@pytest.mark.parametrize("bad", ["9", "", "../x", "x" * 5000])
def test_unknown_jobs_are_named(queue: JobQueue, action: str, bad: str) -> None:
    fill(queue)
    with pytest.raises(JobNotFoundError, match="queue list") as caught:
        getattr(queue, action)(bad)
    assert len(str(caught.value)) < 100 and ids(queue) == ["1", "2", "3"]


def test_moving_before_an_unknown_job_changes_nothing(queue: JobQueue) -> None:
    fill(queue)
    with pytest.raises(JobNotFoundError):
        queue.move_before("1", "9")
    assert ids(queue) == ["1", "2", "3"]


def test_parameters_that_json_cannot_hold_are_refused(queue: JobQueue) -> None:
    with pytest.raises(ParameterError, match="plain values"):
        queue.add("matting", "s", {"x": object()})  # type: ignore[dict-item]
    assert ids(queue) == []


def test_two_objects_see_one_truth(queue: JobQueue) -> None:
    other = JobQueue(queue.workspace)
    fill(queue)
    before = other.revision
    other.move_top("3")
    assert ids(queue) == ids(other) == ["3", "1", "2"] and other.revision > before
    queue.update("1", save=False, state=JobState.RUNNING)  # known to its runner, not saved yet
    other.cancel("2")
    assert queue.get("1").state is JobState.RUNNING and queue.get("2").state is JobState.CANCELLED


def test_progress_is_saved_about_once_a_second(tmp_path: Path) -> None:
    time = [0.0]
    queue = JobQueue(tmp_path, clock=lambda: time[0])
    fill(queue, 1)
    written = []
    for step in range(30):
        time[0] += 0.1
        queue.update("1", save=False, seconds=float(step))
        written.append(json.loads((tmp_path / "queue.json").read_text())["jobs"][0]["seconds"])
        assert queue.get("1").seconds == step
    assert 2 <= len(set(written) - {0.0}) <= 4


ADD_MANY = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from queue_logic import JobQueue
queue = JobQueue(Path(sys.argv[2]))
sys.stdin.read()
for number in range(25):
    queue.move_top(queue.add("matting", f"{sys.argv[3]}-{number}").id)
"""


def test_many_processes_edit_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", ADD_MANY, ROOT, tmp_path, name], stdin=subprocess.PIPE)
        for name in "abcd"
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait() for process in processes] == [0] * 4
    jobs = JobQueue(tmp_path).jobs()
    assert {job.session_id for job in jobs} == {f"{name}-{number}" for name in "abcd" for number in range(25)}
    assert sorted(int(job.id) for job in jobs) == list(range(1, 101))


@pytest.mark.parametrize(
    "content", ["", "{", '{"version": 1, "jobs": [{"id"', "\x00" * 400, "[]", '{"version": 1, "jobs": 7}']
)
def test_a_damaged_file_is_kept_and_the_copy_taken(queue: JobQueue, content: str) -> None:
    fill(queue)
    (queue.workspace / "queue.json").write_text(content)
    again = JobQueue(queue.workspace)
    assert ids(again) == ["1", "2", "3"] and "queue.json.unreadable-" in again.notice
    kept = list(queue.workspace.glob("queue.json.unreadable-*"))
    assert [path.read_text() for path in kept] == [content]
    again.add("matting", "s9")
    assert ids(JobQueue(queue.workspace)) == ["1", "2", "3", "4"]


def test_a_damaged_file_without_a_copy_is_kept_and_the_queue_begins_anew(queue: JobQueue) -> None:
    fill(queue)
    (queue.workspace / "queue.json").write_text("{")
    (queue.workspace / "queue.json.backup").unlink()
    assert queue.jobs() == [] and "kept as queue.json.unreadable-" in queue.notice
    assert queue.add("matting", "s").id == "1"


def test_a_lost_file_comes_back_from_its_copy(queue: JobQueue) -> None:
    fill(queue)
    (queue.workspace / "queue.json").unlink()
    assert ids(JobQueue(queue.workspace)) == ids(queue) == ["1", "2", "3"]
    assert (queue.workspace / "queue.json").is_file()


def test_a_newer_file_is_left_alone(queue: JobQueue) -> None:
    fill(queue)
    text = '{"version": 99, "jobs": [], "colour": "blue"}'
    (queue.workspace / "queue.json").write_text(text)
    for action in (queue.jobs, lambda: queue.add("matting", "s"), lambda: JobQueue(queue.workspace)):
        with pytest.raises(StoreError, match="newer SplazMatte"):
            action()
    assert (queue.workspace / "queue.json").read_text() == text


def test_a_full_disk_refuses_edits_and_keeps_what_its_runner_knows(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(queue)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(StorageError, match="disk is full"):
            queue.move_top("3")
        assert ids(queue) == ["1", "2", "3"]
        queue.update("1", state=JobState.DONE)
        assert queue.get("1").state is JobState.DONE
        assert JobQueue(queue.workspace).get("1").state is JobState.PENDING
    queue.flush()
    assert JobQueue(queue.workspace).get("1").state is JobState.DONE


def test_a_look_from_outside_never_touches_the_file(queue: JobQueue) -> None:
    fill(queue)
    assert [job.id for job in read_jobs(queue.workspace)] == ["1", "2", "3"]
    (queue.workspace / "queue.json").write_text("{")
    assert read_jobs(queue.workspace) == [] == read_jobs(queue.workspace / "nowhere")
    assert (queue.workspace / "queue.json").read_text() == "{"


class AnyEdits(RuleBasedStateMachine):
    """Whatever is done in whatever order: no job is doubled or lost, and a second reader agrees."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.queue = JobQueue(Path(self.folder.name))
        self.there: list[str] = []

    @rule(session=st.sampled_from("abc"))
    def add(self, session: str) -> None:
        job = self.queue.add("matting", session)
        if job.id not in self.there:
            self.there.append(job.id)

    @rule(job=st.integers(1, 8), other=st.integers(1, 8), action=st.sampled_from(
        ["move_top", "move_bottom", "move_before", "cancel", "retry", "reset", "remove"]
    ))  # fmt: skip
    def edit(self, job: int, other: int, action: str) -> None:
        arguments = [str(job), str(other)] if action == "move_before" else [str(job)]
        try:
            getattr(self.queue, action)(*arguments)
        except SplazMatteError:
            return
        if action == "remove":
            self.there.remove(str(job))

    @rule(job=st.integers(1, 8), state=st.sampled_from(JobState))
    def run(self, job: int, state: JobState) -> None:
        self.queue.update(str(job), state=state)

    @rule()
    def clear(self) -> None:
        for job in self.queue.clear():
            self.there.remove(job.id)

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "queue"):
            assert sorted(ids(self.queue)) == sorted(self.there)
            assert JobQueue(self.queue.workspace).jobs() == self.queue.jobs()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestAnyEdits = AnyEdits.TestCase
TestAnyEdits.settings = settings(max_examples=15, stateful_step_count=15)
