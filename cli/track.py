"""Command `track`: points through a video, to files for other programs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.matting import Force, Queue, split_formats, stoppable
from cli.output import Debug, Json, ProgressBar, show
from cli.queue import show_jobs
from cli.workspace import enqueue, open_session, open_tracking_session, tracking_store

if TYPE_CHECKING:
    from engines.spec import Job
    from pipeline.info import VideoInfo
    from session_base import EngineChoice
    from tracking_runner import TrackingResult
    from tracking_session_store import MotionChoice, Refinement, TrackingSession

DEFAULT_GRID = 8
KINDS = ("steady", "similarity", "corner-pin")
Formats = Annotated[
    str, typer.Option("--formats", help="Comma-separated: video, and track formats (a wrong one lists them).")
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
    formats: Formats = "video,ae-keyframes,json",
    force: Force = False,
    queue: Queue = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Track points through VIDEO, and write a video of them and files for After Effects, Nuke, Blender and others.

    Without --points, --mask, --click and --grid a grid of 8 is tracked.
    """
    wanted = Wanted(points or [], mask or [], click or [], segmenter, count, grid, region)
    choices = _choices(tracker, param or [], direction, formats, (smooth, reject, fill)) | _span(frames)
    session = new_session(video, origin, wanted, choices, motion or [])
    if queue:
        show_jobs([enqueue(session, force=force)])
    else:
        run_and_show(session, force=force)


def run_again(session_id: str, tracker: str, param: list[str], frames: str, formats: str, *, force: bool) -> None:
    """Run a tracking session with what is changed here; see `cli.run`."""
    from tracking_runner import check_formats

    session = open_tracking_session(session_id)
    changes = _engine(tracker or session.state.tracker.name, param, session.state.tracker) if tracker or param else {}
    changes |= _span(frames)
    if formats:
        changes["formats"] = check_formats(split_formats(formats))
    if changes:
        with session.lock():
            session.state = session.state.model_copy(update=changes)
            session.save()
    run_and_show(session, force=force)


def run_and_show(session: TrackingSession, *, force: bool) -> None:
    """Run `session` with a bar and print what it gave."""
    from tracking_runner import run_tracking

    with stoppable() as should_stop, ProgressBar() as bar:
        result = run_tracking(session, on_progress=bar, should_stop=should_stop, check=not force)
    show(result.summary(), lambda: result_text(result))


@dataclass
class Wanted:
    """The points that the user wants, as written."""

    points: list[str]
    masks: list[str]
    clicks: list[str]
    segmenter: str
    count: int
    grid: int
    region: str


def new_session(
    video: Path | None, origin: str, wanted: Wanted, choices: dict[str, Any], motions: list[str]
) -> TrackingSession:
    """Create a session with its points; one that cannot be used leaves nothing behind."""
    store = tracking_store()
    segmenter = _engine_of_clicks(wanted)
    session = _begin(video, origin, wanted.count)
    try:
        for name, value in choices.items():
            setattr(session.state, name, value)
        if segmenter is not None:
            session.state.segmenter = segmenter
        _fill(session, wanted, whole=not origin)
        for kind in motions:
            add_motion(session, kind)
        session.save()
    except BaseException:
        store.delete(session.state.id)
        raise
    return session


def _begin(video: Path | None, origin: str, count: int) -> TrackingSession:
    from errors import PromptError
    from tracking_runner import create_session
    from tracking_runner.carry import carry_over
    from tracking_runner.from_matting import session_of

    if (video is None) == (not origin):
        raise PromptError("give a video, or --from and a matting session: one of them")
    if video is not None:
        return create_session(tracking_store(), video)
    session = session_of(tracking_store(), open_session(origin), count)
    try:
        carry_over(session)
    except BaseException:
        tracking_store().delete(session.state.id)
        raise
    return session


def _fill(session: TrackingSession, wanted: Wanted, *, whole: bool) -> None:
    """Add the points; a grid over the whole frame where none are given and `whole` is set."""
    from runner_base.facts import load_info

    info = load_info(session)
    _add_points(session, wanted.points)
    _add_masks(session, wanted.masks, wanted.count, info)
    _add_clicked(session, wanted.clicks, wanted.count, info)
    if wanted.grid or (whole and not session.state.points):
        first = session.state.range[0] if session.state.range else 0
        _add_grid(session, wanted.grid or DEFAULT_GRID, wanted.region, first, info)


