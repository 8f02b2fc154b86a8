"""Command `track`: points through a video, to files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commercial import Commercial, changed_terms, terms_field
from cli.options import Force, Queue, split_formats, stoppable
from cli.output import Debug, Json, ProgressBar, show
from cli.queue import show_jobs
from cli.track_choices import choices, engine_field, span_field
from cli.track_points import Wanted, new_session
from cli.workspace import enqueue, open_tracking_session, tracking_store

if TYPE_CHECKING:
    from tracking_runner import TrackingResult
    from tracking_session_store import TrackingSession

Formats = Annotated[
    str,
    typer.Option(
        "--formats",
        help="Comma-separated: video, and track formats (a wrong one lists them). [video,ae-keyframes,json]",
    ),
]


def track(
    video: Annotated[
        Path | None, typer.Argument(help="The video; it is copied, never changed. Not with --from.", show_default=False)
    ] = None,
    points: Annotated[
        list[str] | None,
        typer.Option("--points", help="[GROUP@]FRAME:X,Y X,Y …, as '0:640,360 100,80'; repeatable."),
    ] = None,
    mask: Annotated[
        list[str] | None, typer.Option("--mask", help="[GROUP@]FRAME=IMAGE, filled with points; repeatable.")
    ] = None,
    click: Annotated[
        list[str] | None,
        typer.Option("--click", help="[GROUP@]FRAME:±X,Y …: an object, whose mask is filled with points; repeatable."),
    ] = None,
    segmenter: Annotated[str, typer.Option(help="Engine for --click; the best that can run here if not given.")] = "",
    count: Annotated[int, typer.Option(help="Points of each mask.")] = 32,
    grid: Annotated[int, typer.Option(help="Points along the longer side of a grid over the first frame.")] = 0,
    region: Annotated[str, typer.Option(help="X0,Y0,X1,Y1 of the grid; the whole frame if not given.")] = "",
    origin: Annotated[
        str, typer.Option("--from", help="A matting session, whose video, clicks and masks are taken.")
    ] = "",
    tracker: Annotated[str, typer.Option(help="Engine; the best that can run here if not given.")] = "",
    param: Annotated[
        list[str] | None, typer.Option("--param", help="The engine's parameter, NAME=VALUE; repeatable.")
    ] = None,
    direction: Annotated[str, typer.Option(help="both, or forward: nothing before a point's own frame.")] = "both",
    frames: Annotated[str, typer.Option("--range", help="START:STOP, frames from 0, STOP not included.")] = "",
    smooth: Annotated[float, typer.Option(help="Frames over which tracks are smoothed, without lag.")] = 0,
    reject: Annotated[
        float, typer.Option(help="Jumps, against the neighbours' motion, that are left out; 3 is usual.")
    ] = 0,
    fill: Annotated[int, typer.Option(help="Longest gap in frames that is filled.")] = 0,
    motion: Annotated[
        list[str] | None,
        typer.Option("--motion", help="steady, similarity or corner-pin of all points; repeatable. See track-motion."),
    ] = None,
    formats: Formats = "",
    commercial: Commercial = None,
    force: Force = False,
    queue: Queue = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Track points through VIDEO, and write a video of them and files for After Effects, Nuke, Blender and others.

    Without --points, --mask, --click and --grid a grid of 8 is tracked.
    """
    wanted = Wanted(points or [], mask or [], click or [], segmenter, count, grid, region)
    terms = {} if origin and commercial is None else terms_field(commercial, {"tracker": tracker})
    chosen = choices(tracker, param or [], direction, formats, (smooth, reject, fill)) | span_field(frames) | terms
    session = new_session(video, origin, wanted, chosen, motion or [])
    if queue:
        show_jobs([enqueue(session, force=force)])
    else:
        run_and_show(session, force=force, new=True)


def run_again(
    session_id: str,
    tracker: str,
    param: list[str],
    frames: str,
    formats: str,
    *,
    commercial: bool | None,
    force: bool,
) -> None:
    """Run a tracking session with what is changed here; see `cli.run`."""
    from tracking_runner import check_formats

    session = open_tracking_session(session_id)
    before = session.state.tracker
    changes = engine_field(tracker or before.name, param, before) if tracker or param else {}
    changes |= span_field(frames)
    if formats:
        changes["formats"] = check_formats(split_formats(formats))
    changes |= changed_terms(commercial)
    if changes:
        with session.lock():
            session.state = session.state.model_copy(update=changes)
            session.save()
    run_and_show(session, force=force)


def run_and_show(session: TrackingSession, *, force: bool, new: bool = False) -> None:
    """Run `session` with a bar and print what it gave; a new one that turns out to be unusable is removed."""
    from errors import InputError
    from tracking_runner import run_tracking

    try:
        with stoppable() as should_stop, ProgressBar() as bar:
            result = run_tracking(session, on_progress=bar, should_stop=should_stop, check=not force)
    except InputError:
        if new and not session.state.tracked:
            tracking_store().delete(session.state.id)
        raise
    show(result.summary(), lambda: result_text(result))


def result_text(result: TrackingResult) -> str:
    """Return a result for people."""
    state = result.session.state
    lines = [
        f"session {state.id}: {len(state.points)} points, {result.span[1] - result.span[0]} frames, by {result.engine}"
    ]
    lines += [f"  {stage:<14}{seconds:8.2f} s" for stage, seconds in result.seconds.items()]
    lines += [f"  {'motion':<14}{motion_text(motion)}" for motion in result.motions]
    lines += [f"  {'note':<14}{text}" for text in result.notices]
    lines += [f"  {name:<14}{path}" for name, path in result.outputs.items()]
    return "\n".join(lines)


def motion_text(motion: dict[str, Any]) -> str:
    """Return a motion's residual, as `tracking_runner.residuals` has it, in one line."""
    parts = [f"{motion['name']}{' (stabilises)' if motion['stabilises'] else ''}, from frame {motion['reference']}:"]
    if motion["rms"] is None:
        parts.append("no other frame could be solved")
    else:
        parts.append(f"{motion['rms']:.2f} px, at worst {motion['worst']:.2f} px on frame {motion['worst_frame']}")
    if motion["solved"] < motion["frames"]:
        parts.append(f"{motion['frames'] - motion['solved']} frames not solved")
    return "; ".join([" ".join(parts[:2]), *parts[2:], *([motion["note"]] if motion["note"] else [])])
