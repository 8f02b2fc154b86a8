"""What a run will take, before it begins: memory, disk and time, by stage; and whether that fits this machine.

Only what is missing or stale counts, as the stages themselves count it; nothing is changed by looking.
"""

from __future__ import annotations

from dataclasses import dataclass

from engines.base import Direction
from engines.registry import check_params, get_spec
from engines.spec import EngineSpec, Job, Load
from pipeline.formats import FORMATS
from pipeline.info import VideoInfo
from queue_logic.job import Needs
from runner_base import costs
from runner_base.frames import STAGE as FRAMES
from runner_base.plan import Estimate, StageEstimate
from runner_base.speeds import Speeds
from tracking_runner import deliver_stage, track_stage
from tracking_runner.marks import VIDEO
from tracking_runner.stages import STAGES
from tracking_session_store import TrackingSession

MEGA = costs.MEGA
DRAWING, DRAWING_BYTES = 0.042, 105
"""Of a frame with its tracks over it: seconds by megapixel, bytes a pixel."""
DOT = 0.0001
"""Seconds of a point and its trail on a frame."""
DECODE = 0.008
"""Seconds by megapixel of a frame that an engine reads from the source, as far as it has to wait for it."""
EXPORT, EXPORT_ENTRY = 0.02, 0.000004
"""Seconds of an export: of any, and by point and frame."""
RAW_BYTES = 13
"""Of a point on a frame: two floats, a bool, a float."""
ENTRY_BYTES, ENTRY_MEMORY = 60, 250
"""Of a point on a frame in an export: on the disk, and in memory while it is written."""
WHOLE = 4
"""Times that what is drawn over whole frames takes the disk of a foreground, which is a quarter of the picture."""


@dataclass(frozen=True)
class _Work:
    """What there is to do."""

    session: TrackingSession
    info: VideoInfo
    span: tuple[int, int]
    extract: int
    """Frames to extract."""
    queries: int
    """Keys that the larger pass follows."""
    visits: int
    """Frames that an engine reads, in one pass or two: a pass begins at its first key."""
    passes: int
    formats: tuple[str, ...]
    """Formats to make."""

    @property
    def length(self) -> int:
        """Return the frames of the range."""
        return self.span[1] - self.span[0]

    @property
    def entries(self) -> int:
        """Return how many points there are on how many frames."""
        return self.length * len(self.session.state.points)


def estimate_run(session: TrackingSession, info: VideoInfo, speeds: Speeds, *, until: str = STAGES[-1]) -> Estimate:
    """Return what a run of `session` will take, from the state that it is in.

    Args:
        session: the session; it is not changed.
        info: its source's facts; before extraction the number of frames may be a guess.
        speeds: of this machine.
        until: the last stage of the run.
    """
    work = _survey(session, info, until)
    counts = {
        FRAMES: work.extract,
        track_stage.STAGE: work.length * work.passes,
        deliver_stage.STAGE: (work.length if VIDEO in work.formats else 1) if work.formats else 0,
    }
    keys = _speed_keys(work)
    reference, memory, disk = _reference_seconds(work), costs.with_past(_memory(work)), _disk(work)
    seconds = {stage: value * speeds.factor(keys[stage]) if value else 0.0 for stage, value in reference.items()}
    stages = {s: StageEstimate(counts[s], seconds[s], memory[s], disk[s], reference[s], keys[s]) for s in STAGES}
    needs = Needs(
        memory_bytes=max(memory.values()), disk_bytes=sum(disk.values()), seconds=round(sum(seconds.values()), 3)
    )
    return Estimate(stages, needs)


def _survey(session: TrackingSession, info: VideoInfo, until: str) -> _Work:
    info = info.model_copy(update={"frames": max(1, info.frames)})  # some headers say 0
    state, wanted = session.state, STAGES[: STAGES.index(until) + 1]
    start, stop = state.range or (0, info.frames)
    span = min(start, info.frames - 1), max(1, min(stop, info.frames))
    ways = _passes(session, span) if track_stage.STAGE in wanted else []
    visits, queries = sum(frames for frames, _ in ways), max((count for _, count in ways), default=0)
    made = deliver_stage.stale_formats(session, span) if deliver_stage.STAGE in wanted else []
    return _Work(session, info, span, _extract(session, info), queries, visits, len(ways), tuple(made))


