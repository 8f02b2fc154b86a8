"""A job that goes wrong on purpose, once, at a given frame of a given stage: a handler for worker processes.

What and where is said by fault.json in the workspace, which the fault takes away, so that the next attempt is a plain
run. Each fault here is the real thing: a real signal, a real full disk, a real crash.
"""

from __future__ import annotations

import contextlib
import ctypes
import fnmatch
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from pydantic import JsonValue

from matting_runner.job import run_job as run_matting_job
from queue_logic import Channel, JobProgress, Needs, Order
from tracking_runner.job import run_job as run_tracking_job

TARGET = "tests.faults:run"
JOBS = {"matting": run_matting_job, "tracking": run_tracking_job}
SESSIONS = {"matting": "sessions", "tracking": "tracking_sessions"}


def plan(workspace: Path, what: str, stage: str = "frames", frames: float = 0, **more: Any) -> None:
    """Let the next job of `workspace` meet the fault `what` once its `stage` has done `frames`."""
    workspace.mkdir(parents=True, exist_ok=True)
    (workspace / "fault.json").write_text(json.dumps({"what": what, "stage": stage, "frames": frames, **more}))


def run(workspace: Path, order: Order, channel: Channel) -> dict[str, JsonValue]:
    """Run the job with the planned fault in it, or plainly when none is planned."""
    try:
        fault = json.loads((workspace / "fault.json").read_text())
    except FileNotFoundError:
        return JOBS[order.kind](workspace, order, channel)
    if fault["what"] == "power cut":
        _cut_at_rename(workspace, fault["pattern"], fault["count"])
    return JOBS[order.kind](workspace, order, _Faulty(workspace, order, channel, fault))


class _Faulty:
    """A channel whose progress report triggers the fault."""

    def __init__(self, workspace: Path, order: Order, channel: Channel, fault: dict[str, Any]) -> None:
        self._workspace = workspace
        self._order = order
        self._channel = channel
        self._fault = fault
        self._over = False

    def needs(self, needs: Needs) -> None:
        self._channel.needs(needs)

    def should_stop(self) -> bool:
        return self._channel.should_stop()

    def progress(self, progress: JobProgress) -> None:
        self._channel.progress(progress)
        if self._over or progress.stage != self._fault["stage"] or progress.done < self._fault["frames"]:
            return
        if self._fault["what"] in ACTIONS:
            self._over = True
            (self._workspace / "fault.json").rename(self._workspace / "fault.met")
            ACTIONS[self._fault["what"]](self._workspace, self._order, self._channel)


def _raise(*_: object) -> None:
    raise RuntimeError("odd")


def _crash(*_: object) -> None:
    ctypes.string_at(0)


def _hang(*_: object) -> None:
    threading.Event().wait()


def _out_of_memory(*_: object) -> None:
    import resource

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
    bytearray(2**32)


def _hold(workspace: Path, _: Order, channel: Channel) -> None:
    """Wait until told to stop or, by a file, to go on; killed meanwhile by some tests."""
    while not channel.should_stop() and not (workspace / "go").exists():
        threading.Event().wait(0.01)


def _delete_session(workspace: Path, order: Order, _: Channel) -> None:
    shutil.rmtree(workspace / SESSIONS[order.kind] / order.session_id, ignore_errors=True)


def _fill_disk(workspace: Path, *_: object) -> None:
    block = 2**20
    with (workspace / "ballast").open("wb", buffering=0) as file:
        while block:
            try:
                file.write(bytes(block))
            except OSError:
                block //= 2


def _signal(number: int) -> Callable[..., None]:
    return lambda *_: os.kill(os.getpid(), number)


ACTIONS: dict[str, Callable[[Path, Order, Channel], None]] = {
    "SIGKILL": _signal(signal.SIGKILL),
    "SIGTERM": _signal(signal.SIGTERM),
    "crash in native code": _crash,
    "exception": _raise,
    "hang": _hang,
    "out of memory": _out_of_memory,
    "hold": _hold,
    "session deleted": _delete_session,
    "disk full": _fill_disk,
}


def _cut_at_rename(workspace: Path, pattern: str, count: int) -> None:
    """Kill this process right before its `count`-th rename to a name like `pattern`; note what was synced till then."""
    log = os.open(workspace / "synced", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sync, left = os.fsync, [count]

    def noted_sync(file: Any) -> None:
        sync(file)
        stat = os.fstat(file)
        os.write(log, f"{stat.st_ino} {stat.st_size}\n".encode())

    def watched(rename: Callable[..., None]) -> Callable[..., None]:
        def call(source: Any, target: Any, **more: Any) -> None:
            if fnmatch.fnmatch(str(target), pattern):
                left[0] -= 1
                if not left[0]:
                    (workspace / "fault.json").unlink()
                    os.kill(os.getpid(), signal.SIGKILL)
            rename(source, target, **more)

        return call

    os.fsync, os.replace, os.rename = cast(Any, noted_sync), watched(os.replace), watched(os.rename)


def lose_what_was_not_synced(workspace: Path, before: set[tuple[int, int]]) -> list[str]:
    """Empty the files whose content never reached the disk, as a power cut may; return their names.

    Args:
        workspace: where the job was cut.
        before: (inode, size) of the files that were there before the job, and count as synced.
    """
    lines = (workspace / "synced").read_text().splitlines()
    synced = before | {(int(line.split()[0]), int(line.split()[1])) for line in lines}
    lost = []
    folders = [*SESSIONS.values(), "tracking_results"]
    for path in (path for folder in folders for path in (workspace / folder).rglob("*")):
        if path.is_file() and (path.stat().st_ino, path.stat().st_size) not in synced:
            with contextlib.suppress(OSError):
                os.truncate(path, 0)
            lost.append(path.name)
    return lost
