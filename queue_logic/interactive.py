"""Work that a user is waiting for, in one warm process per device: it goes before the job on that device."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import pkgutil
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from errors import EngineFailedError, SplazMatteError
from log import LOG, to_job_file, without_secrets
from queue_logic.job_log import shorten
from queue_logic.process import kill_family
from queue_logic.worker import prepare


class Interactive:
    """Calls functions in a process of its own, one at a time, which keeps what they have loaded.

    A crash or a hang there ends the call with an error, never the app; the next call starts a new process.

    Args:
        workspace: the folder whose logs/ takes what the process prints.
        device: 'cpu', 'mps' or 'cuda:N'.
        first: a context in which the job on that device waits, as QueueRunner.first.
    """

    def __init__(self, workspace: Path, device: str, first: Callable[[str], AbstractContextManager[None]]) -> None:
        self._log = workspace / "logs" / f"interactive-{device.replace(':', '-')}.log"
        self._device = device
        self._first = first
        self._one = threading.Lock()
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None

    def call(self, target: str, *arguments: Any, seconds: float = 120.0) -> Any:
        """Return what 'module:function' returns for `arguments`; both have to be picklable.

        Args:
            target: the function, imported in the process only.
            arguments: for the function.
            seconds: after which it counts as hanging.

        Raises:
            SplazMatteError: as the function raised it.
            EngineFailedError: it crashed or took too long.
        """
        with self._one, self._first(self._device):
            pipe = self._start()
            try:
                pipe.send((target, arguments))
                wait([pipe], seconds)
                if not pipe.poll():
                    raise EngineFailedError(f"no answer within {seconds:g} s; the process was ended, try again")
                ok, value = pickle.loads(pipe.recv_bytes())
            except (EOFError, OSError):
                self._end()
                raise EngineFailedError(f"its process crashed; try again (see logs/{self._log.name})") from None
            except EngineFailedError:
                self._end()
                raise
        if ok:
            return value
        raise value

    @property
    def pid(self) -> int | None:
        """Return the number of the process; None where there is none."""
        process = self._process
        return process.pid if process is not None else None

    def close(self) -> None:
        """End the process and with it all that it holds, a GPU's memory too."""
        with self._one:
            self._end()

    def _start(self) -> Connection:
        if self._pipe is not None and self._process is not None and self._process.is_alive():
            return self._pipe
        self._end()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        name = f"interactive {self._device}"
        self._process = context.Process(
            target=serve, args=(theirs, str(self._log), self._device), name=name, daemon=True
        )
        self._process.start()
        theirs.close()
        return self._pipe

    def _end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None and self._process.pid is not None:
            kill_family(self._process.pid)
            self._process.join()
        self._pipe = self._process = None


def serve(pipe: Connection, log: str, device: str) -> None:
    """Answer calls until the other end of `pipe` is gone."""
    shorten(Path(log))
    prepare(log, device, background=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with to_job_file(Path(log), pid=os.getpid()), suppress(EOFError, OSError):
        while True:
            target, arguments = pipe.recv()
            pipe.send_bytes(pickle.dumps(_answer(target, arguments)))
    os._exit(0)


def _answer(target: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    try:
        return True, pkgutil.resolve_name(target)(*arguments)
    except SplazMatteError as error:
        return False, error
    except Exception as error:
        LOG.exception("unexpected error", call=target)
        return False, EngineFailedError(without_secrets(f"unexpected {type(error).__name__}: {error}"))
