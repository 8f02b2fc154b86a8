"""Immediate mode: each order is run to its end where it is started, in this process. For tests and small tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from errors import Cancelled, SplazMatteError
from queue_logic.executor import Handler
from queue_logic.job import JobProgress, Needs, Order
from queue_logic.messages import Control, Ended, Message, Planned, Progressed
from queue_logic.process import ProcessRecord


class InlineExecutor:
    """Runs each order at once and in this process; nothing guards against a crash.

    Args:
        workspace: handed to the handlers.
        handlers: by kind of job.
        should_stop: what a handler is told when it asks.
    """

    def __init__(
        self, workspace: Path, handlers: Mapping[str, Handler], should_stop: Callable[[], bool] = lambda: False
    ) -> None:
        self._workspace = workspace
        self._handlers = dict(handlers)
        self._should_stop = should_stop

    def start(self, order: Order, device: str) -> InlineExecution:
        """Run `order` to its end."""
        execution = InlineExecution(self._should_stop)
        execution.run(self._handlers[order.kind], self._workspace, order)
        return execution

    def wait(self, seconds: float) -> None:
        """Return at once: everything has ended already."""


class InlineExecution:
    """One order that has been run; both sides of the channel in one."""

    worker: ProcessRecord | None = None

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        self.should_stop = should_stop
        self._messages: list[Message] = []

    def run(self, handler: Handler, workspace: Path, order: Order) -> None:
        """Run the handler and keep how it ended."""
        try:
            ended = Ended(how="done", result=handler(workspace, order, self))
        except Cancelled as error:
            ended = Ended(how="cancelled", error=str(error))
        except SplazMatteError as error:
            ended = Ended(how="failed", error=str(error))
        except Exception as error:
            ended = Ended(how="failed", error=f"unexpected {type(error).__name__}: {error}")
        self._messages.append(ended)

    def progress(self, progress: JobProgress) -> None:
        """Keep how far the job is."""
        self._messages.append(Progressed(progress=progress))

    def needs(self, needs: Needs) -> None:
        """Keep what the job will need."""
        self._messages.append(Planned(needs=needs))

    def messages(self) -> list[Message]:
        """Return what has come since the last call."""
        messages, self._messages = self._messages, []
        return messages

    def send(self, control: Control) -> None:
        """Do nothing: it has ended."""

    def kill(self) -> None:
        """Do nothing: it has ended."""
