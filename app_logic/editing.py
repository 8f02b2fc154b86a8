"""What edits of any session share: one lock, a revision, undo, saving beside a running job, engines, range, formats."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic

from app_logic.undo import Decisions, History, Step, restored
from engines.registry import check_params, get_spec, obstacle, preferred
from engines.spec import Job
from engines.terms import forbidden_by, refuse_forbidden
from errors import EngineUnavailableError, PromptError
from runner_base.facts import load_info
from session_base import EngineChoice, StoredSession
from session_base.merge import State

Call = Callable[..., Any]
"""queue_logic.Interactive.call, or something like it: call('module:function', *arguments)."""


class Editing(ABC, Generic[State]):
    """One session that the user edits, in any number of tabs and threads, also while a job works on it.

    Args:
        workspace: the folder of the folders of sessions.
        session: the session.
        call: runs engines for a user who waits.
    """

    decisions: ClassVar[Decisions]

    def __init__(self, workspace: Path, session: StoredSession[State], call: Call) -> None:
        self.session = session
        self.revision = 1
        """Grows with everything that a page shows."""
        self._workspace = workspace
        self._call = call
        self._lock = threading.RLock()
        self._history: History[State] = History()
        self._shown: tuple[int, dict[str, Any]] = (0, {})

    @property
    def can_undo(self) -> str:
        """Return what `undo` would take back; empty if nothing."""
        return self._history.can_undo

    @property
    def can_redo(self) -> str:
        """Return what `redo` would do again; empty if nothing."""
        return self._history.can_redo

    def refresh(self) -> bool:
        """Take up what a job or another process has saved; tell whether there was something.

        Raises:
            SessionNotFoundError: the session was deleted.
            StoreError: its state cannot be read any more.
        """
        with self._lock:
            before = self.session.state
            self.session.refresh()
            if self.session.state is before:
                return False
            self.revision += 1
            return True

    def view(self) -> dict[str, Any]:
        """Return what a page shows of the session, as plain values; see app_logic.view."""
        with self._lock:
            if self._shown[0] != self.revision:
                self._shown = self.revision, self._view()
            return self._shown[1]

    def undo(self) -> str:
        """Take the last step back; return what it was, empty if there is none."""
        return self._travel(self._history.undo)

    def redo(self) -> str:
        """Do the step again that was taken back last; return what it is, empty if there is none."""
        return self._travel(self._history.redo)

    def set_engine(self, job: Job, name: str, params: Mapping[str, Any]) -> None:
        """Choose the engine of a job with the parameters that differ from its defaults.

        Raises:
            ParameterError: no such engine or parameter, a value outside its range, or an engine that forbids commercial
                use, which the session is for.
            EngineUnavailableError: it cannot run here; the message says what mends it.
        """
        spec = get_spec(job, name)
        checked = check_params(spec, params)
        if self.session.state.commercial:
            refuse_forbidden(spec, checked)
        if reason := obstacle(spec, checked):
            raise EngineUnavailableError(reason)
        kept = {param.name: checked[param.name] for param in spec.params if checked[param.name] != param.default}
        self._set("engine", **{job.value: EngineChoice(name=name, params=kept)})

    def set_commercial(self, commercial: bool) -> None:
        """Choose whether engines that forbid commercial use are left out; such a one makes room for the best other."""
        replaced = {}
        for job in Job if commercial else ():
            choice = getattr(self.session.state, job.value, None)
            if choice is not None and forbidden_by(get_spec(job, choice.name), choice.params):
                name, params = preferred(job)
                replaced[job.value] = EngineChoice(name=name, params=params)
        self._set("commercial use", commercial=bool(commercial), **replaced)

    def set_range(self, start: int | None, stop: int | None = None) -> None:
        """Choose the frames `start` .. `stop` (half-open) to be made; None for all.

        Raises:
            PromptError: they are not within the clip.
        """
        if start is None or stop is None:
            self._set("range", range=None)
            return
        frames = load_info(self.session).frames
        if not 0 <= start < stop <= frames:
            raise PromptError(f"range {start}:{stop} is outside the clip, which has the frames 0:{frames}")
        self._set("range", range=None if (start, stop) == (0, frames) else (start, stop))

    def set_formats(self, formats: Sequence[str]) -> None:
        """Choose what is delivered.

        Raises:
            ParameterError: one of them is not a format, or there is none.
        """
        self._set("formats", formats=self._checked_formats(formats))

    @abstractmethod
    def _view(self) -> dict[str, Any]:
        """Return the session as the page shows it."""

    @abstractmethod
    def _checked_formats(self, formats: Sequence[str]) -> list[str]:
        """Return them checked; raises ParameterError where one is not a format, or there is none."""

    def _took_back(self, before: State) -> None:
        """Put in place what undo or redo has brought back, beside the state; `before` is the one it has replaced."""

    def _set(self, text: str, **fields: Any) -> None:
        with self._lock:
            if all(getattr(self.session.state, name) == value for name, value in fields.items()):
                return
            self._remember(text)
            for name, value in fields.items():
                setattr(self.session.state, name, value)
            self._save()

    def _remember(self, text: str, key: str = "", *, final: bool = True) -> None:
        self._history.remember(text, self.session.state, key, final=final)

    def _save(self) -> None:
        """Save, and let every tab see it."""
        self.revision += 1
        self.session.save()

    def _inside(self, frame: int) -> None:
        """Refuse a frame that there is not."""
        frames = load_info(self.session).frames
        if not 0 <= frame < frames:
            raise PromptError(f"there is no frame {frame}; the last is {frames - 1}")

    def _travel(self, move: Callable[[State], Step[State] | None]) -> str:
        with self._lock:
            step = move(self.session.state)
            if step is None:
                return ""
            before = self.session.state
            self.session.state = restored(before, step.state, self.decisions)
            self._took_back(before)
            self._save()
            return step.text