def _passes(session: TrackingSession, span: tuple[int, int]) -> list[tuple[int, int]]:
    """Return (frames that an engine reads, its queries) of each pass."""
    state = session.state
    if state.carry is not None:  # points that are not known yet
        ways = 2 if state.direction == "both" else 1
        return [(span[1] - span[0], state.carry.count + len(state.points))] * ways
    queries = track_stage.Queries.of(
        (point, track_stage.stale_segments(state, point, span)) for point in track_stage.stale_points(state, span)
    )
    found = []
    for way, keys in queries.ways.items():
        (start, stop), frames = queries.reach[way], [frame for _, frame in keys]
        read = stop - min(frames) if way is Direction.FORWARD else max(frames) + 1 - start
        found.append((read, len(keys)))
    return found


def _extract(session: TrackingSession, info: VideoInfo) -> int:
    missing = costs.missing_frames(session, info)
    return 0 if info.exact and not missing else missing


def _engine(work: _Work) -> tuple[EngineSpec, Load]:
    choice = work.session.state.tracker
    spec = get_spec(Job.TRACKER, choice.name)
    info = work.info
    params = check_params(spec, choice.params)
    return spec, Load(info.width, info.height, info.frames, max(1, work.queries), params)


def _speed_keys(work: _Work) -> dict[str, str]:
    """Return the name under which each stage's speed is learned; extraction's is the same for all kinds of session."""
    kinds = sorted({"video" if name == VIDEO else "exports" for name in work.formats})
    return {
        FRAMES: FRAMES,
        track_stage.STAGE: f"{track_stage.STAGE} {work.session.state.tracker.name}",
        deliver_stage.STAGE: f"{deliver_stage.STAGE} tracking {','.join(kinds)}",
    }


def _reference_seconds(work: _Work) -> dict[str, float]:
    spec, load = _engine(work)
    found = {
        FRAMES: costs.extract_seconds(work.info, work.extract),
        track_stage.STAGE: work.visits * (spec.seconds(load) + DECODE * costs.pixels(work.info) / MEGA),
        deliver_stage.STAGE: _deliver_seconds(work),
    }
    return {stage: costs.START + value if value else 0.0 for stage, value in found.items()}


def _deliver_seconds(work: _Work) -> float:
    exports = [name for name in work.formats if name != VIDEO]
    seconds = len(exports) * (EXPORT + EXPORT_ENTRY * work.entries)
    if VIDEO in work.formats:
        by_megapixel = costs.READ + DRAWING + FORMATS["foreground"].cost(costs.is_deep(work.info)).seconds
        seconds += work.length * by_megapixel * costs.pixels(work.info) / MEGA + DOT * work.entries
    return seconds


def _memory(work: _Work) -> dict[str, int]:
    """Return the bytes that each stage takes itself, 0 where there is nothing to do."""
    spec, load = _engine(work)
    held = RAW_BYTES * (2 * work.info.frames * len(work.session.state.points) + work.visits * work.queries)
    return {
        FRAMES: costs.extract_memory(work.info) if work.extract else 0,
        track_stage.STAGE: costs.source_memory(work.info) + spec.memory(load) + held if work.visits else 0,
        deliver_stage.STAGE: _deliver_memory(work) if work.formats else 0,
    }


def _deliver_memory(work: _Work) -> int:
    found = (2 * RAW_BYTES + ENTRY_MEMORY) * work.entries
    if VIDEO in work.formats:
        cost = FORMATS["foreground"].cost(costs.is_deep(work.info))
        per_pixel = costs.DELIVERING[1] + DRAWING_BYTES + cost.memory + cost.thread_memory * costs.threads()
        found += costs.DELIVERING[0] * MEGA + cost.fixed_memory
        found += round(costs.decoder_memory(work.info) + per_pixel * costs.held_pixels(work.info))
    return found


def _disk(work: _Work) -> dict[str, int]:
    raw = RAW_BYTES * work.info.frames * len(work.session.state.points) if work.visits else 0
    exports = sum(name != VIDEO for name in work.formats)
    return {
        FRAMES: round(work.extract * costs.file_bytes(costs.jpeg_bytes(work.session, work.info))),
        track_stage.STAGE: raw,
        deliver_stage.STAGE: exports * (4096 + ENTRY_BYTES * work.entries) + _video_disk(work),
    }


def _video_disk(work: _Work) -> int:
    if VIDEO not in work.formats:
        return 0
    cost, size = FORMATS["foreground"].cost(costs.is_deep(work.info)), costs.pixels(work.info)
    frame = WHOLE * size * cost.bytes * (size / MEGA) ** cost.growth + cost.frame_bytes
    sound = work.info.audio.channels * float(work.length / work.info.rate) if work.info.audio else 0.0
    return round(work.length * frame + cost.audio_bytes * sound)
