"""What a worker process runs: one order, with the queue at the other end of a pipe."""

from __future__ import annotations

import faulthandler
import os
import pkgutil
import signal
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
from pydantic import BaseModel

from errors import Cancelled, SplazMatteError
from queue_logic.job import JobProgress, Needs, Order
from queue_logic.messages import Control, Ended, Planned, Progressed, encode

_EVERY = 0.05
"""Seconds between two messages of mere progress."""
_SIGN_OF_LIFE = 1.0
"""Seconds after which a handler that only asks whether to stop is reported to be alive."""
_NICENESS = 5
ORPHANED = 3
"""Exit code of a worker whose queue is gone."""


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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole terminal; the queue decides what it means
    signal.signal(signal.SIGTERM, channel.ask_to_stop)
    threading.Thread(target=channel.listen, name="queue", daemon=True).start()
    try:
        handler = pkgutil.resolve_name(target)
        result = handler(Path(workspace), Order.model_validate_json(order), channel)
        ended = Ended(how="done", result={**result, "peak_bytes": peak_bytes()})
    except Cancelled as error:
        ended = Ended(how="cancelled", error=str(error))
    except SplazMatteError as error:
        ended = Ended(how="failed", error=str(error))
    except MemoryError:
        ended = Ended(
            how="failed", error=f"out of memory with {peak_bytes() / 1e9:.1f} GB in use; close other programs"
        )
    except Exception as error:
        traceback.print_exc()
        ended = Ended(
            how="failed", error=f"unexpected {type(error).__name__}: {error} (details in logs/{Path(log).name})"
        )
    channel.end(ended)


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
    faulthandler.enable(file=2)
    if device.startswith("cuda:"):
        os.environ["CUDA_VISIBLE_DEVICES"] = device.removeprefix("cuda:")
    if background:
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else _NICENESS)


def peak_bytes() -> int:
    """Return the most memory that this process has held."""
    info = psutil.Process().memory_info()
    if os.name == "nt":
        return info.peak_wset
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
