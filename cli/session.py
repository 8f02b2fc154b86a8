"""Commands `session …`: delete sessions, or only what nothing needs any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import Debug, Json, note, show
from cli.sessions import WithUploads, Yes, confirm, describe, remove, too, uploads_to_delete
from cli.text import bytes_text, counted, table
from cli.workspace import kind_of, open_jobs, room_of, stores

if TYPE_CHECKING:
    from session_base import StoredSession

app = typer.Typer(help="Sessions on the disk: delete them, or what nothing needs any more.", no_args_is_help=True)


@app.command()
def delete(
    session_ids: Annotated[
        list[str], typer.Argument(metavar="SESSION...", help="Sessions; `list` shows the ids.", show_default=False)
    ],
    uploads: WithUploads = False,
    yes: Yes = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Delete sessions with everything in them, and their jobs; asks first. Results of tracking, and uploads, stay."""
    from session_base import busy

    found = [(stores()[kind_of(session_id)], session_id) for session_id in dict.fromkeys(session_ids)]
    rows = [describe(store, session_id) for store, session_id in found]
    for store, session_id in found:
        if store.is_busy(session_id):
            raise busy(session_id)
    note(table([(row["session_id"], bytes_text(row["bytes"]), row["name"]) for row in rows]))
    size = sum(row["bytes"] for row in rows)
    up = uploads_to_delete(found, wanted=uploads)
    what = f"{counted(len(rows), 'session')} ({bytes_text(size)})"
    confirm(f"Delete {what}{too(up)}?", yes=yes)
    jobs = [job_id for store, session_id in found for job_id in remove(store, session_id, uploads=uploads)]
    show(
        {"removed": rows, "bytes": size, "jobs_removed": jobs, "uploads_removed": [one.key for one in up]},
        f"deleted {what}{too(up, ',')} and {counted(len(jobs), 'job')}",
    )


@app.command()
def clean(
    session_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[SESSION...]", help="Sessions; all if none is named.")
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Of finished ones also masks, alpha and raw tracks: `run` makes them again.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    yes: Yes = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Remove what nothing needs any more: leftovers, drafts, and frames of finished sessions; asks first.

    Sources, keyframes and deliverables stay, and `run` makes again what it needs.
    """
    plan = _plan(session_ids, deep=deep)
    note(plan.text())
    if plan.is_empty() or dry_run:
        show({**plan.data(), "dry_run": dry_run}, "nothing was removed")
        return
    confirm(f"Remove {bytes_text(plan.bytes)}?", yes=yes)
    _carry_out(plan, deep=deep, sweep=not session_ids)
    show({**plan.data(), "dry_run": False}, f"removed {bytes_text(plan.bytes)}")


@dataclass
class _Plan:
    """What is to be removed, and afterwards what was."""

    sessions: list[dict[str, Any]] = field(default_factory=list)
    leftovers: list[dict[str, Any]] = field(default_factory=list)
    """Folders of killed copies and deletes."""
    skipped: list[dict[str, str]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Files that were set aside because they could not be read."""

    @property
    def bytes(self) -> int:
        """Return how much it is."""
        return sum(row["bytes"] for row in [*self.sessions, *self.leftovers])

    def is_empty(self) -> bool:
        """Tell whether there is nothing to remove."""
        return not (self.sessions or self.leftovers)

    def skip(self, session_id: str, reason: str) -> None:
        """Note that a session is left as it is."""
        self.skipped.append({"session_id": session_id, "reason": reason})

    def data(self) -> dict[str, Any]:
        """Return it as --json prints it."""
        parts = {"sessions": self.sessions, "leftovers": self.leftovers, "skipped": self.skipped, "kept": self.kept}
        return {**parts, "bytes": self.bytes}

    def text(self) -> str:
        """Return it for people."""
        rows = [
            (
                row["session_id"],
                bytes_text(row["bytes"]),
                ", ".join(f"{k} {bytes_text(v)}" for k, v in row["parts"].items()),
            )
            for row in self.sessions
        ]
        rows += [(row["path"], bytes_text(row["bytes"]), "left by a killed copy or delete") for row in self.leftovers]
        lines = [table(rows)] if rows else ["there is nothing to clean"]
        lines += [f"left: {entry['reason']}" for entry in self.skipped]
        return "\n".join(lines + [f"kept, as it could not be read: {path}" for path in self.kept])


def _plan(session_ids: list[str] | None, *, deep: bool) -> _Plan:
    from config import get_settings
    from errors import SessionError
    from session_base import set_aside, tree_bytes

    plan = _Plan()
    jobs = open_jobs()
    everything = [session_id for store in stores().values() for session_id in store.ids()]
    for session_id in dict.fromkeys(session_ids or everything):
        kind = kind_of(session_id)
        store = stores()[kind]
        folder = store.folder(session_id)
        try:
            session = store.open(session_id)
        except SessionError as error:
            plan.skip(session_id, str(error))
        else:
            _plan_session(plan, kind, session, waits=session_id in jobs, deep=deep)
        plan.kept += map(str, set_aside(folder))
    if not session_ids:
        left = [path for store in stores().values() for path in store.leftovers()]
        plan.leftovers = [{"path": str(path), "bytes": tree_bytes(path)} for path in left]
        plan.kept += map(str, set_aside(get_settings().workspace_dir))
    return plan


def _plan_session(plan: _Plan, kind: str, session: StoredSession[Any], *, waits: bool, deep: bool) -> None:
    from session_base import busy, sizes

    session_id = session.state.id
    if stores()[kind].is_busy(session_id):
        plan.skip(session_id, str(busy(session_id)))
    elif waits:
        plan.skip(session_id, f"session {session_id} has a job in the queue, which needs it all")
    elif parts := sizes(room_of(kind).removable(session, deep=deep)):
        row = {"session_id": session_id, "name": session.state.original_name, "parts": parts}
        plan.sessions.append({**row, "bytes": sum(parts.values())})


def _carry_out(plan: _Plan, *, deep: bool, sweep: bool) -> None:
    """Remove what is in `plan`, and leave in it what was removed."""
    from errors import SessionError

    planned, plan.sessions = plan.sessions, []
    for row in planned:
        try:
            kind = kind_of(row["session_id"])
            parts = room_of(kind).clean(stores()[kind].open(row["session_id"]), deep=deep)
        except SessionError as error:  # it has become busy, or was deleted, while the user was asked
            plan.skip(row["session_id"], str(error))
            note(f"left: {error}")
        else:
            plan.sessions.append({**row, "parts": parts, "bytes": sum(parts.values())})
    if sweep:
        for store in stores().values():
            store.sweep()
