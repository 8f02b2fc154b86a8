"""Two processes that change one session: what each has changed stays, whoever saves last.

While a job runs it records what is computed, and the user goes on clicking in the app. Both keep the state in memory
and save it whole, so each save is a three-way merge: what I have changed since I last read it, over what is there now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from session_store.state import MattingState

Fields = dict[str, Any]
_BY_KEY = {"prompts", "keyframes", "confidence", "delivered"}
"""Fields that are merged entry by entry; an entry is taken whole from one side, as is any other field."""


def merge(base: MattingState, mine: MattingState, theirs: MattingState) -> MattingState:
    """Return `theirs` with what differs between `base` and `mine`.

    Where both have changed the same thing mine counts; what one of them has deleted is gone.

    Args:
        base: what mine was made from.
        mine: the state in this process.
        theirs: the state on the disk.
    """
    return MattingState.model_validate(_fields(_keyed(base), _keyed(mine), _keyed(theirs)) | {"id": theirs.id})


def _keyed(state: MattingState) -> Fields:
    """Return the fields with the objects by id."""
    return dict(state) | {"objects": {item.id: dict(item) for item in state.objects}}


def _fields(base: Fields, mine: Fields, theirs: Fields) -> Fields:
    merged = {name: _field(name, base[name], mine[name], theirs[name]) for name in theirs}
    if "objects" in merged:
        merged["objects"] = list(merged["objects"].values())
    return merged


def _field(name: str, base: Any, mine: Any, theirs: Any) -> Any:
    if name == "objects":
        return _by_key(base, mine, theirs, _fields)
    return _by_key(base, mine, theirs, _value) if name in _BY_KEY else _value(base, mine, theirs)


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
