"""One deliverable as it is handed out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """One deliverable as it is handed out."""

    path: Path
    """A file, or a folder of files."""
    name: str
    """What the user's file is called; a folder's without an ending."""
    stem: str
    """What the user's video is called, without its ending."""