def add_motion(session: TrackingSession, kind: str, **fields: Any) -> MotionChoice:
    """Add a motion to solve, and return it; a corner pin without corners pins the whole picture.

    Raises:
        ParameterError: no such kind, or a value outside its range.
    """
    from pydantic import ValidationError

    from errors import ParameterError
    from runner_base.facts import load_info
    from tracking_session_store import MotionChoice

    if kind not in KINDS:
        raise ParameterError(f"no motion '{kind}'; there is: {', '.join(KINDS)}")
    info, motions = load_info(session), session.state.motions
    if kind == "corner-pin" and not fields.get("corners"):
        right, bottom = info.width - 0.5, info.height - 0.5
        fields["corners"] = [(-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom)]
    number = max((known.id for known in motions), default=0) + 1
    try:
        made = MotionChoice.model_validate({"id": number, "kind": kind, "name": f"{kind} {number}", **fields})
    except ValidationError as error:
        first = error.errors()[0]
        raise ParameterError(f"--{first['loc'][0]}: {first['msg']}") from None
    motions.append(made)
    return made


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
    from tracking_runner.carry import add_on_mask

    for group, masks in parse(texts, [], []).masks.items():
        for frame, image in masks.items():
            add_on_mask(session, load_mask_image(image, (info.width, info.height)), frame, count, group)


def _add_clicked(session: TrackingSession, texts: list[str], count: int, info: VideoInfo) -> None:
    """Fill the object that clicks show with points."""
    import numpy as np

    from cli.prompts import parse
    from engines.base import Point, Prompts
    from errors import PromptError
    from runner_base.segmenting import segmenter_on
    from tracking_runner.carry import add_on_mask

    for group, frames in parse([], texts, []).prompts.items():
        for frame, given in sorted(frames.items()):
            if frame >= info.frames:
                raise PromptError(f"--click on frame {frame}: the last one is {info.frames - 1}")
            prompts = Prompts(points=tuple(Point(point.x, point.y, point.positive) for point in given.points))
            found = segmenter_on(session, frame, session.state.segmenter).predict(prompts)[0]
            add_on_mask(session, found.mask.astype(np.uint8) * 255, frame, count, group)


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


def _choices(
    tracker: str, params: list[str], direction: str, formats: str, refinement: tuple[float, float, int]
) -> dict[str, Any]:
    """Return what was chosen, as fields of the session's state.

    Raises:
        ParameterError: no such engine, parameter or format, or a value outside its range.
        EngineUnavailableError: the engine cannot run here.
    """
    from engines.registry import preferred
    from engines.spec import Job
    from errors import ParameterError
    from tracking_runner import check_formats

    if direction not in ("forward", "both"):
        raise ParameterError(f"--direction must be forward or both, not '{direction}'")
    return {
        **(_engine(tracker or preferred(Job.TRACKER)[0], params) if tracker or params else {}),
        "direction": direction,
        "refinement": _refinement(*refinement),
        "formats": check_formats(split_formats(formats)),
    }


def _engine(name: str, params: list[str], before: EngineChoice | None = None) -> dict[str, Any]:
    """Return the tracker as a field of the state, with the parameters of `before` where the engine stays."""
    from cli.prompts import parse_params
    from engines.spec import Job

    given: dict[str, Any] = dict(parse_params(params))
    kept = before.params if before is not None and before.name == name else {}
    return {"tracker": _checked(Job.TRACKER, name, {**kept, **given})}


def _engine_of_clicks(wanted: Wanted) -> EngineChoice | None:
    """Return the segmenter that was named; None where the session's own is the one.

    Raises:
        ParameterError: no such engine, or one that takes no clicks.
        EngineUnavailableError: it cannot run here.
    """
    from engines.registry import get_spec, usable
    from engines.spec import Job, PromptKind
    from errors import ParameterError

    if not wanted.segmenter:
        return None
    spec = get_spec(Job.SEGMENTER, wanted.segmenter)
    if PromptKind.POINTS not in spec.prompts:
        raise ParameterError(f"'{spec.name}' takes no clicks; choose another --segmenter")
    return _checked(Job.SEGMENTER, spec.name, usable(spec) or {})


def _checked(job: Job, name: str, params: dict[str, Any]) -> EngineChoice:
    from engines.registry import check_params, get_spec, obstacle
    from errors import EngineUnavailableError
    from session_base import EngineChoice

    spec = get_spec(job, name)
    checked = check_params(spec, params)
    choice = EngineChoice(name=spec.name, params={key: checked[key] for key in params})
    if reason := obstacle(spec, choice.params):
        raise EngineUnavailableError(reason)
    return choice


def _refinement(smooth: float, reject: float, fill: int) -> Refinement:
    from pydantic import ValidationError

    from errors import ParameterError
    from tracking_session_store import Refinement

    try:
        return Refinement(smooth=smooth, reject=reject, fill=fill)
    except ValidationError as error:
        first = error.errors()[0]
        raise ParameterError(f"--{first['loc'][0]}: {first['msg']}") from None


def _span(frames: str) -> dict[str, Any]:
    from cli.prompts import parse_range

    return {"range": parse_range(frames)} if frames else {}


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
