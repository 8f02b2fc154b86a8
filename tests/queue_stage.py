"""A queue whose executions a test plays by hand, with a clock that it turns: no process, no sleep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from queue_logic import (
    JobQueue,
    Limits,
    Observer,
    Order,
    ProcessRecord,
    QueueRunner,
)
from queue_logic.messages import Control, Crashed, Ended, Message


@dataclass
class Played:
    """An execution whose messages the test says."""

    order: Order
    device: str
    worker: ProcessRecord | None = None
    said: list[Message] = field(default_factory=list)
    heard: list[Control] = field(default_factory=list)
    killed: bool = False

    def messages(self) -> list[Message]:
        said, self.said = self.said, []
        return said

    def send(self, control: Control) -> None:
        self.heard.append(control)
        if control is Control.CANCEL and self.obeys:
            self.said.append(Ended(how="cancelled"))

    obeys: bool = True

    def kill(self) -> None:
        self.killed = True
        self.said.append(Crashed(error="its process was killed"))


class Stage:
    """A queue, its runner, a clock that the test turns, and executions that it plays."""

    def __init__(
        self,
        workspace: Path,
        devices: tuple[str, ...] = ("cpu",),
        lanes: dict[str, str] | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.now = 0.0
        self.started: list[Played] = []
        self.queue = JobQueue(workspace, clock=lambda: self.now)
        limits = Limits(hang_seconds=60, cancel_seconds=3, attempts=2)
        self.runner = QueueRunner(self.queue, self, devices, limits, lambda: self.now, lanes, observers)

    def start(self, order: Order, device: str) -> Played:
        self.started.append(Played(order, device))
        return self.started[-1]

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.runner.step()

    def says(self, *messages: Message) -> None:
        self.started[-1].said.extend(messages)
        self.runner.step()

    def killed(self) -> list[bool]:
        return [played.killed for played in self.started]

    def states(self) -> list[str]:
        return [job.state.value for job in self.queue.jobs()]


def add(stage: Stage, count: int = 2) -> None:
    for number in range(count):
        stage.queue.add("matting", f"s{number}")


DONE = Ended(how="done", result={"frames": 3})
