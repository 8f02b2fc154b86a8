"""One deliverable as it is handed out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import SessionError
from runner_base.sidecar import read_sidecar
from session_base import StoredSession, sidecar_path


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


def refuse_forbidden(session: StoredSession[Any], path: Path, name: str) -> None:
    """Hand nothing out of a session for commercial use that was made by what forbids it.

    Raises:
        SessionError: it was, or nobody knows.
    """
    if session.state.commercial:
        sidecar = read_sidecar(path)
        if sidecar is None:
            raise SessionError(f"{name} was made before its makers were noted; deliver it again for commercial use")
        if not sidecar.commercial_use:
            raise SessionError(f"{name} is not for commercial use ({sidecar.forbidden_by[0]}); deliver it again")
