"""Jobs on this machine: each in a new process of its own, so that whatever happens to it ends the job and no more."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from queue_logic import worker
from queue_logic.job import Order
from queue_logic.job_log import log_path
from queue_logic.messages import Control, Crashed, Ended, Message, decode
from queue_logic.process import ProcessRecord, held_bytes, kill_family

_GOODBYE = 2.0
"""Seconds that a worker may take to end after its last message."""


class LocalExecutor:
    """Runs each order in a spawned process: no state is shared, and all its memory, a GPU's too, is free afterwards.

    Args:
        workspace: the folder that the workers share with the queue.
        handlers: 'module:function' by kind of job; imported in the worker only.
    """

    def __init__(self, workspace: Path, handlers: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._handlers = dict(handlers)
        self._started: list[LocalExecution] = []

    def start(self, order: Order, device: str) -> LocalExecution:
        """Begin `order` on `device` and return at once."""
        log = log_path(self._workspace, order.job_id)
        target = self._handlers.get(order.kind, "")
        if not target:
            return LocalExecution.refused(f"this version has no work of the kind '{order.kind}'")
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (theirs, str(self._workspace), target, order.model_dump_json(), device, str(log))
        process = context.Process(target=worker.main, args=arguments, name=f"job {order.job_id}", daemon=True)
        try:
            process.start()
        except OSError as error:
            ours.close()
            return LocalExecution.refused(f"its process could not be started: {error.strerror}; close other programs")
        finally:
            theirs.close()
        execution = LocalExecution(process, ours, log)
        self._started = [*(known for known in self._started if known.sources), execution]
        return execution

    def wait(self, seconds: float) -> None:
        """Wait until one of what was started has something to say, or for that long."""
        ready = [source for execution in self._started for source in execution.sources]
        if ready:
            wait(ready, seconds)
        else:
            threading.Event().wait(seconds)


class LocalExecution:
    """One order in a process of its own; see queue_logic.executor.Execution."""

    def __init__(self, process: SpawnProcess | None, pipe: Connection | None, log: Path) -> None:
        self.worker = ProcessRecord.of(process.pid) if process and process.pid else None
        self._process = process
        self._pipe = pipe
        self._log = log
        self._last: Message | None = None
        self._last_at = 0.0
        self._silent = False
        self._over = False
        self._held = 0
        self._sending = threading.Lock()

    @classmethod
    def refused(cls, reason: str) -> LocalExecution:
        """Return one that has ended before it began."""
        execution = cls(None, None, Path())
        execution._last = Ended(how="failed", error=reason)
        return execution

    @property
    def sources(self) -> list[Connection | int]:
        """Return what becomes ready when there is something to look at."""
        if self._over or self._process is None:
            return []
        return [self._process.sentinel, *([self._pipe] if self._pipe and not self._silent else [])]

    def messages(self) -> list[Message]:
        """Return what has come since the last call; the last message only once the process is gone."""
        if self._over:
            return []
        messages = self._receive()
        if self._last and time.monotonic() - self._last_at > _GOODBYE:
            self.kill()
        if self._process is None or not self._process.is_alive():
            messages += self._receive()  # what it sent between the two looks
            messages.append(self._last or Crashed(error=self._why()))
            self._over = True
            self._close()
        elif self.worker:
            self._held = held_bytes(self.worker.pid)
        return messages

    def send(self, control: Control) -> None:
        """Tell the worker something; no error where it is gone."""
        with self._sending, suppress(OSError):
            if self._pipe:
                self._pipe.send_bytes(control.value.encode())

    def kill(self) -> None:
        """End the process and those it has started, at once, and wait until it is gone."""
        if self._process is not None and self._process.pid is not None:
            kill_family(self._process.pid)
            self._process.join(_GOODBYE)

    def _receive(self) -> list[Message]:
        messages: list[Message] = []
        try:
            while self._pipe and not self._silent and self._pipe.poll():
                message = decode(self._pipe.recv_bytes())
                if isinstance(message, Ended):
                    self._last, self._last_at, self._silent = message, time.monotonic(), True
                else:
                    messages.append(message)
        except (EOFError, OSError):
            self._silent = True  # nothing more will come; only the process's end is waited for
        return messages

    def _close(self) -> None:
        with self._sending:
            if self._pipe:
                self._pipe.close()
                self._pipe = None
        if self._process is not None:
            self._process.join()
            self._process.close()
            self._process = None
        with suppress(OSError):
            if self._log.stat().st_size == 0:
                self._log.unlink()

    def _why(self) -> str:
        """Return why the process ended without a word."""
        code = self._process.exitcode if self._process else None
        held = f"it held {self._held / 1e9:.1f} GB" if self._held else "it had just begun"
        if code == -getattr(signal, "SIGKILL", 9):
            return f"its process was killed, most likely by the system for want of memory ({held})"
        if code is not None and code < 0:
            name = signal.strsignal(-code) or f"signal {-code}"
            return f"its process crashed in native code ({name}, {held}; see logs/{self._log.name})"
        return f"its process ended with code {code} and without a word ({held}; see logs/{self._log.name})"
