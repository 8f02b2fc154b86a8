"""Undo and redo: what the user had decided, before each step."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Generic

from session_base.merge import State

STEPS = 200


@dataclass(frozen=True)
class Decisions:
    """What of a kind of state the user decides; what was computed is left to the marks, which tell what is stale."""

    fields: tuple[str, ...]
    """Of the state, taken whole."""
    items: str
    """The field that lists models with an `id`."""
    computed: tuple[str, ...] = ()
    """Fields of those models that a run writes."""


@dataclass(frozen=True)
class Step(Generic[State]):
    """A state of before a step, and what the step was."""

    text: str
    key: str
    """Steps of one key that follow each other before the last is final are one: a slider that is dragged."""
    state: State
    """Never changed, as every decision replaces what it changes."""


class History(Generic[State]):
    """The steps that can be taken back, and those that can be done again."""

    def __init__(self) -> None:
        self._undo: deque[Step[State]] = deque(maxlen=STEPS)
        self._redo: list[Step[State]] = []
        self._open = ""

    @property
    def can_undo(self) -> str:
        """Return what would be taken back; empty if nothing."""
        return self._undo[-1].text if self._undo else ""

    @property
    def can_redo(self) -> str:
        """Return what would be done again; empty if nothing."""
        return self._redo[-1].text if self._redo else ""

    def remember(self, text: str, state: State, key: str = "", *, final: bool = True) -> bool:
        """Take note of the state before a step; tell whether that was a step of its own."""
        goes_on = bool(key) and key == self._open
        self._open = "" if final else key
        if goes_on:
            return False
        self._redo.clear()
        self._undo.append(Step(text, key, state.model_copy(deep=True)))
        return True

    @property
    def newest(self) -> Step[State] | None:
        """Return the last step that can be taken back."""
        return self._undo[-1] if self._undo else None

    def drop(self, step: Step[State] | None) -> None:
        """Forget a step that failed."""
        for known in self._undo:
            if known is step:
                self._undo.remove(known)
                break

    def undo(self, now: State) -> Step[State] | None:
        """Return the state to go back to, while `now` becomes the one to come again to."""
        return self._move(self._undo, self._redo, now)

    def redo(self, now: State) -> Step[State] | None:
        """Return the state to come again to."""
        return self._move(self._redo, self._undo, now)

    def _move(
        self, source: deque[Step[State]] | list[Step[State]], target: deque[Step[State]] | list[Step[State]], now: State
    ) -> Step[State] | None:
        self._open = ""
        if not source:
            return None
        step = source.pop()
        target.append(Step(step.text, step.key, now.model_copy(deep=True)))
        return step


def restored(now: State, then: State, decisions: Decisions) -> State:
    """Return the state with the decisions of `then` and with what was computed until `now`."""
    current = {item.id: item for item in getattr(now, decisions.items)}
    decided = {name: getattr(then, name) for name in decisions.fields}
    items = [_restored(item, current.get(item.id), decisions) for item in getattr(then, decisions.items)]
    return now.model_copy(update={**decided, decisions.items: items}).model_copy(deep=True)


def _restored(item: Any, current: Any, decisions: Decisions) -> Any:
    return item.model_copy(update={name: getattr(current, name) for name in decisions.computed} if current else {})
