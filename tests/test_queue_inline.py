"""Immediate mode: the same runner, each job run where it is started; and the messages that travel otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import JsonValue

from errors import Cancelled, SessionNotFoundError, StorageError
from queue_logic import Channel, InlineExecutor, JobProgress, JobQueue, JobState, Needs, Order, QueueRunner
from queue_logic.messages import Crashed, Ended, Message, Planned, Progressed, decode, encode


def run_inline(
    workspace: Path, handler: Callable[[Path, Order, Channel], dict[str, JsonValue]], sessions: int = 2
) -> JobQueue:
    queue = JobQueue(workspace)
    for number in range(sessions):
        queue.add("matting", f"s{number}")
    QueueRunner(queue, InlineExecutor(workspace, {"matting": handler})).run(lambda: False)
    return queue


def test_immediate_mode_runs_everything(tmp_path: Path) -> None:
    seen = []

    def handler(workspace: Path, order: Order, channel: Channel) -> dict[str, JsonValue]:
        channel.needs(Needs(memory_bytes=1, disk_bytes=1, seconds=1))
        channel.progress(JobProgress(stage="frames", fraction=1))
        seen.append((workspace, order.session_id, channel.should_stop()))
        return {"ok": True}

    queue = run_inline(tmp_path, handler)
    assert seen == [(tmp_path, "s0", False), (tmp_path, "s1", False)]
    assert [(job.state, job.result) for job in queue.jobs()] == [(JobState.DONE, {"ok": True})] * 2
    assert queue.get("2").progress.stage == "frames" and queue.get("2").needs is not None


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (SessionNotFoundError("there is no session 's0'"), "there is no session 's0'"),
        (StorageError("the disk is full"), "the disk is full"),
        (ValueError("odd"), "unexpected ValueError: odd"),
    ],
)
def test_an_error_fails_its_job_and_the_others_go_on(tmp_path: Path, error: Exception, text: str) -> None:
    def handler(_: Path, order: Order, __: Channel) -> dict[str, JsonValue]:
        if order.session_id == "s0":
            raise error
        return {}

    queue = run_inline(tmp_path, handler, 3)
    assert [job.state.value for job in queue.jobs()] == ["failed", "done", "done"]
    assert queue.get("1").error == text


def test_a_stop_while_running_interrupts(tmp_path: Path) -> None:
    def handler(_: Path, __: Order, channel: Channel) -> dict[str, JsonValue]:
        if channel.should_stop():
            raise Cancelled("stopped")
        return {}

    queue = JobQueue(tmp_path)
    queue.add("matting", "s0")
    executor = InlineExecutor(tmp_path, {"matting": handler}, should_stop=lambda: True)
    runner = QueueRunner(queue, executor)
    runner.step()
    runner.close()
    assert queue.get("1").state is JobState.INTERRUPTED


@pytest.mark.parametrize(
    "message",
    [
        Progressed(progress=JobProgress(stage="matte", done=0.5, total=9, seconds_left=None)),
        Planned(needs=Needs(memory_bytes=2**40, disk_bytes=0, seconds=0.1)),
        Ended(how="done", result={"outputs": {"alpha": "/a b/ä.mp4"}, "wanted": [["x", 3]], "none": None}),
        Crashed(error="x\ny"),
    ],
)
def test_messages_are_small_json(message: Message) -> None:
    assert decode(encode(message)) == message and len(encode(message)) < 300


@pytest.mark.parametrize("data", [b"", b"{}", b'{"type": "shout"}', b"\xff"])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        decode(data)
