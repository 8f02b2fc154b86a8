"""What a page shows of a session, as plain values: objects, what each frame has, what is stale."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import groupby, pairwise
from typing import Any

from app_logic.makers import alpha_makers, mask_makers
from matting_runner import load_info
from matting_runner.marks import alpha_marks, engine_mark, outdated
from pipeline.info import VideoInfo
from session_base import StoredSession
from session_store import MattingSession, SessionObject

Lane = list[tuple[int, int, str, str]]
"""(start, stop, kind, version) in order, half-open; what has a gap has nothing."""


def clip_view(session: StoredSession[Any], revision: int, info: VideoInfo) -> dict[str, Any]:
    """Return what a page shows of any session: its clip, and the range that was chosen of it."""
    state = session.state
    return {
        "id": state.id,
        "revision": revision,
        "name": state.name,
        "width": info.width,
        "height": info.height,
        "pixel_aspect": float(info.sample_aspect_ratio),
        "frames": info.frames,
        "rate": [info.rate.numerator, info.rate.denominator],
        "times": _times(info),
        "range": list(state.range) if state.range else None,
        "extracted": state.extracted,
    }


def session_view(
    session: MattingSession,
    revision: int,
    busy: Mapping[tuple[int, int], int],
    previews: Mapping[int, tuple[str, bytes]],
) -> dict[str, Any]:
    """Return what a page shows: plain values for JSON.

    Args:
        session: the session.
        revision: of this view.
        busy: (object id, frame) that an engine works on.
        previews: {frame: (mark, PNG)}; one whose mark has changed since is not shown.
    """
    from engines.spec import Job

    state, info = session.state, load_info(session)
    engine = engine_mark(Job.PROPAGATOR, state.propagator)
    marks = alpha_marks(state, info.frames) if info.frames else []
    return clip_view(session, revision, info) | {
        "objects": [_object(item, info.frames, engine, state.direction, busy) for item in state.objects],
        "alpha": _alpha(session, marks),
        "outdated": outdated(state, marks),
        "made": {
            "masks": {str(item.id): mask_makers(item, info.frames) for item in state.objects},
            "alpha": alpha_makers(state, info.frames),
        },
        "preview": {
            str(frame): short(mark)
            for frame, (mark, _) in previews.items()
            if frame < len(marks) and mark == marks[frame]
        },
    }


def mask_lane(item: SessionObject, frames: int, engine: str, direction: str) -> Lane:
    """Return what each frame has of an object's masks: 'keyframe', 'propagated' or 'stale'.

    Args:
        item: the object.
        frames: of the clip.
        engine: the propagator's mark.
        direction: of propagation.
    """
    operations = "" if item.operations.is_default() else item.operations.model_dump_json()
    keys = sorted(item.keyframes)
    lane: Lane = []
    for start, stop in pairwise([0, *(edge for key in keys for edge in (key, key + 1)), frames]):
        if start >= stop:
            continue
        if start in item.keyframes:
            lane.append((start, stop, "keyframe", short(f"{item.keyframes[start].digest}{operations}")))
            continue
        expected = item.mask_mark(start, engine, direction)  # the same between two keyframes
        for span in item.propagated.spans:
            first, last = max(start, span.start), min(stop, span.stop)
            if first < last:
                kind = "propagated" if span.mark == expected else "stale"
                lane.append((first, last, kind, short(f"{span.mark}{operations}")))
    return lane


def preview_mark(session: MattingSession, frame: int) -> str:
    """Return what the alpha of a frame has to be made from now."""
    return alpha_marks(session.state, frame + 1)[frame]


def _object(
    item: SessionObject, frames: int, engine: str, direction: str, busy: Mapping[tuple[int, int], int]
) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "colour": item.colour,
        "visible": item.visible,
        "opacity": item.opacity,
        "lane": [list(entry) for entry in mask_lane(item, frames, engine, direction)],
        "prompts": {
            str(frame): {
                "points": [[p.x, p.y, p.positive] for p in prompts.points],
                "box": [prompts.box.x0, prompts.box.y0, prompts.box.x1, prompts.box.y1] if prompts.box else None,
                "text": prompts.text,
            }
            for frame, prompts in item.prompts.items()
        },
        "busy": sorted(frame for object_id, frame in busy if object_id == item.id),
    }


def _alpha(session: MattingSession, marks: list[str]) -> list[list[Any]]:
    """Return (start, stop, 'matted' or 'stale', version) of the frames that have alpha."""

    def entries() -> Iterator[tuple[int, str, str]]:
        for span in session.state.alpha.spans:
            for index in range(span.start, min(span.stop, len(marks))):
                yield index, "matted" if marks[index] == span.mark else "stale", span.mark

    lane = []
    for (_, kind, mark), group in groupby(_numbered(entries()), key=lambda entry: entry[0]):
        indices = [index for _, index in group]
        lane.append([indices[0], indices[-1] + 1, kind, short(mark)])
    return lane


def _numbered(entries: Iterator[tuple[int, str, str]]) -> Iterator[tuple[tuple[int, str, str], int]]:
    """Yield ((run, kind, mark), index): the run changes where an index is left out."""
    for place, (index, kind, mark) in enumerate(entries):
        yield (index - place, kind, mark), index


def _times(info: VideoInfo) -> list[float] | None:
    return None if info.times is None else [float(ticks * info.time_base) for ticks in info.times]


def short(text: str) -> str:
    """Return a version for an address, of whatever text says what was made from what."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
