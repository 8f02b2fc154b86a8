"""Commands `upload` and `links`: results in the cloud, and out of it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.bytes_bar import BytesBar
from cli.options import Queue, split_formats, stoppable
from cli.output import Debug, Json, note, show
from cli.queue import show_jobs
from cli.sessions import Yes, confirm
from cli.text import bytes_text, counted, printable, table
from cli.workspace import kind_of, open_queue, stores

if TYPE_CHECKING:
    from pathlib import Path

    from results.cloud import Link
    from results.uploaded import Up

Sessions = Annotated[
    list[str], typer.Argument(metavar="SESSION...", help="Sessions; `list` shows the ids.", show_default=False)
]
Formats = Annotated[str, typer.Option("--formats", help="Comma-separated; all that are delivered if not given.")]
TheseFormats = Annotated[str, typer.Option("--formats", help="Comma-separated; all that are up if not given.")]


def upload(
    session_ids: Sessions,
    formats: Formats = "",
    queue: Queue = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Upload what sessions have delivered to the cloud store that is set, and print links; goes on after a cut."""
    from integrations.cloud_settings import required_settings
    from log import to_console
    from results.sessions import chosen, word_of_outdated

    required_settings()
    names = split_formats(formats) if formats else []
    sessions = [stores()[kind_of(session_id)].open(session_id) for session_id in dict.fromkeys(session_ids)]
    for session in sessions:
        chosen(session, names)
    for text in filter(None, (word_of_outdated(session, names or session.state.delivered) for session in sessions)):
        note(text)
    if queue:
        parameters: dict[str, Any] = {"formats": names} if names else {}
        show_jobs([open_queue().add("upload", session.state.id, parameters) for session in sessions])
        return
    with stoppable("stopping; what was sent is kept") as asked, BytesBar() as bar, to_console():
        made = []
        try:
            for session in sessions:
                made.append((session, _upload(session, names, asked, bar)))
        finally:
            if len(made) < len(sessions) and made:
                note(f"what is up: run.py links {' '.join(session.state.id for session, _ in made)}")
    found = [(session.state.id, link) for session, keys in made for link in _links_of(session) if link.key in keys]
    show({"links": [_row(session_id, link) for session_id, link in found]}, lambda: _text(found))


def links(
    session_ids: Sessions,
    formats: TheseFormats = "",
    delete: Annotated[bool, typer.Option("--delete", help="Delete it there instead; asks first.")] = False,
    yes: Yes = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Print fresh links to what sessions have in the cloud, or delete it there."""
    from integrations.cloud_settings import required_settings
    from results.several import check_formats
    from results.uploaded import elsewhere
    from session_base import SIDECAR

    required_settings()
    names = split_formats(formats)
    check_formats(names)
    if delete:
        _delete(
            {session_id: stores()[kind_of(session_id)].folder(session_id) for session_id in session_ids}, names, yes
        )
        return
    sessions = [stores()[kind_of(session_id)].open(session_id) for session_id in dict.fromkeys(session_ids)]
    found = [(session.state.id, link) for session in sessions for link in _links_of(session)]
    found = [(key, link) for key, link in found if not names or link.format.removesuffix(SIDECAR) in names]
    others = sum(elsewhere(session.folder) for session in sessions)
    if others:
        note(f"{counted(others, 'upload')} in another bucket than the one that is set")
    show({"links": [_row(session_id, link) for session_id, link in found]}, lambda: _text(found))


def _delete(folders: dict[str, Path], formats: list[str], yes: bool) -> None:
    """Delete what sessions have in the cloud, after a question; whatever state the sessions are in."""
    from results.uploaded import delete_uploads, uploads_of

    up = [one for folder in folders.values() for one in uploads_of(folder, formats)]
    if up:
        note(table([("not complete" if one.size is None else bytes_text(one.size), one.name) for one in up]))
        confirm(f"Delete {counted(len(up), 'upload')} in the cloud?", yes=yes)
    gone = [(key, one) for key, folder in folders.items() for one in delete_uploads(folder, formats)]
    text = f"deleted {counted(len(gone), 'upload')}" if gone else "nothing is up"
    show({"deleted": [_gone(session_id, one) for session_id, one in gone]}, text)


def _upload(session: Any, formats: list[str], asked: Any, bar: BytesBar) -> set[str]:
    """Upload results of a session, and return their keys."""
    from results.cloud import upload_results

    bar.begin(session.state.original_name)
    made = upload_results(
        session, formats, on_progress=lambda amount: bar(amount.done, amount.total), should_stop=asked
    )
    return {up.key for up in made}


def _links_of(session: Any) -> list[Link]:
    from results.cloud import links

    return links(session)


def _row(session_id: str, link: Link) -> dict[str, Any]:
    return {
        "session_id": session_id,
        "format": link.format,
        "name": link.name,
        "key": link.key,
        "size": link.size,
        "url": link.url,
        "expires": link.expires.isoformat(timespec="seconds") if link.expires else None,
        "uploaded": link.at.isoformat(timespec="seconds"),
        "current": link.current,
    }


def _gone(session_id: str, up: Up) -> dict[str, Any]:
    return {"session_id": session_id, "format": up.format, "name": up.name, "key": up.key, "size": up.size}


def _text(found: list[tuple[str, Link]]) -> str:
    lines, several, last = [], len({session_id for session_id, _ in found}) > 1, ""
    for session_id, link in found:
        if several and session_id != last:
            lines.append(f"{session_id}:")  # clips of several sessions may have the same name
        last = session_id
        until = f", until {link.expires.astimezone():%Y-%m-%d %H:%M}" if link.expires else ""
        old = "" if link.current else ", out of date: upload again"
        lines += [f"{printable(link.name)} ({bytes_text(link.size)}{until}{old})", f"  {link.url}"]
    return "\n".join(lines) or "nothing is up yet; run.py upload ID"
