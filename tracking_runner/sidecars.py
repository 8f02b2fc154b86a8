"""Sidecars of tracks: which engine followed the points, where they come from, and what was done to their tracks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from engines.spec import Job
from pipeline.info import VideoInfo
from runner_base.makers import Maker
from runner_base.progress import Reporter
from runner_base.sidecar import EngineUse, compose, engine_use, read_sidecar, write_sidecar
from tracking_session_store import TrackingSession, TrackingState


def write_sidecars(
    session: TrackingSession, info: VideoInfo, span: tuple[int, int], made: list[str], reporter: Reporter
) -> None:
    """Write the sidecars of the formats that were `made` just now, and of those chosen ones that lack one."""
    state = session.state
    for name in state.formats:
        path = session.results_dir / state.delivered[name].path
        if name in made or read_sidecar(path) is None:
            sidecar = compose(
                session,
                info,
                engines_of(state),
                reporter.alive,
                kind="tracking",
                format=name,
                file=path.name,
                frames=span,
                made_of=_made_of(state),
                notices=reporter.notices_of(name),
            )
            session.save()  # the source's digest
            write_sidecar(path, sidecar)


def engines_of(state: TrackingState) -> list[EngineUse]:
    """Return the engines that followed the points."""
    groups: dict[str, tuple[Maker, Counter[int]]] = {}
    for maker, start, stop in _segments(state):
        _, frames = groups.setdefault(repr(maker), (maker, Counter()))
        frames.update(range(start, stop))
    return [engine_use(maker, state.tracker, len(frames)) for maker, frames in groups.values()]


def _segments(state: TrackingState) -> Iterator[tuple[Maker, int, int]]:
    """Yield the engine of each stretch of a track, with its frames; see tracking_runner.segments.track_mark."""
    for point in state.points:
        for start, stop, made in json.loads(state.tracked.get(point.id, "[]")):
            if made:
                name, version, params = made[:3]
                yield Maker(Job.TRACKER, name, version, params), start, stop


def _made_of(state: TrackingState) -> dict[str, Any]:
    shown = [point for point in state.points if not point.hidden]
    return {
        "points": len(shown),
        "origins": dict(sorted(Counter(point.origin for point in shown).items())),
        "direction": state.direction,
        "refinement": state.refinement.model_dump(exclude_defaults=True),
        "motions": [motion.kind for motion in state.motions],
    }
