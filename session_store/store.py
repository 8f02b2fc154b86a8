"""The folder of all matting sessions."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from atomic import sync_file
from session_base import SessionFolders, new_id
from session_store.session import MattingSession
from session_store.state import MattingState


class SessionStore(SessionFolders[MattingSession]):
    """The folder of all matting sessions; see session_base.SessionFolders."""

    kind = MattingSession

    def create(self, video: Path, name: str = "", *, original_name: str = "", move: bool = False) -> MattingSession:
        """Copy `video` (or `move` it) into a new session; what fails leaves nothing behind.

        Raises:
            StorageError: the disk is full, read-only or not writable.
        """
        given = Path(original_name or video.name)
        suffix = given.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", given.suffix) else ".video"
        state = MattingState(
            id=new_id(),
            name=name or given.stem,
            source=f"source{suffix}",
            original_name=given.name,
            created=datetime.now(UTC),
        )

        def fill(folder: Path) -> None:
            if move:
                video.replace(folder / state.source)
            else:
                shutil.copyfile(video, folder / state.source)
            sync_file(folder / state.source)

        return self.add(state, fill)
