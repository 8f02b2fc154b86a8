"""Files that commands write where the user says: refused before anything is done, whole or not there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zip_stream import ZipStream

STDOUT = "-"


def check_out(out: str, *, force: bool) -> Path:
    """Return the file that is to be written.

    Raises:
        ParameterError: its folder is not there, it is a folder, or it exists and is not to be replaced.
        StorageError: its name is too long, or its folder may not be looked at.
    """
    from errors import ParameterError, storage_errors

    if out == STDOUT:
        raise ParameterError("that does not go to standard output; name a file: --out FILE")
    path = Path(out).expanduser().absolute()
    with storage_errors(path, "--out"):
        if not path.parent.is_dir():
            raise ParameterError(f"there is no folder {path.parent}; make it, or choose another place")
        if path.is_dir():
            raise ParameterError(f"{path} is a folder; name a file in it")
        if path.exists() and not force:
            raise ParameterError(f"{path} exists already; add --force to replace it")
    return path


def check_stdout() -> None:
    """Refuse to write a zip where text is read.

    Raises:
        ParameterError: standard output is a terminal, or takes --json.
    """
    from cli.output import flags
    from errors import ParameterError

    if flags.json:
        raise ParameterError("--json and --out - both write to standard output; choose one")
    if sys.stdout.isatty():
        raise ParameterError("a zip is no text for a terminal; redirect it, or name a file: --out results.zip")


def send(stream: ZipStream, on_progress: Callable[[int, int], None]) -> None:
    """Write an archive to standard output."""
    done = 0
    for block in stream:
        sys.stdout.buffer.write(block)
        done += len(block)
        on_progress(done, stream.size)
    sys.stdout.buffer.flush()
