"""SplazMatte's command line: `python run.py --help`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli import (
    bundle,
    demo,
    doctor,
    estimate,
    find,
    matting,
    models,
    probe,
    project,
    queue,
    run,
    run_queue,
    serve,
    session,
    sessions,
    settings,
    track,
    track_motion,
    upload,
)
from cli.output import EXIT_CODES, guard

app = typer.Typer(
    help="Cut people, animals and things out of video, on your own machine.",
    epilog=f"Exit codes: {EXIT_CODES}",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (
    demo.demo,
    matting.matte,
    probe.probe,
    sessions.list_sessions,
    run.run,
    matting.export,
    bundle.bundle,
    find.find,
    track.track,
    track_motion.track_motion,
    estimate.estimate,
    doctor.doctor,
    settings.settings,
    sessions.clean,
    serve.serve,
    run_queue.run_queue,
    upload.upload,
    upload.links,
):
    app.command(command.__name__.replace("list_sessions", "list").replace("_", "-"))(command)
app.add_typer(models.app, name="models")
app.add_typer(queue.app, name="queue")
app.add_typer(session.app, name="session")
app.add_typer(project.app, name="project")


def _version(value: bool) -> None:
    if value:
        from config import VERSION

        print(f"SplazMatte {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Cut people, animals and things out of video, on your own machine."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line with these arguments, or the process's own, and return its exit code."""
    return guard(lambda: app(arguments, standalone_mode=False))


if __name__ == "__main__":
    sys.exit(main())
