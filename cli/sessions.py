"""Commands `list` and `clean`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import Debug, Json, note, show

if TYPE_CHECKING:
    from session_store import SessionStore


def list_sessions(json_output: Json = False, debug: Debug = False) -> None:
    """List the sessions with their state and size."""
    store = _store()
    rows = [_row(store, session_id) for session_id in store.ids()]
    show({"sessions": rows}, lambda: "\n".join(_text(row) for row in rows) or "no sessions yet")


def clean(
    logs: Annotated[bool, typer.Option("--logs", help="Only the logs.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Remove all sessions (or only logs) from the workspace; asks first."""
    from config import get_settings

    store = _store()
    ids = [] if logs else list(store.ids())
    files = sorted(get_settings().workspace.glob("*.log*")) if logs else []
    if ids and not yes and not typer.confirm(f"Remove {len(ids)} sessions from {store.root}?", err=True):
        raise typer.Abort
    for session_id in ids:
        store.delete(session_id)
    for path in files:
        path.unlink()
    show({"removed": [*ids, *map(str, files)]}, f"removed {len(ids)} sessions, {len(files)} logs")


def _store() -> SessionStore:
    from config import get_settings
    from session_store import SessionStore

    return SessionStore(get_settings().sessions_dir)


def _row(store: SessionStore, session_id: str) -> dict[str, Any]:
    from errors import SessionError

    row: dict[str, Any] = {"session_id": session_id, "session_dir": str(store.root / session_id)}
    row["bytes"] = _size(store.root / session_id)
    try:
        state = store.open(session_id).state
    except SessionError as error:
        note(f"warning: {error}")
        return {**row, "name": "?", "status": "unreadable", "objects": 0, "formats": []}
    status = state.last_run.status if state.last_run else "new"
    return {
        **row,
        "name": state.original_name,
        "created": state.created.isoformat(),
        "status": "interrupted" if status == "running" and not store.is_busy(session_id) else status,
        "objects": len(state.objects),
        "formats": list(state.delivered),
    }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _text(row: dict[str, Any]) -> str:
    formats = ", ".join(row["formats"]) or "-"
    return f"{row['session_id']}  {row['status']:<11} {row['bytes'] / 1e6:8.1f} MB  {row['name']}  {formats}"
