"""Two processes that change one session: what each has changed stays, whoever saves last.

While a job runs it records what is computed, and the user goes on clicking in the app. Both keep the state in memory
and save it whole, so each save is a three-way merge: what I have changed since I last read it, over what is there now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel

Fields = dict[str, Any]


class Mergeable(BaseModel):
    """A state that two processes may change; all fields but those named here are taken whole from one side."""

    by_id: ClassVar[frozenset[str]] = frozenset()
    """Fields that are lists of models with an `id`: merged one by one, field by field."""
    by_key: ClassVar[frozenset[str]] = frozenset()
    """Fields, of the state and of those models, that are merged entry by entry; an entry is taken whole."""

    id: str
    name: str
    source: str
    """Name of the video in the session's folder."""
    original_name: str
    """What its user calls that video."""
    created: datetime
    source_sha256: str = ""
    """Of that video; empty while nothing has needed it."""
    commercial: bool = False
    """Engines whose weights or code forbid commercial use are left out."""


State = TypeVar("State", bound=Mergeable)


def merge(base: State, mine: State, theirs: State) -> State:
    """Return `theirs` with what differs between `base` and `mine`.

    Where both have changed the same thing mine counts; what one of them has deleted is gone.

    Args:
        base: what mine was made from.
        mine: the state in this process.
        theirs: the state on the disk.
    """
    kind = type(theirs)
    merged = _fields(kind, _keyed(base), _keyed(mine), _keyed(theirs))
    return kind.model_validate(
        {**merged, **{name: list(merged[name].values()) for name in kind.by_id}, "id": theirs.id}
    )


def _keyed(state: Mergeable) -> Fields:
    """Return the fields, with lists of models by id."""
    # iter: a model may have a field called 'keys', which dict would take for a mapping's
    return dict(state) | {name: {item.id: dict(iter(item)) for item in getattr(state, name)} for name in state.by_id}


def _fields(kind: type[Mergeable], base: Fields, mine: Fields, theirs: Fields) -> Fields:
    return {name: _field(kind, name, base[name], mine[name], theirs[name]) for name in theirs}


def _field(kind: type[Mergeable], name: str, base: Any, mine: Any, theirs: Any) -> Any:
    if name in kind.by_id and isinstance(base, dict):  # a model of such a list may have a list of that name, of ids
        return _by_key(base, mine, theirs, lambda *sides: _fields(kind, *sides))
    return _by_key(base, mine, theirs, _value) if name in kind.by_key else _value(base, mine, theirs)


def _by_key(
    base: Mapping[Any, Any], mine: Mapping[Any, Any], theirs: Mapping[Any, Any], both: Callable[[Any, Any, Any], Any]
) -> dict[Any, Any]:
    """Merge entry by entry; `both` says what becomes of one that is on either side."""
    merged = {}
    for key in dict.fromkeys([*theirs, *mine]):
        if key in mine and key in theirs:
            merged[key] = both(base[key], mine[key], theirs[key]) if key in base else mine[key]
        elif key not in base:
            merged[key] = mine.get(key, theirs.get(key))
    return merged


def _value(base: Any, mine: Any, theirs: Any) -> Any:
    return theirs if mine == base else mine
