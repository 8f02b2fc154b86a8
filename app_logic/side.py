"""One kind of session as the app has it: its store, the open editors, pictures, work, and what files go in and out."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from errors import SplazMatteError
from session_base import SessionFolders

if TYPE_CHECKING:
    from app_logic.editing import Editing
    from app_logic.frame_pictures import FramePictures
    from app_logic.jobs import SessionWork
    from queue_logic import JobQueue
    from results import Result
    from results.cloud import Link
    from results.uploaded import Up

Editor = TypeVar("Editor", bound="Editing[Any]")
_OPEN = 8
"""Sessions whose editors, with their undo, are kept."""


@dataclass(frozen=True)
class Surroundings:
    """What all kinds of session share."""

    workspace: Path
    queue: JobQueue
    call: Callable[..., Any]
    """Runs engines for a user who waits."""
    wait: Callable[[float], object]
    """Called with the seconds to wait for something that ends soon."""


class Side(ABC, Generic[Editor]):
    """One kind of session.

    Args:
        around: what all kinds share.
        store: the sessions of this kind.
        others: stores of other kinds, by the kind of their jobs.
    """

    kind: ClassVar[str]
    """Of its jobs."""
    keeps_results: ClassVar[bool] = False
    """Whether results lie outside the sessions' folders, and stay when a session is deleted."""

    def __init__(
        self, around: Surroundings, store: SessionFolders[Any], others: Mapping[str, SessionFolders[Any]]
    ) -> None:
        self.store = store
        self._around = around
        self._others = others
        self._editors: OrderedDict[str, Editor] = OrderedDict()
        self._lock = threading.Lock()

    @property
    @abstractmethod
    def work(self) -> SessionWork:
        """Return what starts and stops long work."""

    @property
    @abstractmethod
    def pictures(self) -> FramePictures:
        """Return what makes the pictures that browsers ask for."""

    @abstractmethod
    def create(self, video: Path, name: str) -> Any:
        """Make a session of a video, which is moved; `name` is its user's."""

    @abstractmethod
    def state_of(self, session: Any) -> str:
        """Return how far a session is, in one word of pages.sessions_panel.STATES."""

    @abstractmethod
    def size_of(self, folder: Path, session: Any) -> int:
        """Return the bytes of a session on the disk; None for one that cannot be read."""

    @abstractmethod
    def results(self, session: Any, names: Iterable[str]) -> list[Result]:
        """Return deliverables of a session by their formats' names.

        Raises:
            ParameterError: none is asked for, or there is no such format.
            SessionError: one is not delivered, or being made anew.
        """

    def links(self, session_id: str) -> list[Link]:
        """Return fresh links to what is up of a session; see results.cloud."""
        from results.cloud import links

        return links(self.editor(session_id).session)

    def uploads(self, session_id: str) -> list[Up]:
        """Return what a session has in the cloud, also what it does not hand out; see results.uploaded."""
        from results.uploaded import uploads_of

        return uploads_of(self.store.folder(session_id))

    def uploads_version(self, session_id: str) -> object:
        """Return what is other than before when something of a session has gone up or was deleted, by whomever."""
        from integrations.ledger import FILE_NAME

        with suppress(OSError, SplazMatteError):
            found = (self.store.folder(session_id) / FILE_NAME).stat()
            return found.st_mtime_ns, found.st_size
        return None

    def has_uploads(self, session_id: str) -> bool:
        """Tell whether a session has something in the cloud that can be deleted with it."""
        with suppress(SplazMatteError):
            return bool(self.uploads(session_id))
        return False

    def delete_upload(self, session_id: str, name: str) -> None:
        """Delete what a session has in the cloud of a format.

        Raises:
            SessionBusyError: another process works on the session; it may be uploading.
            UploadError: the store does not do it, or cannot be reached.
        """
        from results.uploaded import delete_uploads

        delete_uploads(self.store.folder(session_id), [name])

    @abstractmethod
    def _edit(self, session: Any) -> Editor:
        """Return a new editor of a session."""

    def editor(self, session_id: str) -> Editor:
        """Return the editor of a session: the same one for every tab.

        Raises:
            SessionNotFoundError: there is no such session.
            StoreError: its state cannot be read.
        """
        folder = self.store.folder(session_id)
        with self._lock:
            known = self._editors.get(session_id)
            if known is None or known.session.folder != folder:
                known = self._edit(self.store.open(session_id))
                self._editors[session_id] = known
            self._editors.move_to_end(session_id)
            while len(self._editors) > _OPEN:
                self._editors.popitem(last=False)
            return known

    @cached_property
    def list(self) -> Any:
        """Return the list of its sessions: one for all tabs, so that each folder is measured once."""
        from app_logic.sessions import SessionList

        return SessionList(self.store, self)
