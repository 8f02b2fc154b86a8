"""Find everything in a clip that a text names, and make objects of what the user picks.

<session>/found/
    found.json              what was asked for and what was found; there only once all of it is
    <id>/NNNNNN.png         an instance's masks: on its first, its best and its last frame
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pydantic import BaseModel

from atomic import discard, write_bytes
from engines.base import Instance, InstanceFinder, Mask
from engines.registry import check_params, create_finder, finders, get_spec
from engines.spec import Job, Load
from engines.terms import refuse_forbidden
from errors import Cancelled, PromptError, ResourceError, StoreError, storage_errors
from json_store import JsonStore
from machine import memory_used, share_heaps
from matting_runner.marks import engine_mark
from matting_runner.mask_stages import set_keyframe
from matting_runner.progress import Progress, Reporter, Stage
from pipeline.frames import FrameFolder
from pipeline.info import VideoInfo
from pipeline.masks import MaskFolder, encode_mask
from pipeline.read_ahead import SourceAhead
from queue_logic.job import Needs
from runner_base.facts import load_info, save_info
from runner_base.frames import extract
from runner_base.room import Room, Verdict
from session_store import EngineChoice, Keyframe, MattingSession, MattingState, SessionObject

FAR = 12
"""Frames from its best one beyond which an instance's first and last frame become keyframes too."""


class FoundInstance(BaseModel):
    """One thing that the text names, through the clip."""

    id: int
    first: int
    """Frame on which it is seen first; it may be hidden in between."""
    last: int
    best: int
    """Frame on which it is surest and largest: where score times area is highest."""
    score: float
    """On its best frame, 0..1."""
    area: int
    """Pixels of its mask on its best frame."""
    box: tuple[int, int, int, int]
    """Around its mask on its best frame: x0, y0, x1, y1, corners inclusive."""
    frames: int
    """On how many it is seen."""

    def keyframes(self) -> list[int]:
        """Return the frames that become keyframes of its object."""
        ends = [index for index in (self.first, self.last) if abs(index - self.best) > FAR]
        return sorted({self.best, *ends})


class Findings(BaseModel):
    """What a search has found, and what was searched."""

    text: str
    span: tuple[int, int]
    engine: str
    """The finder's mark: name, version and parameters."""
    instances: list[FoundInstance]


@dataclass
class _Seen:
    """An instance while the search goes on, with its masks as PNG."""

    instance: FoundInstance
    masks: dict[int, bytes]

    def add(self, index: int, found: Instance) -> None:
        """Take in what is seen of it on a further frame."""
        known, new = self.instance, _begin(index, found)
        self.masks[index] = encode_mask(found.mask)
        known.last, known.frames = index, known.frames + 1
        if new.score * new.area > known.score * known.area:
            known.best, known.score, known.area, known.box = index, new.score, new.area, new.box
        kept = {known.first, known.best, known.last}
        self.masks = {frame: mask for frame, mask in self.masks.items() if frame in kept}


def finder_choice(state: MattingState) -> EngineChoice:
    """Return the engine that finds by text: the session's segmenter where it can, else the first that can."""
    if get_spec(Job.SEGMENTER, state.segmenter.name).finder:
        return state.segmenter
    return EngineChoice(name=finders()[0].name)


def find_in_video(
    session: MattingSession,
    text: str,
    span: tuple[int, int] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    *,
    choice: EngineChoice | None = None,
) -> list[FoundInstance]:
    """Find every instance of `text` in the frames `span`; memory does not grow with their number.

    Args:
        session: where the results are kept, in found/, in place of those of the search before.
        text: what to find, a short noun phrase.
        span: frames, half-open; None for the whole clip.
        on_progress: called after each frame.
        should_stop: asked after each frame; True stops the search, and what the one before has found stays.
        choice: the engine; see `finder_choice` for the one that is taken otherwise.

    Returns:
        the instances, in the order in which they appear; none where nothing was found.

    Raises:
        PromptError: the text is empty or too long, or the range is outside the clip.
        EngineUnavailableError: packages or weights of the engine are not there.
        ParameterError: the session is for commercial use, and the engine is not.
        ResourceError: the network clearly does not fit into this machine's memory.
        SessionBusyError: another process works on the session.
        Cancelled: `should_stop` said so.
        SplazMatteError: whatever else went wrong; see errors.py.
    """
    share_heaps()
    choice = choice or finder_choice(session.state)
    if session.state.commercial:
        refuse_forbidden(get_spec(Job.SEGMENTER, choice.name), choice.params)
    engine: InstanceFinder = create_finder(choice.name, choice.params)
    reporter = Reporter(on_progress, should_stop)
    with session.lock():
        _check_room(session, load_info(session), choice)
        info = extract(session, load_info(session), reporter)
        save_info(session, info)
        start, stop = span or (0, info.frames)
        if not 0 <= start < stop <= info.frames:
            raise PromptError(f"range {start}:{stop} is outside the clip, which has the frames 0:{info.frames}")
        with SourceAhead(FrameFolder(session.frames_dir, info.frames, (info.width, info.height))) as frames:
            seen = _search(engine.find(frames, text, start, stop), stop - start, reporter)
        mark = engine_mark(Job.SEGMENTER, choice)
        return _keep(session, Findings(text=text, span=(start, stop), engine=mark, instances=[]), seen).instances


