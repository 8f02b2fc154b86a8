"""Command `run`: a session of any kind, from where it is."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import matting, track
from cli.commercial import Commercial
from cli.options import Force
from cli.output import Debug, Json
from cli.workspace import kind_of


def run(
    session_id: Annotated[str, typer.Argument(help="The session; `list` shows the ids.", show_default=False)],
    segmenter: Annotated[str, typer.Option(help="Matting: another engine for prompts to masks.")] = "",
    propagator: Annotated[str, typer.Option(help="Matting: another engine for masks through the clip.")] = "",
    matter: Annotated[str, typer.Option(help="Matting: another engine for masks to alpha.")] = "",
    tracker: Annotated[str, typer.Option(help="Tracking: another engine.")] = "",
    param: Annotated[
        list[str] | None, typer.Option("--param", help="Change an engine's parameter, [JOB.]NAME=VALUE; repeatable.")
    ] = None,
    frames: Annotated[str, typer.Option("--range", help="Another START:STOP, frames from 0.")] = "",
    formats: Annotated[str, typer.Option("--formats", help="Other formats, comma-separated.")] = "",
    commercial: Commercial = None,
    force: Force = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Run a session, or go on with one that was cut off: only what is missing or stale is done.

    What is given here changes the session's own choices.
    """
    kind = kind_of(session_id)
    engines = {"segmenter": segmenter, "propagator": propagator, "matter": matter}
    _refuse(kind, {"tracker": tracker} if kind == "matting" else engines)
    if kind == "tracking":
        track.run_again(session_id, tracker, param or [], frames, formats, commercial=commercial, force=force)
    else:
        matting.run_again(session_id, engines, param or [], frames, formats, commercial=commercial, force=force)


def _refuse(kind: str, foreign: dict[str, str]) -> None:
    """Refuse engines of jobs that sessions of this kind do not have.

    Raises:
        ParameterError: one is given.
    """
    from errors import ParameterError

    if given := [job for job, name in foreign.items() if name]:
        raise ParameterError(f"a {kind} session has no {given[0]}; leave --{given[0]} out")
