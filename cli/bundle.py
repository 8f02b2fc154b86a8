"""Command `bundle`: what several sessions have delivered, as one zip."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.bytes_bar import BytesBar
from cli.options import split_formats
from cli.out_file import STDOUT, check_out, check_stdout, send
from cli.output import Debug, Json, note, show
from cli.text import bytes_text, counted
from cli.workspace import kind_of, stores


def bundle(
    session_ids: Annotated[
        list[str], typer.Argument(metavar="SESSION...", help="Sessions; `list` shows the ids.", show_default=False)
    ],
    out: Annotated[str, typer.Option(help="The zip; - for standard output.")] = "results.zip",
    formats: Annotated[
        str, typer.Option(help="Only these, as in alpha,prores,json; all that is delivered if not given.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Put what sessions of both kinds have delivered into one zip, under the names of their videos."""
    from results.sessions import word_of_outdated
    from results.several import bundle as zip_of
    from results.several import choose, left_out
    from zip_stream import save

    target = None if out == STDOUT else check_out(out, force=force)
    if target is None:
        check_stdout()
    sessions = _sessions(session_ids)
    names = split_formats(formats)
    taken = choose(sessions, names)
    reasons = [f"left out of {session.state.id}: {why}" for session in sessions for why in left_out(session, names)]
    older = [text for session in sessions if (text := word_of_outdated(session, taken[session.state.id]))]
    stream = zip_of([(session, taken[session.state.id]) for session in sessions])
    with BytesBar() as bar:
        bar.begin("writing")
        if target is None:
            send(stream, bar)
        else:
            save(stream, target, bar)
    text = f"{counted(len(stream.members), 'file')} of {counted(len(sessions), 'session')}, {bytes_text(stream.size)}"
    for reason in reasons + older:
        note(reason)
    if target is None:
        note(text)
        return
    files = [member.name for member in stream.members]
    data = {
        "file": str(target),
        "bytes": stream.size,
        "sessions": taken,
        "files": files,
        "left_out": reasons,
        "outdated": older,
    }
    show(data, f"{target}: {text}")


def _sessions(session_ids: list[str]) -> list[Any]:
    known = stores()
    return [known[kind_of(session_id)].open(session_id) for session_id in dict.fromkeys(session_ids)]
