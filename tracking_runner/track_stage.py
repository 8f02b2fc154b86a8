"""Stage 'track': keys -> raw tracks, of the points that are new or have changed since.

A pass is the smallest part that is committed: engines carry patches, supports and the network's memory from frame to
frame, which the tracks that they have yielded do not tell, so that a pass that was cut off begins anew at its keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.base import Direction, FrameSource, PointTracker
from engines.registry import create
from engines.spec import Job
from runner_base.progress import Reporter
from tracking_runner.passes import Pass, drop_pass, load_pass, pass_mark, save_pass
from tracking_runner.raw import RawTracks, load_raw, save_raw, settle
from tracking_runner.segments import Segment, stale_points, stale_segments, track_mark
from tracking_session_store import TrackingSession, TrackPoint

__all__ = ["STAGE", "Queries", "stale_points", "stale_segments", "track", "track_mark"]

STAGE = "track"


def track(session: TrackingSession, source: FrameSource, span: tuple[int, int], reporter: Reporter) -> None:
    """Bring the raw tracks up to date; points that have not changed keep theirs, and others what is not concerned."""
    state = session.state
    settle(session)
    raw = load_raw(session, len(source))
    if not raw.columns:
        state.tracked = {}
    stale = [(point, stale_segments(state, point, span)) for point in stale_points(state, span)]
    ids = [point.id for point in state.points]
    queries = Queries.of(stale)
    reporter.begin(STAGE, len(queries.ways) * (span[1] - span[0]))
    if not stale and ids == raw.columns:
        drop_pass(session)
        return
    found = _follow(session, source, queries, span, reporter)
    result = raw.only(ids)
    columns = {point_id: column for column, point_id in enumerate(ids)}
    for point, parts in stale:
        for segment in parts:
            _assemble(result, columns[point.id], point.id, segment, queries, found)
    save_raw(session, result, {point.id: track_mark(state, point, span) for point in state.points})
    drop_pass(session)
    reporter.end()


@dataclass(frozen=True, eq=False)
class Queries:
    """The keys that are followed, by direction, one query each."""

    ways: dict[Direction, dict[tuple[int, int], int]]
    """{(point id, frame): row}, the rows in order; directions without any are left out."""
    arrays: dict[Direction, NDArray[np.float32]]
    """float32 [N, 3] as (frame, x, y)."""
    reach: dict[Direction, tuple[int, int]]
    """The frames that are wanted."""

    @classmethod
    def of(cls, stale: Iterable[tuple[TrackPoint, list[Segment]]]) -> Queries:
        """Return the keys that the segments are followed from."""
        parts = [(point, segment) for point, segments in stale for segment in segments]
        result = cls({}, {}, {})
        for way, name in ((Direction.FORWARD, "forward"), (Direction.BACKWARD, "backward")):
            rows = [(point, segment, key) for point, segment in parts if (key := getattr(segment, name)) is not None]
            if rows:
                result.ways[way] = {(point.id, key): row for row, (point, _, key) in enumerate(rows)}
                array = [(key, *point.keys[key]) for point, _, key in rows]
                result.arrays[way] = np.array(array, np.float32).reshape(-1, 3)
                starts, stops = [segment.start for _, segment, _ in rows], [segment.stop for _, segment, _ in rows]
                result.reach[way] = min(starts), max(stops)
        return result


def _follow(
    session: TrackingSession, source: FrameSource, queries: Queries, span: tuple[int, int], reporter: Reporter
) -> dict[Direction, Pass]:
    """Return what each pass found; the first of two is committed."""
    found: dict[Direction, Pass] = {}
    choice = session.state.tracker
    engine: PointTracker | None = None
    for way, array in queries.arrays.items():
        ranged = _range(way, queries, span)
        mark = pass_mark(choice, way, ranged, array)
        kept = load_pass(session, mark)
        if kept is None:
            engine = engine or create(Job.TRACKER, choice.name, choice.params)
            kept = _run(engine, source, array, ranged, way, reporter)
            if way is not list(queries.arrays)[-1]:
                save_pass(session, kept, mark)
        else:
            reporter.tick(ranged[1] - ranged[0])
        reporter.tick((span[1] - span[0]) - (ranged[1] - ranged[0]))
        found[way] = kept
    return found


def _range(way: Direction, queries: Queries, span: tuple[int, int]) -> tuple[int, int]:
    """Return the frames of a pass: from the range's end that it comes from to the last frame that is wanted."""
    start, stop = queries.reach[way]
    return (span[0], stop) if way is Direction.FORWARD else (start, span[1])


def _run(
    engine: PointTracker,
    source: FrameSource,
    queries: NDArray[np.float32],
    span: tuple[int, int],
    way: Direction,
    reporter: Reporter,
) -> Pass:
    found = Pass.empty(span, len(queries))
    for chunk in engine.track(source, queries, *span, way):
        place = slice(chunk.start - span[0], chunk.start - span[0] + len(chunk.tracks))
        found.tracks[place], found.visible[place] = chunk.tracks, chunk.visible
        found.confidence[place] = chunk.confidence
        reporter.tick(len(chunk.tracks))
    return found


def _assemble(
    result: RawTracks,
    column: int,
    point_id: int,
    segment: Segment,
    queries: Queries,
    found: Mapping[Direction, Pass],
) -> None:
    """Put a segment of a point's track in its place.

    Between two keys the tracks from either side are blended, each counting less the farther its key is away, so that a
    correction leaves no jump; where only one of them sees the point, that one counts.
    """
    into = slice(segment.start, segment.stop)
    result.tracks[into, column], result.visible[into, column], result.confidence[into, column] = 0, False, 0
    sides = []
    for way, key in ((Direction.FORWARD, segment.forward), (Direction.BACKWARD, segment.backward)):
        if key is not None:
            sides.append(found[way].of(queries.ways[way][point_id, key], segment.start, segment.stop))
    if len(sides) == 2:
        sides = [_blended(*sides)]
    for tracks, visible, confidence in sides:
        result.tracks[into, column], result.visible[into, column] = tracks, visible
        result.confidence[into, column] = confidence


Side = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]
"""Tracks [T, 2], visible [T] and confidence [T] of one point."""


def _blended(ours: Side, theirs: Side) -> Side:
    length = len(ours[0])
    share = np.arange(length, dtype=np.float32) / length
    share = np.where(ours[1] & ~theirs[1], 0, np.where(theirs[1] & ~ours[1], 1, share))
    tracks = ours[0] * (1 - share[:, None]) + theirs[0] * share[:, None]
    confidence = ours[2] * (1 - share) + theirs[2] * share
    return tracks.astype(np.float32), ours[1] | theirs[1], confidence.astype(np.float32)
