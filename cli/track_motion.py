"""Command `track-motion`: motions solved from the points of a tracking session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Force, split_formats, stoppable
from cli.output import Debug, Json, ProgressBar, show
from cli.track import result_text
from cli.track_points import add_motion
from cli.workspace import open_tracking_session

if TYPE_CHECKING:
    from tracking_session_store import TrackingSession


def track_motion(
    session_id: Annotated[str, typer.Argument(help="The tracking session; `list` shows the ids.", show_default=False)],
    kind: Annotated[str, typer.Option("--kind", help="steady, similarity or corner-pin.")] = "",
    name: Annotated[str, typer.Option(help="What it is called; one of that name is replaced.")] = "",
    points: Annotated[str, typer.Option(help="Ids of the points it is solved from, as 1,2,5; all if not given.")] = "",
    group: Annotated[str, typer.Option(help="Or the group of points.")] = "",
    reference: Annotated[
        int, typer.Option(help="Frame that all others are compared with; -1 is the one with the most points.")
    ] = -1,
    corners: Annotated[
        str, typer.Option(help="Of a corner pin, on that frame: 'X,Y X,Y X,Y X,Y', clockwise from the top left.")
    ] = "",
    stabilise: Annotated[bool, typer.Option("--stabilise", help="Hold the picture still, do not follow.")] = False,
    smooth: Annotated[float, typer.Option(help="Of a stabilisation: frames; 0 locks the picture.")] = 0,
    clear: Annotated[bool, typer.Option("--clear", help="Take the session's motions away first.")] = False,
    formats: Annotated[str, typer.Option("--formats", help="Other formats, comma-separated.")] = "",
    force: Force = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Solve a motion from a session's points, show its residual, and deliver it with the session's formats.

    Steady is one track from many; similarity is position, rotation and scale; a corner pin follows a plane by four
    corners, which may lie outside the picture. What has no tracks yet is tracked first.
    """
    from tracking_runner import check_formats, run_tracking
    from tracking_runner.residuals import session_residuals

    session = open_tracking_session(session_id)
    chosen = check_formats(split_formats(formats)) if formats else None
    with session.lock():
        if clear:
            session.state.motions = []
        if kind:
            _add(session, kind, name, points, group, reference, corners, stabilise, smooth)
        session.state.formats = chosen or session.state.formats
        session.save()
    with stoppable() as should_stop, ProgressBar() as bar:
        result = run_tracking(session, on_progress=bar, should_stop=should_stop, check=not force)
    if session.state.motions and not result.motions:  # none of the formats carries them, or all are there already
        result = replace(result, motions=session_residuals(session, result.span))
    show(result.summary(), lambda: result_text(result))


def _add(
    session: TrackingSession,
    kind: str,
    name: str,
    points: str,
    group: str,
    reference: int,
    corners: str,
    stabilise: bool,
    smooth: float,
) -> None:
    """Add the motion, in the place of one of the same name."""
    fields: dict[str, Any] = {"points": _chosen(session, points, group), "stabilises": stabilise, "smooth": smooth}
    fields |= {"reference": reference} if reference >= 0 else {}
    fields |= {"corners": _corners(corners)} if corners else {}
    if name:
        fields["name"] = name
        session.state.motions = [known for known in session.state.motions if known.name != name]
    add_motion(session, kind, **fields)


def _chosen(session: TrackingSession, points: str, group: str) -> list[int]:
    """Return the ids of the points, empty for all.

    Raises:
        ParameterError: some of them are not there.
    """
    from errors import ParameterError

    if points and group:
        raise ParameterError("give --points or --group, not both")
    known = {point.id: point.group for point in session.state.points}
    if group:
        if found := [number for number, of in known.items() if of == group]:
            return found
        names = ", ".join(sorted({of for of in known.values() if of})) or "none"
        raise ParameterError(f"no point is in a group '{group}'; there is: {names}")
    try:
        numbers = [int(part) for part in points.split(",")] if points else []
    except ValueError:
        raise ParameterError(f"--points '{points}' is not a list of ids, as 1,2,5") from None
    if missing := [number for number in numbers if number not in known]:
        raise ParameterError(f"there is no point {missing[0]} in session {session.state.id}")
    return numbers


def _corners(text: str) -> list[tuple[float, float]]:
    from cli.prompts import numbers
    from errors import ParameterError

    found = [numbers(part, 2) for part in text.split()]
    if len(found) != 4 or None in found:
        raise ParameterError(f"--corners '{text}' is not four corners; write 'X,Y X,Y X,Y X,Y', in pixels")
    return [(corner[0], corner[1]) for corner in found if corner is not None]
