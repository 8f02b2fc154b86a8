"""What `track` is given to follow: points, masks, objects clicked on, grids, a matting session; and motions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.track_choices import checked_engine
from cli.workspace import open_session, tracking_store

if TYPE_CHECKING:
    from pipeline.info import VideoInfo
    from session_base import EngineChoice
    from tracking_session_store import MotionChoice, TrackingSession

DEFAULT_GRID = 8
KINDS = ("steady", "similarity", "corner-pin")


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
    return checked_engine(Job.SEGMENTER, spec.name, usable(spec) or {})
