"""One deliverable as it is handed out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from session_base import sidecar_path


@dataclass(frozen=True)
class Result:
    """One deliverable as it is handed out."""

    path: Path
    """A file, or a folder of files."""
    name: str
    """What the user's file is called; a folder's without an ending."""
    stem: str
    """What the user's video is called, without its ending."""

    @property
    def sidecar(self) -> Path | None:
        """Return the file that says how it was made; None for one of an older version."""
        path = sidecar_path(self.path)
        return path if path.is_file() else None

    @property
    def sidecar_name(self) -> str:
        """Return what the user's copy of that file is called."""
        return sidecar_path(Path(self.name)).name
