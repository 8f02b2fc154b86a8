"""What a worker process runs: one order, with the queue at the other end of a pipe."""

from __future__ import annotations

import faulthandler
import logging
import os
import pkgutil
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
from pydantic import BaseModel

from config import VERSION
from errors import Cancelled, SplazMatteError
from log import LOG, line, to_job_file, without_secrets
from queue_logic.job import JobProgress, Needs, Order
from queue_logic.messages import Control, Ended, Planned, Progressed, encode

_EVERY = 0.05
"""Seconds between two messages of mere progress."""
_SIGN_OF_LIFE = 1.0
"""Seconds after which a handler that only asks whether to stop is reported to be alive."""
_NICENESS = 5
ORPHANED = 3
"""Exit code of a worker whose queue is gone."""
MOST_OUTPUT = 20_000_000
"""Bytes of a log after which what libraries print is left out."""
_LOOK = 1.0
"""Seconds between two looks at how long the log is."""


class PipeChannel:
    """A handler's side of a job, over a pipe; see queue_logic.executor.Channel."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._stop = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self._sent = 0.0
        self._last = JobProgress()
        self._sending = threading.Lock()

    def progress(self, progress: JobProgress) -> None:
        """Tell how far the job is; more often than the queue looks is left out."""
        self._last = progress
        if time.monotonic() - self._sent >= _EVERY:
            self._send(Progressed(progress=progress))

    def needs(self, needs: Needs) -> None:
        """Tell what the job will need."""
        LOG.info("needs", **needs.model_dump())
        self._send(Planned(needs=needs))

    def should_stop(self) -> bool:
        """Tell whether to stop; waits while the job is paused."""
        self._go.wait()
        if time.monotonic() - self._sent >= _SIGN_OF_LIFE:
            self._send(Progressed(progress=self._last))
        return self._stop.is_set()

    def end(self, ended: Ended) -> None:
        """Say how it ended: the last message."""
        if ended.how == "done":
            self._send(Progressed(progress=self._last))
        self._send(ended)

    def ask_to_stop(self, *_: object) -> None:
        """Let `should_stop` say so, also to a paused handler."""
        self._stop.set()
        self._go.set()

    def listen(self) -> None:
        """Follow the queue's words, and end the process at once when the queue is gone: all it did is committed."""
        while True:
            try:
                control = Control(self._pipe.recv_bytes().decode())
            except (EOFError, OSError):
                os._exit(ORPHANED)
            if control is Control.CANCEL:
                self.ask_to_stop()
            elif control is Control.PAUSE and not self._stop.is_set():
                self._go.clear()
            elif control is Control.RESUME:
                self._go.set()

    def _send(self, message: BaseModel) -> None:
        with self._sending:
            self._sent = time.monotonic()
            self._pipe.send_bytes(encode(message))


def main(pipe: Connection, workspace: str, target: str, order: str, device: str, log: str) -> None:
    """Run one order and say how it ended.

    Args:
        pipe: to the queue.
        workspace: the shared folder.
        target: 'module:function' of the handler.
        order: an Order as JSON.
        device: 'cpu', 'mps' or 'cuda:N'.
        log: the file that takes what the process prints, and where it crashed.
    """
    prepare(log, device)
    channel = PipeChannel(pipe)
    told = Order.model_validate_json(order)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole terminal; the queue decides what it means
    signal.signal(signal.SIGTERM, channel.ask_to_stop)
    threading.Thread(target=channel.listen, name="queue", daemon=True).start()
    with to_job_file(Path(log), session_id=told.session_id, job_id=told.job_id, kind=told.kind):
        LOG.info("worker starts", pid=os.getpid(), version=VERSION)
        ended = _run(target, Path(workspace), told, channel, Path(log).name)
        values = {"error": ended.error} if ended.error else {}
        LOG.log(_LEVELS[ended.how], f"worker {ended.how}", peak_bytes=peak_bytes(), **values)
    channel.end(ended)


_LEVELS = {"done": logging.INFO, "cancelled": logging.INFO, "failed": logging.ERROR}


def _run(target: str, workspace: Path, order: Order, channel: PipeChannel, log: str) -> Ended:
    """Run the handler and return how it ended."""
    try:
        result = pkgutil.resolve_name(target)(workspace, order, channel)
        return Ended(how="done", result={**result, "peak_bytes": peak_bytes()})
    except Cancelled as error:
        return Ended(how="cancelled", error=str(error))
    except SplazMatteError as error:
        return Ended(how="failed", error=str(error))
    except MemoryError:
        return Ended(how="failed", error=f"out of memory with {peak_bytes() / 1e9:.1f} GB in use; close other programs")
    except Exception as error:
        LOG.exception("unexpected error")
        reason = without_secrets(f"unexpected {type(error).__name__}: {error}")  # a library's own words
        return Ended(how="failed", error=f"{reason} (details in logs/{log})")


def prepare(log: str, device: str, *, background: bool = True) -> None:
    """Make this process a quiet one, on its device only; `background` lets others go first on a busy machine."""
    try:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError:  # a full disk: the job itself says so, where it first needs to write
        file = os.open(os.devnull, os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdout = open(1, "w", closefd=False, buffering=1)  # noqa: SIM115 - a descriptor, for good
    sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115
    faulthandler.enable(file=file)
    threading.Thread(target=_limit_output, args=(file,), name="log", daemon=True).start()
    if device.startswith("cuda:"):
        os.environ["CUDA_VISIBLE_DEVICES"] = device.removeprefix("cuda:")
    if background:
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else _NICENESS)


def _limit_output(file: int) -> None:
    """Let what libraries print go nowhere once the log is too long; our own lines, and crashes, still go there."""
    wait = threading.Event().wait
    while os.fstat(file).st_size < MOST_OUTPUT:
        wait(_LOOK)
    with suppress(OSError):
        os.write(file, f"\n{line('warning', 'too much output: the rest of it is left out')}\n".encode())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def peak_bytes() -> int:
    """Return the most memory that this process has held."""
    info = psutil.Process().memory_info()
    if os.name == "nt":
        return info.peak_wset
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
