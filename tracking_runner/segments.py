"""What each stretch of a track is followed from: which keys, in which direction; and which stretches are stale.

A track is followed from each key to the next one, and before the first where that was asked for. So a correction
concerns its own track only, and of that only what lies between the neighbouring keys and what comes after the last.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from engines.registry import check_params, get_spec
from engines.spec import Job
from tracking_session_store import TrackingState, TrackPoint


@dataclass(frozen=True)
class Segment:
    """Frames `start` .. `stop`, half-open, that are made from the same keys."""

    start: int
    stop: int
    forward: int | None
    """Frame of the key that they are followed from in the order of time."""
    backward: int | None
    """Frame of the key that they are followed from back in time; with both, the two are blended."""


def segments(state: TrackingState, point: TrackPoint, span: tuple[int, int]) -> list[Segment]:
    """Return the segments of a point's track: the whole range in order; without keys in it, one of nothing."""
    keys = sorted(frame for frame in point.keys if frame in range(*span))
    both = state.direction == "both"
    first = Segment(span[0], keys[0] if keys else span[1], None, keys[0] if keys and both else None)
    ends = [*keys[1:], span[1]] if keys else []
    rest = [
        Segment(key, end, key, end if both and place + 1 < len(keys) else None)
        for place, (key, end) in enumerate(zip(keys, ends, strict=True))
    ]
    return [segment for segment in (first, *rest) if segment.start < segment.stop]


def track_mark(state: TrackingState, point: TrackPoint, span: tuple[int, int]) -> str:
    """Return what the raw track of a point has to be made from now: [start, stop, mark] of each segment, as JSON."""
    spec = get_spec(Job.TRACKER, state.tracker.name)
    engine = [spec.name, spec.version, check_params(spec, state.tracker.params), span]
    marks = []
    for segment in segments(state, point, span):
        keys = [[way, key, *point.keys[key]] for way, key in _sources(segment)]
        marks.append([segment.start, segment.stop, [*engine, keys] if keys else []])
    return json.dumps(marks, sort_keys=True, separators=(",", ":"))


def stale_segments(state: TrackingState, point: TrackPoint, span: tuple[int, int]) -> list[Segment]:
    """Return the segments of a point's track that are missing or were made from something else."""
    made, wanted = _read(state.tracked.get(point.id, "[]")), _read(track_mark(state, point, span))
    return [
        segment
        for segment, (start, stop, mark) in zip(segments(state, point, span), wanted, strict=True)
        if sum(max(0, min(stop, end) - max(start, begin)) for begin, end, of in made if of == mark) < stop - start
    ]


def stale_points(state: TrackingState, span: tuple[int, int]) -> list[TrackPoint]:
    """Return the points whose raw track is missing or was made from something else, wholly or in part."""
    return [point for point in state.points if state.tracked.get(point.id) != track_mark(state, point, span)]


def _sources(segment: Segment) -> list[tuple[str, int]]:
    found = (("forward", segment.forward), ("backward", segment.backward))
    return [(way, key) for way, key in found if key is not None]


def _read(mark: str) -> list[tuple[int, int, Any]]:
    """Return the (start, stop, mark) of a point's mark, which do not overlap; nothing where it is not such a mark."""
    try:
        return [(int(start), int(stop), part) for start, stop, part in json.loads(mark)]
    except (TypeError, ValueError):
        return []
