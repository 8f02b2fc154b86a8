"""From a matting session to a tracking session: clicks become points, masks are filled with points."""

from __future__ import annotations

from collections.abc import Iterator

from engines.base import Mask
from errors import PromptError
from pipeline.masks import MaskFolder
from runner_base.facts import load_info
from session_store import MattingSession, SessionObject, SessionStore
from tracking_runner.queries import spread
from tracking_session_store import TrackingSession


def carry_over(session: TrackingSession) -> None:
    """Take the points that are still to come from a matting session, if any.

    Each positive click becomes a point, and the earliest mask of each object is filled with points along its contour
    and inside; both belong to a group of the object's name. What is there already stays.

    Raises:
        SessionNotFoundError: the matting session is gone.
        PromptError: it has neither clicks nor masks.
    """
    carry = session.state.carry
    if carry is None:
        return
    matting = SessionStore(session.folder.parents[1] / "sessions").open(carry.session_id)
    before = len(session.state.points)
    for item in matting.state.objects:
        _add_clicks(session, item)
        if found := _first_mask(matting, item):
            add_on_mask(session, found[1], found[0], carry.count, item.name)
    if len(session.state.points) == before:
        raise PromptError(
            f"matting session {carry.session_id} has no clicks or masks in its range; run it first, or give points"
        )
    session.state.carry = None
    session.save()


def add_on_mask(session: TrackingSession, mask: Mask, frame: int, count: int, group: str = "") -> None:
    """Fill a mask, uint8 [H, W], with points that are tracked from `frame` on.

    Raises:
        PromptError: an empty mask, or a count that is none.
    """
    for x, y in spread(mask, count):
        session.add_point(frame, x, y, group=group).origin = "mask"


def _add_clicks(session: TrackingSession, item: SessionObject) -> None:
    for frame, prompts in sorted(item.prompts.items()):
        for point in prompts.points:
            if point.positive and _wanted(session, frame):
                session.add_point(frame, point.x, point.y, group=item.name)


def _first_mask(matting: MattingSession, item: SessionObject) -> tuple[int, Mask] | None:
    """Return the frame and mask of an object's first keyframe, else of the first frame that has a mask."""
    for frame, mask in _masks(matting, item):
        if (mask > 127).any():
            return frame, mask
    return None


def _masks(matting: MattingSession, item: SessionObject) -> Iterator[tuple[int, Mask]]:
    span = range(*(matting.state.range or (0, load_info(matting).frames)))
    for kind in ("keyframes", "propagated"):
        folder = MaskFolder(matting.masks_dir(item.id, kind))
        recorded = item.keyframes if kind == "keyframes" else span
        yield from ((i, folder.read(i)) for i in folder.indices() if i in span and i in recorded)


def _wanted(session: TrackingSession, frame: int) -> bool:
    return session.state.range is None or frame in range(*session.state.range)
