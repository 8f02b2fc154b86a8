"""A bar on stderr for what is measured in bytes: how many, how fast, how much time is left."""

from __future__ import annotations

from cli.text import printable


class BytesBar:
    """A line for each thing that is read or fetched. Silent where nobody looks."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, visible=False)

    def __enter__(self) -> BytesBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self, what: str) -> None:
        """Begin a new line for `what`."""
        from rich.markup import escape

        self._task = self._bar.add_task(escape(printable(what)), total=None)

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` bytes are there; the first call's are not part of the speed."""
        task = next(entry for entry in self._bar.tasks if entry.id == self._task)
        if task.total is None:
            self._bar.reset(self._task, total=total, completed=done)
        self._bar.update(self._task, completed=done)