def found_before(
    session: MattingSession, text: str, span: tuple[int, int] | None = None, choice: EngineChoice | None = None
) -> list[FoundInstance] | None:
    """Return what this very search has found before, or None if the last search was another one."""
    known = last_findings(session)
    info = load_info(session)
    mark = engine_mark(Job.SEGMENTER, choice or finder_choice(session.state))
    if known is None or (known.text, known.span, known.engine) != (text, span or (0, info.frames), mark):
        return None
    return known.instances


def last_findings(session: MattingSession) -> Findings | None:
    """Return what was found last; None if there was no search, or if its file cannot be read."""
    try:
        return _store(session).load()
    except (FileNotFoundError, StoreError):
        return None


def adopt(
    session: MattingSession, found: Sequence[FoundInstance], ids: Sequence[int], names: Sequence[str] = ()
) -> list[SessionObject]:
    """Make an object of each chosen instance, with its masks on up to three frames as keyframes; saves the session.

    Args:
        session: the session that they were found in.
        found: what the last search has found.
        ids: the instances that are wanted.
        names: of the objects, in the order of `ids`; what is missing is named by the text.

    Raises:
        PromptError: no such instance.
        StoreError: the masks are gone.
    """
    known = {instance.id: instance for instance in found}
    for number in ids:
        if number not in known:
            there = ", ".join(map(str, sorted(known))) or "none"
            raise PromptError(f"no instance {number} was found; there is: {there}")
    findings = last_findings(session)
    label = re.sub(r"[@=:\s]+", " ", findings.text if findings else "found").strip()[:30]
    chosen = list(dict.fromkeys(ids))
    masks = {number: dict(_masks(session, known[number])) for number in chosen}
    session.refresh()
    objects = []
    for place, number in enumerate(chosen):
        item = session.add_object(names[place] if place < len(names) else f"{label} {number}")
        for index, mask in masks[number].items():
            set_keyframe(session, item, index, mask, Keyframe(origin="mask", digest=""))
        objects.append(item)
    session.save()
    return objects


def _check_room(session: MattingSession, info: VideoInfo, choice: EngineChoice) -> None:
    spec = get_spec(Job.SEGMENTER, choice.name)
    load = Load(info.width, info.height, info.frames, params=check_params(spec, choice.params))
    needs = Needs(memory_bytes=spec.memory(load) + memory_used(), disk_bytes=0, seconds=0)
    if Room.here(session.folder).memory_verdict(needs) is Verdict.TOO_LARGE:
        raise ResourceError(
            f"finding by text takes about {needs.memory_bytes / 1e9:.1f} GB of memory, which are not free; "
            "close other programs, or click on the objects instead"
        )


def _search(steps: Iterator[tuple[int, list[Instance]]], total: int, reporter: Reporter) -> dict[int, _Seen]:
    reporter.begin(Stage.KEYFRAMES, total)
    seen: dict[int, _Seen] = {}
    try:
        with closing(steps):  # type: ignore[type-var]  # it is a generator, which ends its threads when it is closed
            for index, instances in steps:
                for found in instances:
                    if found.id in seen:
                        seen[found.id].add(index, found)
                    else:
                        seen[found.id] = _Seen(_begin(index, found), {index: encode_mask(found.mask)})
                reporter.tick()
    except Cancelled:
        raise Cancelled("stopped; a search begins again from its first frame") from None
    reporter.end()
    return seen


def _begin(index: int, found: Instance) -> FoundInstance:
    x, y, width, height = cv2.boundingRect(found.mask)
    return FoundInstance(
        id=found.id,
        first=index,
        last=index,
        best=index,
        score=found.score,
        area=int(np.count_nonzero(found.mask)),
        box=(x, y, x + width - 1, y + height - 1),
        frames=1,
    )


def _keep(session: MattingSession, findings: Findings, seen: dict[int, _Seen]) -> Findings:
    """Write what was found in place of what was there; found.json goes first and comes last."""
    folder = _folder(session)
    findings.instances = [entry.instance for entry in seen.values()]
    with storage_errors(folder):
        discard(_store(session).path)
        discard(folder)
    for number, entry in seen.items():
        wanted = entry.instance.keyframes()
        for index in wanted:
            _write(MaskFolder(folder / str(number)).path(index), entry.masks[index])
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    _store(session).save(findings)
    return findings


def _write(path: Path, data: bytes) -> None:
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)


def _masks(session: MattingSession, instance: FoundInstance) -> Iterator[tuple[int, Mask]]:
    folder = MaskFolder(_folder(session) / str(instance.id))
    for index in instance.keyframes():
        try:
            yield index, folder.read(index)
        except KeyError:
            raise StoreError(f"{folder.path(index)} is gone; search again") from None


def _folder(session: MattingSession) -> Path:
    return session.folder / "found"


def _store(session: MattingSession) -> JsonStore[Findings]:
    return JsonStore(_folder(session) / "found.json", Findings)
