"""What a user waits for goes before the job on the same device; what a process held is free when it is over."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from pydantic import JsonValue

from errors import EngineFailedError, ParameterError, SessionNotFoundError
from matting_runner.interactive import CLICK
from queue_logic import Channel, Interactive, JobProgress, JobQueue, JobState, LocalExecutor, Order, QueueRunner
from session_store import EngineChoice, FramePrompts, PointPrompt
from tests.clip_sessions import prompted_session
from tests.conftest import disc

HERE = "tests.test_queue_interactive"


# Run in worker processes.


def count_up(workspace: Path, order: Order, channel: Channel) -> dict[str, JsonValue]:
    """Count in a file, as a job that goes from frame to frame, until told to stop."""
    count = 0
    while not channel.should_stop() and not (workspace / "enough").exists():
        count += 1
        (workspace / "count.partial").write_text(str(count))
        (workspace / "count.partial").replace(workspace / "count")
        channel.progress(JobProgress(done=count))
    return {"count": count}


def stands_still(workspace: str) -> bool:
    """Tell whether the count stops growing: two looks apart by far more than a step takes are the same."""
    seen = ""
    for _ in range(20):
        count = (Path(workspace) / "count").read_text()
        if count == seen:
            return True
        seen = count
        threading.Event().wait(0.1)
    return False


def echo(*values: object) -> tuple[object, ...]:
    return (os.getpid(), *values)


def fail(text: str) -> None:
    if text == "crash":
        os.abort()
    if text == "hang":
        threading.Event().wait()
    raise ParameterError(text) if text == "ours" else ValueError(text)


def linger(workspace: Path, order: Order, channel: Channel) -> dict[str, JsonValue]:
    """End, but leave a thread behind that keeps the process alive."""
    threading.Thread(target=threading.Event().wait).start()
    return {"pid": os.getpid()}


@pytest.fixture
def interactive(tmp_path: Path) -> Iterator[Interactive]:
    found = Interactive(tmp_path, "cpu", first=lambda _: nullcontext())
    yield found
    found.close()


def test_one_warm_process_answers(interactive: Interactive) -> None:
    first = interactive.call(f"{HERE}:echo", 1, "ä")
    again = interactive.call(f"{HERE}:echo", np.arange(3))
    assert first[1:] == (1, "ä") and list(again[1]) == [0, 1, 2]
    assert first[0] == again[0] != os.getpid()
    interactive.close()
    assert not psutil.pid_exists(first[0])
    assert interactive.call(f"{HERE}:echo")[0] != first[0]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("ours", ParameterError, "ours"),
        ("odd", EngineFailedError, "unexpected ValueError: odd"),
        ("crash", EngineFailedError, "crashed; try again"),
        ("hang", EngineFailedError, "no answer within 1 s"),
    ],
)
def test_what_goes_wrong_costs_one_answer(
    interactive: Interactive, text: str, kind: type[Exception], message: str
) -> None:
    before = interactive.call(f"{HERE}:echo")[0]
    with pytest.raises(kind, match=message):
        interactive.call(f"{HERE}:fail", text, seconds=1)
    after = interactive.call(f"{HERE}:echo")[0]
    assert (after == before) is (text in {"ours", "odd"})


def test_an_answer_goes_before_the_running_job_and_the_job_goes_on(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path)
    queue.add("counting", "s")
    runner = QueueRunner(queue, LocalExecutor(tmp_path, {"counting": f"{HERE}:count_up"}))
    thread = threading.Thread(target=runner.run, args=(lambda: False,))
    interactive = Interactive(tmp_path, "cpu", runner.first)
    interactive.call(f"{HERE}:echo")
    thread.start()
    while not (tmp_path / "count").exists():
        thread.join(0.01)
    assert interactive.call(f"{HERE}:stands_still", str(tmp_path)) is True
    assert queue.get("1").state is JobState.RUNNING
    before = (tmp_path / "count").read_text()
    while (tmp_path / "count").read_text() == before:  # else it would wait for ever
        thread.join(0.02)
    (tmp_path / "enough").touch()
    thread.join()
    interactive.close()
    assert queue.get("1").state is JobState.DONE and int(str(queue.get("1").result["count"])) > int(before)


def test_all_that_a_job_held_is_free_when_it_is_over_even_where_its_process_does_not_end(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path)
    queue.add("lingering", "s")
    there = []

    def look() -> None:
        job = queue.get("1")
        if job.state is JobState.DONE:
            there.append(psutil.pid_exists(int(str(job.result["pid"]))))

    runner = QueueRunner(queue, LocalExecutor(tmp_path, {"lingering": f"{HERE}:linger"}))
    runner.run(lambda: False, look)
    assert there == [False] and queue.get("1").error == ""


def test_a_process_that_cannot_be_started_fails_its_job_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("multiprocessing.context.SpawnProcess.start", refuse)
    queue = JobQueue(tmp_path)
    queue.add("counting", "s")
    before = psutil.Process().num_fds() if hasattr(psutil.Process, "num_fds") else 0
    QueueRunner(queue, LocalExecutor(tmp_path, {"counting": f"{HERE}:count_up"})).run(lambda: False)
    assert queue.get("1").state is JobState.FAILED and "Cannot allocate memory" in queue.get("1").error
    assert before == 0 or psutil.Process().num_fds() <= before


def test_a_click_gives_the_mask_of_that_frame(interactive: Interactive, tmp_path: Path, small_clip: Path) -> None:
    session = prompted_session(tmp_path / "sessions", small_clip)
    prompts = FramePrompts(points=[PointPrompt(x=33, y=32), PointPrompt(x=80, y=10, positive=False)])
    choice = EngineChoice(name="grabcut")
    png, score = interactive.call(CLICK, tmp_path, session.state.id, 1, 12, prompts, choice)
    mask = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    truth = disc(12) > 127
    assert mask is not None and mask.shape == truth.shape and set(np.unique(mask)) == {0, 255} and 0 <= score <= 1
    assert ((mask > 127) & truth).sum() / ((mask > 127) | truth).sum() > 0.8
    assert interactive.call(CLICK, tmp_path, session.state.id, 1, 12, prompts, choice) == (png, score)
    with pytest.raises(SessionNotFoundError):
        interactive.call(CLICK, tmp_path, "20000101-000000-aaaaaa", 1, 0, prompts, choice)
