"""Commands `list` and `clean`, and what commands about sessions share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import Debug, Json, note, show
from cli.text import bytes_text, counted, table
from cli.workspace import open_jobs, room_of, stores

if TYPE_CHECKING:
    from queue_logic import Job
    from results.uploaded import Up
    from session_base import SessionFolders, StoredSession

_THINGS = {"matting": "objects", "tracking": "points"}
"""What a session of each kind is about."""
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
WithUploads = Annotated[
    bool, typer.Option("--uploads", help="Also delete what is uploaded, first; a session stays where that fails.")
]


def list_sessions(json_output: Json = False, debug: Debug = False) -> None:
    """List the sessions with their state, progress and size."""
    jobs = open_jobs(uploads=False)
    rows = [
        _row(kind, store, session_id, jobs.get(session_id))
        for kind, store in stores().items()
        for session_id in store.ids()
    ]
    show({"sessions": rows}, lambda: table([_cells(row) for row in rows]) or "no sessions yet")


def clean(
    logs: Annotated[bool, typer.Option("--logs", help="Only the logs.")] = False,
    uploads: WithUploads = False,
    yes: Yes = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Remove all sessions (or only logs) from the workspace; asks first."""
    removed, skipped = _remove_logs() if logs else _remove_sessions(yes=yes, uploads=uploads)
    for entry in skipped:
        note(f"left: {entry['reason']}")
    what = "log" if logs else "session"
    show({"removed": removed, "skipped": skipped}, f"removed {counted(len(removed), what)}")


def try_open(store: SessionFolders[Any], session_id: str) -> StoredSession[Any] | None:
    """Return a session that is there; None, with a warning, where its state cannot be read.

    Raises:
        SessionNotFoundError: there is none, or it is not an id.
    """
    from errors import SplazMatteError

    store.folder(session_id)
    try:
        return store.open(session_id)
    except SplazMatteError as error:
        note(f"warning: {error}")
        return None


def describe(store: SessionFolders[Any], session_id: str) -> dict[str, Any]:
    """Return the id, name and size of a session, whatever state it is in.

    Raises:
        SessionNotFoundError: there is none, or it is not an id.
    """
    from session_base import tree_bytes

    session = try_open(store, session_id)
    name = str(session.state.original_name) if session else "?"
    return {"session_id": session_id, "name": name, "bytes": tree_bytes(store.folder(session_id))}


def uploads_to_delete(found: list[tuple[SessionFolders[Any], str]], *, wanted: bool) -> list[Up]:
    """Return what sessions have in the cloud, where that is to be deleted with them.

    Raises:
        ParameterError: no cloud store is set, or its settings make no sense.
    """
    if not wanted:
        return []
    from integrations.cloud_settings import required_settings
    from results.uploaded import uploads_of

    required_settings()
    return [up for store, session_id in found for up in uploads_of(store.folder(session_id))]


def remove(store: SessionFolders[Any], session_id: str, *, uploads: bool = False) -> list[str]:
    """Delete a session, its uploads before it if wanted, then take its jobs off the queue; return their ids.

    Raises:
        SessionBusyError: a process works on it; the session and its jobs stay.
        UploadError: its uploads could not be deleted; likewise.
    """
    from config import get_settings
    from queue_logic import JobQueue, read_jobs

    if uploads:
        from results.uploaded import delete_before_session

        store.delete(session_id, delete_before_session)
    else:
        store.delete(session_id)
    workspace = get_settings().workspace_dir
    if all(job.session_id != session_id for job in read_jobs(workspace)):
        return []
    return [job.id for job in JobQueue(workspace).remove_session(session_id)]


def confirm(question: str, *, yes: bool) -> None:
    """Ask on stderr unless `yes`; a no ends the command.

    Raises:
        ParameterError: there is no terminal to ask on.
    """
    from errors import ParameterError

    if yes:
        return
    if not sys.stdin or not sys.stdin.isatty():
        raise ParameterError("this asks before it removes anything, and there is no terminal to ask on: add --yes")
    if not typer.confirm(question, err=True):
        raise typer.Abort


def too(up: list[Up], joint: str = " and") -> str:
    """Return what a question, or its answer, says of uploads that go too."""
    return f"{joint} {counted(len(up), 'upload')}" if up else ""


def _row(kind: str, store: SessionFolders[Any], session_id: str, job: Job | None) -> dict[str, Any]:
    room = room_of(kind)
    session = try_open(store, session_id)
    folder = store.folder(session_id)
    usage = room.folder_usage(folder, session.state if session else None)
    row: dict[str, Any] = {"kind": kind, "session_id": session_id, "session_dir": str(folder)}
    row |= {"bytes": usage.total, "usage": usage.model_dump()}
    if session is None:
        return {**row, "name": "?", "state": "unreadable", "progress": 0.0, _THINGS[kind]: 0, "formats": []}
    state = _state(store, session, job)
    running = job is not None and job.state == "running" and state == "running"
    return {
        **row,
        "name": session.state.original_name,
        "created": session.state.created.isoformat(),
        "state": state,
        "progress": round(job.progress.fraction if job and running else room.progress(session), 4),
        _THINGS[kind]: len(getattr(session.state, _THINGS[kind])),
        "formats": list(session.state.delivered),
    }


def _state(store: SessionFolders[Any], session: StoredSession[Any], job: Job | None) -> str:
    """Return where a session stands: its job in the queue says, or how its last run ended."""
    from config import get_settings
    from errors import StorageError
    from queue_logic import current_owner

    last = session.state.last_run.status if session.state.last_run else "new"
    claimed = job.state.value if job else last
    if claimed != "running":
        return claimed
    if job and current_owner(get_settings().workspace_dir):
        return "running"
    try:
        return "running" if store.is_busy(session.state.id) else "interrupted"
    except StorageError:  # somebody else's, or a read-only disk: it cannot be told from here
        return "running"


def _cells(row: dict[str, Any]) -> list[str]:
    formats = ", ".join(row["formats"]) or "-"
    size = bytes_text(row["bytes"])
    return [row["session_id"], row["kind"], row["state"], f"{row['progress']:4.0%}", f"{size:>8}", formats, row["name"]]


def _remove_sessions(*, yes: bool, uploads: bool) -> tuple[list[str], list[dict[str, str]]]:
    """Remove all sessions that nobody works on; return the ids, and what was left with the reason."""
    from errors import SessionBusyError

    found = [(store, describe(store, session_id)) for store in stores().values() for session_id in store.ids()]
    size = bytes_text(sum(row["bytes"] for _, row in found))
    up = uploads_to_delete([(store, row["session_id"]) for store, row in found], wanted=uploads)
    if found:
        confirm(f"Remove {counted(len(found), 'session')} ({size}){too(up)}?", yes=yes)
    removed, skipped = [], []
    for store, row in found:
        try:
            remove(store, row["session_id"], uploads=uploads)
            removed.append(row["session_id"])
        except SessionBusyError as error:
            skipped.append({"session_id": row["session_id"], "reason": str(error)})
    for store in stores().values():
        store.sweep()
    return removed, skipped


def _remove_logs() -> tuple[list[str], list[dict[str, str]]]:
    from config import usable_workspace

    workspace = usable_workspace()
    removed, skipped = [], []
    for path in sorted([*workspace.glob("*.log*"), *Path(workspace / "logs").glob("*.log*")]):
        try:
            path.unlink(missing_ok=True)
            removed.append(str(path))
        except OSError as error:  # Windows keeps the log of a job that runs
            skipped.append({"path": str(path), "reason": f"{path}: {error.strerror}"})
    return removed, skipped
