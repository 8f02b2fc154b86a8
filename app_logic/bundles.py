"""Downloads of several sessions' results: what there is to choose from, and what a browser has chosen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from errors import ParameterError, SplazMatteError

if TYPE_CHECKING:
    from app_logic.services import Services
    from zip_stream import ZipStream

LONGEST_QUERY = 60_000
"""Characters of what a browser asks for."""
_CHOICE = re.compile(r"([0-9a-z][0-9a-z-]{0,63}):([a-z0-9-]{1,40}(?:\.[a-z0-9-]{1,40}){0,39})")


@dataclass(frozen=True)
class Delivery:
    """A session that has results."""

    kind: str
    id: str
    name: str
    sizes: dict[str, int]
    """Bytes by format."""
    outdated: frozenset[str] = frozenset()
    """Formats that were made before the session's last changes."""


def deliveries(services: Services) -> list[Delivery]:
    """Return every session that has something to download, the newest first."""
    from results.sessions import outdated
    from results.several import delivered
    from session_base import tree_bytes

    found = []
    for side in services.sides.values():
        for session_id in side.store.ids():
            with suppress(SplazMatteError):
                session: Any = side.store.open(session_id)
                if sizes := {name: tree_bytes(result.path) for name, result in delivered(session).items()}:
                    older = frozenset(outdated(session))
                    found.append(Delivery(side.kind, session_id, session.state.name, sizes, older))
    return sorted(found, key=lambda row: row.id, reverse=True)


def query_of(chosen: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return what a browser asks for: (session id, formats) of each as `id:alpha.prores,id:json`."""
    return ",".join(f"{session_id}:{'.'.join(names)}" for session_id, names in chosen if names)


def fits(query: str) -> bool:
    """Tell whether `chosen_bundle` takes so much at once."""
    from results.several import MOST_SESSIONS

    return len(query) <= LONGEST_QUERY and query.count(",") < MOST_SESSIONS


def chosen_bundle(services: Services, query: str) -> ZipStream:
    """Return the zip that a browser asks for; see `query_of`.

    Raises:
        ParameterError: a query that is none, or there is no such format.
        SessionError: there is no such session, or a format is not delivered.
    """
    from results.several import MOST_SESSIONS, bundle

    parts = query.split(",") if fits(query) else []
    matches = [_CHOICE.fullmatch(part) for part in parts]
    wanted = {match[1]: match[2].split(".") for match in matches if match}
    if not wanted or len(wanted) != len(parts):
        raise ParameterError(f"that is no choice of results; choose some of 1 to {MOST_SESSIONS} sessions")
    chosen = [(services.side_of(session_id).store.open(session_id), names) for session_id, names in wanted.items()]
    return bundle(chosen)
