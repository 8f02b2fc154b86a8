"""Command `track`: points through a video, to files for other programs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.matting import stoppable
from cli.output import Debug, Json, ProgressBar, show

if TYPE_CHECKING:
    from pipeline.info import VideoInfo
    from tracking_runner import TrackingResult
    from tracking_session_store import TrackingSession

DEFAULT_GRID = 8


def track(
    video: Annotated[Path, typer.Argument(help="The video; it is copied, never changed.", show_default=False)],
    points: Annotated[
        list[str] | None,
        typer.Option("--points", help="[GROUP@]FRAME:X,Y X,Y …, as '0:640,360 100,80'; repeatable."),
    ] = None,
    mask: Annotated[
        list[str] | None, typer.Option("--mask", help="[GROUP@]FRAME=IMAGE, filled with points; repeatable.")
    ] = None,
    count: Annotated[int, typer.Option(help="Points of each mask.")] = 32,
    grid: Annotated[int, typer.Option(help="Points along the longer side of a grid over the first frame.")] = 0,
    region: Annotated[str, typer.Option(help="X0,Y0,X1,Y1 of the grid; the whole frame if not given.")] = "",
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
    formats: Annotated[
        str, typer.Option("--formats", help="Comma-separated: video, and track formats (a wrong one lists them).")
    ] = "video,ae-keyframes,json",
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Track points through VIDEO, and write a video of them and files for After Effects, Nuke, Blender and others.

    Without --points, --mask and --grid a grid of 8 is tracked.
    """
    from tracking_runner import run_tracking

    session = _new_session(video, points or [], mask or [], count, grid, region, frames)
    _choose(session, tracker, param or [], direction, frames, formats, (smooth, reject, fill))
    with stoppable() as should_stop, ProgressBar() as bar:
        result = run_tracking(session, on_progress=bar, should_stop=should_stop)
    show(result.summary(), lambda: _text(result))


def _new_session(
    video: Path, points: list[str], masks: list[str], count: int, grid: int, region: str, frames: str
) -> TrackingSession:
    """Create a session with its points; one that cannot be used leaves nothing behind."""
    from cli.prompts import parse_range
    from cli.workspace import tracking_store
    from runner_base.facts import load_info
    from tracking_runner import create_session

    store = tracking_store()
    session = create_session(store, video)
    try:
        info = load_info(session)
        _add_points(session, points)
        _add_masks(session, masks, count, info)
        if grid or not session.state.points:
            first = parse_range(frames)[0] if frames else 0
            _add_grid(session, grid or DEFAULT_GRID, region, first, info)
        session.save()
    except BaseException:
        store.delete(session.state.id)
        raise
    return session


def _add_points(session: TrackingSession, texts: list[str]) -> None:
    from cli.prompts import numbers
    from errors import PromptError

    for text in texts:
        match = re.fullmatch(r"(?:(?P<group>[^@=:]{1,40})@)?(?P<frame>\d{1,9}):(?P<rest>.+)", text.strip(), re.DOTALL)
        if not match:
            raise PromptError(f"'{text}' cannot be read; write it as --points '0:640,360 100,80'")
        for part in match["rest"].split():
            position = numbers(part.removeprefix("+"), 2)
            if position is None:
                raise PromptError(f"'{part}' in --points '{text}' is not a point; write X,Y, in pixels")
            session.add_point(int(match["frame"]), *position, group=match["group"] or "")


def _add_masks(session: TrackingSession, texts: list[str], count: int, info: VideoInfo) -> None:
    from cli.prompts import parse
    from pipeline.masks import load_mask_image
    from tracking_runner.queries import spread

    for group, masks in parse(texts, [], []).masks.items():
        for frame, image in masks.items():
            for x, y in spread(load_mask_image(image, (info.width, info.height)), count):
                point = session.add_point(frame, x, y, group=group)
                point.origin = "mask"


def _add_grid(session: TrackingSession, count: int, region: str, frame: int, info: VideoInfo) -> None:
    from cli.prompts import numbers
    from errors import PromptError
    from tracking_runner.queries import grid

    edges = numbers(region, 4) if region else [-0.5, -0.5, info.width - 0.5, info.height - 0.5]
    if edges is None:
        raise PromptError(f"--region '{region}' is not X0,Y0,X1,Y1, in pixels")
    for x, y in grid((edges[0], edges[1], edges[2], edges[3]), count):
        point = session.add_point(frame, x, y)
        point.origin = "grid"


def _choose(
    session: TrackingSession,
    tracker: str,
    params: list[str],
    direction: str,
    frames: str,
    formats: str,
    refinement: tuple[float, float, int],
) -> None:
    """Take what was chosen into the session's state.

    Raises:
        ParameterError: no such engine, parameter or format.
        EngineUnavailableError: the engine cannot run here.
    """
    from cli.matting import split_formats
    from cli.prompts import parse_params, parse_range
    from engines.registry import check_params, get_spec, obstacle
    from engines.spec import Job
    from errors import EngineUnavailableError, ParameterError
    from session_base import EngineChoice
    from tracking_runner import check_formats
    from tracking_session_store import Refinement

    state = session.state
    if direction not in ("forward", "both"):
        raise ParameterError(f"--direction must be forward or both, not '{direction}'")
    if tracker or params:
        spec = get_spec(Job.TRACKER, tracker or state.tracker.name)
        given = parse_params(params)
        checked = check_params(spec, given)
        state.tracker = EngineChoice(name=spec.name, params={name: checked[name] for name in given})
        if reason := obstacle(spec, state.tracker.params):
            raise EngineUnavailableError(reason)
    state.direction = "both" if direction == "both" else "forward"
    state.range = parse_range(frames) if frames else None
    state.refinement = Refinement(smooth=refinement[0], reject=refinement[1], fill=refinement[2])
    state.formats = check_formats(split_formats(formats))
    session.save()


def _text(result: TrackingResult) -> str:
    """Return a result for people."""
    state = result.session.state
    lines = [
        f"session {state.id}: {len(state.points)} points, {result.span[1] - result.span[0]} frames, by {result.engine}"
    ]
    lines += [f"  {stage:<14}{seconds:8.2f} s" for stage, seconds in result.seconds.items()]
    lines += [f"  {'note':<14}{text}" for text in result.notices]
    lines += [f"  {name:<14}{path}" for name, path in result.outputs.items()]
    return "\n".join(lines)
