"""Where jobs run: the interface between the queue and whatever runs an order.

`LocalExecutor` runs each in a process of its own on this machine. An engine that spreads work over machines takes its
place by implementing these two protocols: it gets an `Order`, shares the workspace, and carries the messages of
messages.py. Neither the queue nor a runner knows the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from queue_logic.job import JobProgress, Needs, Order
from queue_logic.messages import Control, Message
from queue_logic.process import ProcessRecord


class Channel(Protocol):
    """A handler's side of a job: what it tells the queue, and how it learns that it should stop."""

    def progress(self, progress: JobProgress) -> None:
        """Tell how far the job is; call it after each frame."""

    def needs(self, needs: Needs) -> None:
        """Tell what the job will need, before it begins."""

    def should_stop(self) -> bool:
        """Tell whether to stop; waits while the job is paused. Ask it after each frame."""


Handler = Callable[[Path, Order, Channel], dict[str, JsonValue]]
"""Does one kind of job: (workspace, order, channel) -> result. Raises SplazMatteError with a message for the user."""


class Execution(Protocol):
    """One order under way."""

    @property
    def worker(self) -> ProcessRecord | None:
        """Return the process that does it, where it is one of this machine."""

    def messages(self) -> list[Message]:
        """Return what has come since the last call, in order; Ended or Crashed is the last one ever."""

    def send(self, control: Control) -> None:
        """Tell the worker something; no error where it is gone."""

    def kill(self) -> None:
        """End the worker at once and wait until it is gone; its last message, if any, is still returned."""


class Executor(Protocol):
    """Runs orders."""

    def start(self, order: Order, device: str) -> Execution:
        """Begin `order` on `device` and return at once."""

    def wait(self, seconds: float) -> None:
        """Wait until one of what was started has something to say, or for that long."""
