"""What the command line prints: JSON on stdout or text for people, progress and errors on stderr, exit codes."""

from __future__ import annotations

import errno
import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.text import printable
from errors import SplazMatteError, StorageError

if TYPE_CHECKING:
    from typer.exceptions import TyperException

    from matting_runner.progress import Progress
    from queue_logic import JobProgress

EXIT_BUG = 1
EXIT_USAGE = 2
EXIT_CODES = """\
0 done · 1 unexpected error, or a job failed · 2 wrong usage · 3 unusable input · 4 session, job or queue not found,
unreadable or busy · 5 engine missing something or failed · 6 disk full or not writable · 7 does not fit this machine ·
130 stopped by the user"""


@dataclass
class Flags:
    """What the flags that every command takes were set to."""

    json: bool = False
    debug: bool = False


flags = Flags()


def _set_json(value: bool) -> bool:
    flags.json = flags.json or value
    return value


def _set_debug(value: bool) -> bool:
    flags.debug = flags.debug or value
    return value


Json = Annotated[bool, typer.Option("--json", callback=_set_json, is_eager=True, help="Print one JSON object.")]
Debug = Annotated[bool, typer.Option("--debug", callback=_set_debug, is_eager=True, help="Show where errors arise.")]


def show(data: dict[str, Any], text: Callable[[], str] | str) -> None:
    """Print `data` with --json, otherwise `text`."""
    if flags.json:
        print(json.dumps(data, ensure_ascii=False))
    else:
        print(_for_people(text if isinstance(text, str) else text()))


def note(text: str) -> None:
    """Print a line for people on stderr."""
    print(_for_people(text), file=sys.stderr)


def _for_people(text: str) -> str:
    """Return lines without anything that moves the cursor; what may break a line is up to who puts a name into it."""
    return printable(text, keep="\n\t")


def guard(call: Callable[[], Any]) -> int:
    """Run the command line; print errors as one line and return the exit code."""
    from typer.exceptions import Abort, TyperException

    try:
        result = call()
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except SplazMatteError as error:
        return _fail(str(error), type(error).__name__, error.exit_code)
    except TyperException as error:
        return _wrong_usage(error)
    except (KeyboardInterrupt, Abort):
        return _fail("stopped", "Cancelled", 130)
    except OSError as error:
        return _of_the_system(error)
    except Exception as error:
        return _bug(error)


def _of_the_system(error: OSError) -> int:
    """Say what the system has refused: a full disk is nobody's bug."""
    if isinstance(error, BrokenPipeError):  # who reads what it prints has had enough
        return EXIT_BUG
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return _bug(error)
    message = f"cannot write: {error.strerror}; free space, or choose another place"
    return _fail(message, "StorageError", StorageError.exit_code)


def _bug(error: Exception) -> int:
    reason = _without_secrets(f"unexpected {type(error).__name__}: {error}")
    return _fail(f"{reason} (run again with --debug)", "Bug", EXIT_BUG)


def _wrong_usage(error: TyperException) -> int:
    """Say what is wrong; a command without the one that should follow has said nothing wrong, and gets its help."""
    if type(error).__name__ == "NoArgsIsHelpError":  # typer keeps the class to itself
        note(error.format_message())
        return EXIT_USAGE
    return _fail(error.format_message(), "UsageError", EXIT_USAGE)


def _fail(message: str, kind: str, code: int) -> int:
    if flags.debug:
        sys.stderr.write(_without_secrets(traceback.format_exc()))
    if flags.json:
        print(json.dumps({"error": {"type": kind, "message": message, "exit_code": code}}, ensure_ascii=False))
    note(f"error: {' '.join(message.splitlines())}")
    return code


def _without_secrets(text: str) -> str:
    """Return a text that may have a library's own words as it may be shown."""
    try:
        from log import without_secrets
    except ImportError:  # an installation that is not complete
        return text
    return without_secrets(text)


class ProgressBar:
    """A bar on stderr for a run: stage, frames, frames a second, time left. Silent where nobody looks."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[frames]}  {task.fields[speed]}  {task.fields[left]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=1.0, frames="", speed="", left="")

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """Print a line for people on stderr, above the bar."""
        self._bar.console.print(_for_people(text), markup=False, highlight=False, soft_wrap=True)

    def __call__(self, progress: Progress | JobProgress) -> None:
        """Show `progress`."""
        steps, speed = _amounts(progress)
        self._bar.update(
            self._task,
            description=progress.stage,
            completed=progress.fraction,
            frames=steps,
            speed=speed if progress.fps else "",
            left=f"{progress.seconds_left:.0f} s left" if progress.seconds_left is not None else "",
        )


def _amounts(progress: Progress | JobProgress) -> tuple[str, str]:
    """Return how many steps are done of how many, and how many a second."""
    if getattr(progress, "unit", "frames") == "bytes":
        from app_logic.words import bytes_text

        return f"{bytes_text(progress.done)}/{bytes_text(progress.total)}", f"{bytes_text(progress.fps)}/s"
    return f"{progress.done:g}/{progress.total:g} frames", f"{progress.fps:.1f} frames/s"
