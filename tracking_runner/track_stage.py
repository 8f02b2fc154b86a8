"""Stage 'track': keys -> raw tracks, of the points that are new or have changed since."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.base import Direction, FrameSource, PointTracker
from engines.registry import check_params, create, get_spec
from engines.spec import Job
from runner_base.progress import Reporter
from tracking_runner.raw import RawTracks, load_raw, save_raw
from tracking_session_store import TrackingSession, TrackingState, TrackPoint

STAGE = "track"


def track_mark(state: TrackingState, point: TrackPoint, span: tuple[int, int]) -> str:
    """Return what the raw track of a point has to be made from now: engine, direction, range and its keys."""
    spec = get_spec(Job.TRACKER, state.tracker.name)
    params = check_params(spec, state.tracker.params)
    parts = [spec.name, spec.version, params, state.direction, span, sorted(point.keys.items())]
    return json.dumps(parts, sort_keys=True, separators=(",", ":"))


def stale_points(state: TrackingState, span: tuple[int, int]) -> list[TrackPoint]:
    """Return the points whose raw track is missing or was made from something else."""
    return [point for point in state.points if state.tracked.get(point.id) != track_mark(state, point, span)]


def track(session: TrackingSession, source: FrameSource, span: tuple[int, int], reporter: Reporter) -> None:
    """Bring the raw tracks up to date; points that have not changed keep theirs."""
    state = session.state
    raw = load_raw(session, len(source))
    if not raw.columns:
        state.tracked = {}
    stale = stale_points(state, span)
    ids = [point.id for point in state.points]
    queries = _Queries.of(stale, span)
    passes = [Direction.FORWARD, Direction.BACKWARD] if state.direction == "both" else [Direction.FORWARD]
    reporter.begin(STAGE, len(passes) * (span[1] - span[0]) if queries.keys else 0)
    if not stale and ids == raw.columns:
        return
    result = raw.only(ids)
    for place in (ids.index(point.id) for point in stale):
        result.tracks[:, place], result.visible[:, place], result.confidence[:, place] = 0, False, 0
    if queries.keys:
        engine: PointTracker = create(Job.TRACKER, state.tracker.name, state.tracker.params)
        found = {way: _run(engine, source, queries.array, span, way, reporter) for way in passes}
        for point in stale:
            _assemble(result, ids.index(point.id), point, queries, found, span)
    save_raw(session, result, {point.id: track_mark(state, point, span) for point in state.points})
    reporter.end()


@dataclass(frozen=True, eq=False)
class _Queries:
    """The keys of all points that are to be tracked, one query each."""

    keys: list[tuple[int, int]]
    """(point id, frame) of each row."""
    array: NDArray[np.float32]
    """float32 [N, 3] as (frame, x, y)."""

    @classmethod
    def of(cls, points: Iterable[TrackPoint], span: tuple[int, int]) -> _Queries:
        """Return the keys inside the range."""
        rows = [
            ((point.id, frame), (frame, *xy))
            for point in points
            for frame, xy in sorted(point.keys.items())
            if frame in range(*span)
        ]
        return cls([key for key, _ in rows], np.array([row for _, row in rows], np.float32).reshape(-1, 3))


@dataclass(frozen=True, eq=False)
class _Pass:
    """What a pass found, for the frames of the range: as RawTracks, a column for each query."""

    tracks: NDArray[np.float32]
    visible: NDArray[np.bool_]
    confidence: NDArray[np.float32]


def _run(
    engine: PointTracker,
    source: FrameSource,
    queries: NDArray[np.float32],
    span: tuple[int, int],
    way: Direction,
    reporter: Reporter,
) -> _Pass:
    length, count = span[1] - span[0], len(queries)
    found = _Pass(
        np.zeros((length, count, 2), np.float32), np.zeros((length, count), bool), np.zeros((length, count), np.float32)
    )
    for chunk in engine.track(source, queries, *span, way):
        place = slice(chunk.start - span[0], chunk.start - span[0] + len(chunk.tracks))
        found.tracks[place], found.visible[place] = chunk.tracks, chunk.visible
        found.confidence[place] = chunk.confidence
        reporter.tick(len(chunk.tracks))
    return found


def _assemble(
    result: RawTracks,
    column: int,
    point: TrackPoint,
    queries: _Queries,
    found: dict[Direction, _Pass],
    span: tuple[int, int],
) -> None:
    """Put a point's track together: from each key to the next, and before the first one where that was asked for.

    Between two keys the tracks from either side are blended, each counting less the farther its key is away, so that a
    correction leaves no jump; where only one of them sees the point, that one counts.
    """
    keys = [(frame, row) for row, (owner, frame) in enumerate(queries.keys) if owner == point.id]
    ends = [*(frame for frame, _ in keys[1:]), span[1]]
    forward = found[Direction.FORWARD]
    backward = found.get(Direction.BACKWARD)
    if keys and backward is not None:
        _copy(result, column, backward, keys[0][1], (span[0], keys[0][0]), span[0])
    for place, ((frame, row), end) in enumerate(zip(keys, ends, strict=True)):
        _copy(result, column, forward, row, (frame, end), span[0])
        if backward is not None and place + 1 < len(keys):
            _blend(result, column, backward, keys[place + 1][1], (frame, end), span[0])


def _copy(result: RawTracks, column: int, found: _Pass, row: int, frames: tuple[int, int], first: int) -> None:
    into, taken = slice(*frames), slice(frames[0] - first, frames[1] - first)
    result.tracks[into, column] = found.tracks[taken, row]
    result.visible[into, column] = found.visible[taken, row]
    result.confidence[into, column] = found.confidence[taken, row]


def _blend(result: RawTracks, column: int, found: _Pass, row: int, frames: tuple[int, int], first: int) -> None:
    into, taken = slice(*frames), slice(frames[0] - first, frames[1] - first)
    weight = np.arange(frames[1] - frames[0], dtype=np.float32) / (frames[1] - frames[0])
    ours, theirs = result.visible[into, column], found.visible[taken, row]
    weight = np.where(ours & ~theirs, 0, np.where(theirs & ~ours, 1, weight)).astype(np.float32)
    for array, other in ((result.confidence, found.confidence), (result.tracks, found.tracks)):
        share = weight if array.ndim == 2 else weight[:, None]
        array[into, column] = array[into, column] * (1 - share) + other[taken, row] * share
    result.visible[into, column] = ours | theirs
