"""One matting session's folder and state."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from json_store import Migration
from session_base import StoredSession
from session_store.state import MattingState, SessionObject

COLOURS = ("#e6492d", "#2d9ae6", "#4fc04f", "#e6b42d", "#a05ae6", "#2dd4c8", "#e65aa8", "#8c9a3c")


class MattingSession(StoredSession[MattingState]):
    """A matting session; see session_base.StoredSession."""

    model = MattingState
    migrations: ClassVar[dict[int, Migration]] = {1: lambda data: data, 2: lambda data: data}
    """Each version has new fields with defaults; an older SplazMatte would drop them, and so refuses it."""

    @property
    def alpha_dir(self) -> Path:
        """Return the folder of the lossless alpha."""
        return self.folder / "alpha"

    def masks_dir(self, object_id: int, kind: Literal["keyframes", "propagated", "drafts", "bases", "past"]) -> Path:
        """Return the folder of an object's masks of that kind."""
        return self.folder / "masks" / str(object_id) / kind

    def add_object(self, name: str = "") -> SessionObject:
        """Add an object with the next free id and colour, and return it."""
        folders = (self.folder / "masks").glob("[0-9]*")  # a deleted object's masks may be wanted back
        used = [*(item.id for item in self.state.objects), *(int(path.name) for path in folders if path.name.isdigit())]
        number = max(used, default=0) + 1
        colour = COLOURS[(number - 1) % len(COLOURS)]
        self.state.objects.append(SessionObject(id=number, name=name or f"object {number}", colour=colour))
        return self.state.objects[-1]
