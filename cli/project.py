"""Commands `project …`: a session as one file, to go on with on another machine or in a newer version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.bytes_bar import BytesBar
from cli.out_file import check_out
from cli.output import Debug, Json, note, show
from cli.text import bytes_text, counted, printable, table
from cli.workspace import kind_of, stores

if TYPE_CHECKING:
    from projects import Manifest

app = typer.Typer(help="Project files: a session as one file, to go on with elsewhere or later.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(metavar="FILE", help="The project file.", show_default=False)]


@app.command("export")
def export_project(
    session_id: Annotated[str, typer.Argument(metavar="SESSION", help="The session; `list` shows the ids.")],
    out: Annotated[str, typer.Option(help="The file; the session's name if not given.")] = "",
    reference: Annotated[
        bool, typer.Option("--reference", help="Without the video: its name, size and hash; the import asks for it.")
    ] = False,
    with_results: Annotated[bool, typer.Option("--with-results", help="With what was delivered.")] = False,
    no_alpha: Annotated[
        bool, typer.Option("--no-alpha", help="Without the lossless alpha: smaller, and `run` makes it again.")
    ] = False,
    no_masks: Annotated[
        bool, typer.Option("--no-masks", help="Without propagated masks: keyframes stay, `run` makes the rest again.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Write a session as one file: video, prompts, masks, parameters, versions of engines and weights."""
    from projects import Wanted, file_name, write_export

    session = stores()[kind_of(session_id)].open(session_id)
    wanted = Wanted(source=not reference, masks=not no_masks, alpha=not no_alpha, results=with_results)
    target = check_out(out or file_name(session.state.name), force=force)
    with BytesBar() as bar:
        bar.begin("writing")
        manifest = write_export(session, wanted, target, on_progress=bar)
    size = target.stat().st_size
    data = {"session_id": session_id, "file": str(target), "bytes": size, **_data(manifest)}
    show(data, f"{target}: {counted(len(manifest.members), 'file')}, {bytes_text(size)}")


@app.command("import")
def import_file(
    file: File,
    source: Annotated[
        Path | None, typer.Option(help="The video, for a project that was exported with --reference.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the session; the project's own if not given.")] = "",
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Make a session of a project file; what does not fit is refused, and nothing is left of it."""
    from projects import import_project

    with BytesBar() as bar:
        bar.begin("reading")
        made = import_project(file, stores(), source=source, name=name, on_progress=bar)
    for line in made.notices:
        note(f"notice: {line}")
    state = made.session.state
    data = {"session_id": state.id, "kind": made.kind, "name": state.name, "session_dir": str(made.session.folder)}
    show({**data, "notices": made.notices}, f"{made.kind} session {state.id}: {printable(state.name)}")


@app.command("show")
def show_file(file: File, json_output: Json = False, debug: Debug = False) -> None:
    """Say what is in a project file, and whether it fits here; nothing is imported."""
    from projects import show_project

    found = show_project(file)
    data = {**_data(found.manifest), "fits": not found.obstacle, "obstacle": found.obstacle, "notices": found.notices}
    show(data, lambda: _text(found.manifest, found.obstacle, found.notices))


def _data(manifest: Manifest) -> dict[str, Any]:
    """Return a manifest as --json prints it: how many files there are, but not each."""
    return {**manifest.model_dump(mode="json", exclude={"members"}), "files": len(manifest.members)}


def _text(manifest: Manifest, obstacle: str, notices: list[str]) -> str:
    source = manifest.source
    where = "inside" if source.inside else "not inside: --source"
    rows = [
        ("project", f"{manifest.name} ({manifest.kind}), by SplazMatte {manifest.splazmatte}"),
        ("exported", f"{manifest.exported:%Y-%m-%d %H:%M} UTC"),
        ("source", f"{source.name}, {bytes_text(source.size)}, {where}"),
        *((engine.job, f"{engine.name} {engine.version}, {engine.licence}") for engine in manifest.engines),
        ("results", ", ".join(manifest.results) or "none"),
        ("files", str(len(manifest.members))),
        ("fits here", f"no: {obstacle}" if obstacle else "yes"),
        *(("notice", line) for line in notices),
    ]
    return table(rows)
