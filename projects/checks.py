"""What a state from elsewhere must keep to before it is a session's: names that become paths, frames, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from errors import ParameterError
from json_store import JsonStore
from matting_runner.prompts import check_prompts
from pipeline.formats import FORMATS
from pipeline.info import VideoInfo
from projects.engines import check_engines
from projects.manifest import META, STATE, Manifest, check_json, quoted, wrong
from projects.reading import MOST_TEXT, ProjectFile
from session_base import checked_name
from session_store import MattingSession, MattingState, Provenance, SessionObject
from tracking_export import TRACK_FORMATS
from tracking_session_store import TrackingSession, TrackingState

KINDS: dict[str, Any] = {"matting": MattingSession, "tracking": TrackingSession}
MOST_FRAMES = 10_000_000
_MOST_ID = 999_999_999
_DIGEST = re.compile(r"[0-9a-f]{16}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def load_state(project: ProjectFile) -> tuple[Any, VideoInfo]:
    """Return a project's state, migrated, and the facts of its video.

    Raises:
        ProjectError: they are not what a session here can be.
        StoreError: they are unreadable, or of a newer version.
    """
    raw, meta = project.text(STATE), project.text(META)
    manifest, kind = project.manifest, KINDS[project.manifest.kind]
    try:
        check_json(raw, STATE)
        check_json(meta, META)
        state = JsonStore(Path("state.json"), kind.model, kind.migrations).decode(raw)
        info = JsonStore(Path("meta.json"), VideoInfo).decode(meta)
    except (ValueError, ArithmeticError) as error:
        raise wrong(f"{STATE} or {META} cannot be read ({quoted(str(error))})") from None
    check_engines(manifest.kind, state)
    _check_info(info, manifest)
    _check_common(state, manifest, info)
    if isinstance(state, MattingState):
        _check_matting(state, manifest, info)
    else:
        _check_tracking(state, manifest, info)
    return state, info


def drop_formats(state: Any) -> list[str]:
    """Take out of `state` the formats that this version does not have, and return them."""
    known = {*FORMATS} if isinstance(state, MattingState) else {*TRACK_FORMATS, "video"}
    unknown = [name for name in dict.fromkeys([*state.formats, *state.delivered]) if name not in known]
    state.formats = [name for name in state.formats if name in known]
    state.delivered = {name: made for name, made in state.delivered.items() if name in known}
    return unknown


def _need(condition: bool, what: str) -> None:
    if not condition:
        raise wrong(what)


def _check_info(info: VideoInfo, manifest: Manifest) -> None:
    most = min(MOST_FRAMES, manifest.source.size)  # a frame takes a byte at least
    sizes = 1 <= info.width <= 1 << 16 and 1 <= info.height <= 1 << 16
    _need(sizes and 0 <= info.frames <= most, f"{META} has a size or a number of frames that no video has")
    _need(info.rate > 0 and info.time_base > 0, f"{META} has a frame rate that no video has")
    _need(info.times is None or len(info.times) == info.frames, f"{META} has times of other frames")


def _check_common(state: Any, manifest: Manifest, info: VideoInfo) -> None:
    _need(bool(re.fullmatch(r"source\.[A-Za-z0-9]{1,8}", state.source)), "its source is named as a path")
    inside = f"session/{state.source}" in manifest.members
    _need(inside == manifest.source.inside, "its source is not the one that it names")
    _check_name(state.name, "its name")
    if state.range is not None:
        start, stop = state.range
        _need(0 <= start < stop <= _length(info), "its range lies outside the clip")
    for name, made in state.delivered.items():
        _need(name in manifest.results, f"it has no '{quoted(name)}', which it says was delivered")
        _need(bool(re.fullmatch(r"[0-9a-f]{1,64}", made.mark)), f"what '{quoted(name)}' was made from is not told")
    for name, is_folder in manifest.results.items():
        files = [member for member in manifest.members if member.startswith(f"results/{name}/")]
        _need(name in state.delivered and bool(files), f"'{quoted(name)}' is there, but was not delivered")
        _need(is_folder or len(files) == 1, f"'{quoted(name)}' is several files")
        if isinstance(state, MattingState) and name in FORMATS:
            _need(is_folder == FORMATS[name].folder, f"'{quoted(name)}' is not what that format is")
    sidecars = [facts for member, facts in manifest.members.items() if member.startswith("sidecars/")]
    _need(all(facts.size <= MOST_TEXT for facts in sidecars), "a sidecar in it is too large")
    stray = {member.split("/")[1] for member in manifest.members if member.startswith("results/")}
    stray |= {Path(member).stem for member in manifest.members if member.startswith("sidecars/")}
    _need(stray <= {*manifest.results}, "it has results that it does not name")


def _check_matting(state: MattingState, manifest: Manifest, info: VideoInfo) -> None:
    _check_ids([item.id for item in state.objects], "objects")
    for item in state.objects:
        _check_object(item, manifest, info)
    _check_spans(state.alpha, info)
    if info.exact:
        check_prompts(state.objects, info)


def _check_object(item: SessionObject, manifest: Manifest, info: VideoInfo) -> None:
    _check_look(item.name, item.colour)
    for made in (item.propagated, item.drafts):
        _check_spans(made, info)
    frames = {*item.prompts, *item.keyframes, *item.confidence}
    _need(all(0 <= index < _length(info) for index in frames), f"object {item.id} has frames outside the clip")
    for index, key in item.keyframes.items():
        _need(bool(_DIGEST.fullmatch(key.digest)), f"a keyframe of object {item.id} has no digest")
        member = f"session/masks/{item.id}/keyframes/{index:06d}.png"
        _need(member in manifest.members, f"{member} is missing")
    radii = [stroke.radius for prompts in item.prompts.values() for stroke in prompts.strokes]
    _need(all(0 < radius <= 1 << 16 for radius in radii), f"object {item.id} has a stroke of no width")
    for base in {prompts.base for prompts in item.prompts.values()} - {""}:
        _need(bool(_DIGEST.fullmatch(base)), f"a rough mask of object {item.id} is named as a path")
        member = f"session/masks/{item.id}/bases/{base}.png"
        _need(member in manifest.members, f"{member} is missing")


def _check_tracking(state: TrackingState, manifest: Manifest, info: VideoInfo) -> None:
    _check_ids([point.id for point in state.points], "points")
    _check_ids(state.columns, "columns")
    _check_ids([motion.id for motion in state.motions], "motions")
    _need(0 <= state.generation <= _MOST_ID and state.carry is None, "its tracks are not a session's own")
    _need({*state.tracked} <= {*state.columns}, "it has tracks of points that are not there")
    arrays = [name for name in manifest.members if name.endswith(".npy")]
    _need(len(arrays) == (3 if state.columns else 0), "its tracks are missing")
    for point in state.points:
        _check_look(point.name, point.colour)
        places = [*point.keys, *(frame for cut in point.cuts for frame in cut if frame != info.frames)]
        _need(all(0 <= index < _length(info) for index in places), f"point {point.id} has frames outside the clip")


def _check_ids(ids: Iterable[int], what: str) -> None:
    found = list(ids)
    _need(len({*found}) == len(found) and all(1 <= number <= _MOST_ID for number in found), f"{what} have wrong ids")


def _check_look(name: str, colour: str) -> None:
    _check_name(name, "a name in it")
    _need(bool(_COLOUR.fullmatch(colour)), "a colour in it is none")


def _check_name(name: str, what: str) -> None:
    try:
        checked_name(name)
    except ParameterError as error:
        raise wrong(f"{what}: {error}") from None


def _check_spans(made: Provenance, info: VideoInfo) -> None:
    ends = [0, *(end for span in made.spans for end in (span.start, span.stop))]
    _need(
        ends == sorted(ends) and ends[-1] <= (info.frames if info.exact else 0),
        "it has work on frames that are not there",
    )
    _need(all(span.start < span.stop for span in made.spans), "it has work on frames that are not there")


def _length(info: VideoInfo) -> int:
    return info.frames if info.exact else MOST_FRAMES
