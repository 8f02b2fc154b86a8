"""What the tests of the media-out modules share."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def ffmpeg_program(name: str = "ffmpeg") -> str:
    """Return the path of the program, or skip the test where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"the {name} program is not installed")
    return path


@contextmanager
def small_disk(folder: Path, kilobytes: int = 256) -> Iterator[Path]:
    """Mount a file system of this size on `folder`, or skip the test where that is not allowed."""
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("no mount program: a full disk cannot be tried")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("mounting needs root: a full disk cannot be tried")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
