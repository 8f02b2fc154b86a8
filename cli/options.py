"""What several commands share: options, lists of formats, and Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from cli.output import note

Queue = Annotated[bool, typer.Option("--queue", help="Put it into the queue instead of running it now.")]
Force = Annotated[bool, typer.Option("--force", help="Try also what does not seem to fit into memory or disk.")]


def split_formats(text: str) -> list[str]:
    """Return the names in a comma-separated list."""
    return [name.strip() for name in text.split(",") if name.strip()]


@contextmanager
def stoppable(words: str = "stopping after this frame; once more to stop at once") -> Iterator[Any]:
    """Give a function that says whether the user pressed Ctrl-C (or sent SIGTERM); a second time stops at once."""
    asked = threading.Event()

    def ask(number: int, frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        note(words)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
