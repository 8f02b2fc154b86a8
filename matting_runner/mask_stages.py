"""Stages 'keyframes' and 'propagate': prompts -> keyframe masks -> masks for every frame."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import Literal

import numpy as np

from atomic import write_bytes
from engines.base import (
    Box,
    Direction,
    FrameSource,
    ImageSegmenter,
    Mask,
    MaskPropagator,
    Point,
    Prompts,
    Propagated,
    Stroke,
)
from engines.registry import create, release
from engines.spec import Job
from errors import MaskError, PromptError, StoreError, storage_errors
from matting_runner.history import SessionHistory
from matting_runner.marks import engine_mark
from matting_runner.progress import Reporter, Stage
from pipeline.masks import MaskFolder, encode_mask, load_mask_image
from session_store import EngineChoice, FramePrompts, Keyframe, MattingSession, SessionObject, digest


def to_prompts(session: MattingSession, item: SessionObject, prompts: FramePrompts) -> Prompts:
    """Return a session's prompts as an engine takes them.

    Raises:
        StoreError: the rough mask that they refine is gone.
    """
    box = prompts.box
    return Prompts(
        points=tuple(Point(p.x, p.y, p.positive) for p in prompts.points),
        box=Box(box.x0, box.y0, box.x1, box.y1) if box else None,
        strokes=tuple(Stroke(tuple(s.points), s.radius, s.positive) for s in prompts.strokes),
        mask=read_named(session, item.id, "bases", prompts.base) if prompts.base else None,
        text=prompts.text or None,
    )


def read_named(session: MattingSession, object_id: int, kind: Literal["bases", "past"], name: str) -> Mask:
    """Return the mask that `keep_named` wrote under that digest.

    Raises:
        StoreError: it is gone or damaged.
    """
    path = session.masks_dir(object_id, kind) / f"{name}.png"
    try:
        return load_mask_image(path)
    except MaskError as error:
        raise StoreError(f"{error}; clear that frame's prompts and give them again") from None


def keep_named(session: MattingSession, object_id: int, kind: Literal["bases", "past"], mask: Mask) -> str:
    """Write a mask, uint8 [H, W], under its digest, and return that."""
    data = encode_mask(mask)
    path = session.masks_dir(object_id, kind) / f"{digest(data)}.png"
    if not path.exists():
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, data)
    return path.stem


def prompt_mark(choice: EngineChoice, prompts: FramePrompts) -> str:
    """Return what a keyframe is made by when the segmenter makes it from `prompts`."""
    return digest(f"{engine_mark(Job.SEGMENTER, choice)} {prompts.key()}".encode())


def segmenter_mark(choice: EngineChoice) -> str:
    """Return what a keyframe says of the segmenter that made it; see `session_store.Keyframe.engine`."""
    return f"{Job.SEGMENTER} {engine_mark(Job.SEGMENTER, choice)}"


def set_keyframe(session: MattingSession, item: SessionObject, index: int, mask: Mask, keyframe: Keyframe) -> None:
    """Write a keyframe's mask and record it; masks that were made from an older one become stale by that.

    Args:
        session: the session, which the caller saves.
        item: the object.
        index: the frame.
        mask: uint8 [H, W].
        keyframe: what to record; its digest is set here.
    """
    MaskFolder(session.masks_dir(item.id, "keyframes")).write(index, mask)
    item.keyframes[index] = keyframe.model_copy(update={"digest": digest(encode_mask(mask))})


Prompted = tuple[int, SessionObject, FramePrompts, str]
"""A frame, an object, its prompts there, and the mark of what they are to be made into a mask by."""


def stale_keyframes(session: MattingSession) -> list[Prompted]:
    """Return the prompts that have no mask yet, or had another segmenter, or have changed since; by frame."""
    todo = []
    for item in session.state.objects:
        for index, prompts in sorted(item.prompts.items()):
            made_by = prompt_mark(session.state.segmenter, prompts)
            known = item.keyframes.get(index)
            if not prompts.is_empty() and (known is None or (known.origin == "prompts" and known.made_by != made_by)):
                todo.append((index, item, prompts, made_by))
    return sorted(todo, key=lambda entry: entry[0])


def segment(session: MattingSession, source: FrameSource, reporter: Reporter) -> None:
    """Turn prompts into keyframe masks, where prompts or segmenter have changed since."""
    todo = stale_keyframes(session)
    reporter.begin(Stage.KEYFRAMES, len(todo))
    if not todo:
        return
    segmenter: ImageSegmenter = create(Job.SEGMENTER, session.state.segmenter.name, session.state.segmenter.params)
    engine = segmenter_mark(session.state.segmenter)
    for index, item, prompts, made_by in todo:
        segmenter.set_image(source.read(index))
        best = segmenter.predict(to_prompts(session, item, prompts))[0]
        mask = best.mask.astype(np.uint8) * 255
        keyframe = Keyframe(origin="prompts", digest="", made_by=made_by, score=best.score, engine=engine)
        set_keyframe(session, item, index, mask, keyframe)
        session.save()
        reporter.tick()
    reporter.end()


def stale_masks(session: MattingSession, history: SessionHistory, span: tuple[int, int]) -> dict[int, list[int]]:
    """Return {object id: frames whose mask has to be made} for the frames `span`; lost files are forgotten."""
    reach = _with_keyframes(session.state.objects, span)
    return {
        item.id: [index for index in history.stale(item, *reach) if index not in item.keyframes]
        for item in session.state.objects
    }


def propagate(session: MattingSession, source: FrameSource, span: tuple[int, int], reporter: Reporter) -> None:
    """Bring the masks of the frames `span` up to date, in committed chunks."""
    state = session.state
    start, stop = _with_keyframes(state.objects, span)
    history = SessionHistory(session, engine_mark(Job.PROPAGATOR, state.propagator))
    stale = Counter(i for indices in stale_masks(session, history, span).values() for i in indices)
    reporter.begin(Stage.PROPAGATE, len(stale))
    if stale:
        engine: MaskPropagator = create(Job.PROPAGATOR, state.propagator.name, state.propagator.params)
        keyframes = read_keyframes(session)
        with history:
            steps = engine.propagate(source, keyframes, start, stop, Direction(state.direction), history)
            share = _Share(stale)
            for step in steps:
                history.put(step)
                reporter.tick(share.of(step))
        release()
        for item in state.objects:
            item.drafts.spans = []
        session.save()
        for item in state.objects:
            shutil.rmtree(session.masks_dir(item.id, "drafts"), ignore_errors=True)
    reporter.end()


class _Share:
    """What part of a frame's work each step is: objects may come apart, and one with a draft comes twice.

    Args:
        objects: how many objects of each frame have to be made.
    """

    def __init__(self, objects: Counter[int]) -> None:
        self._objects = objects
        self._drafted: set[tuple[int, int]] = set()

    def of(self, step: Propagated) -> float:
        """Return the part of its frame that `step` does, 0..1."""
        made = [(step.index, object_id) for object_id in step.masks]
        if step.draft:
            self._drafted.update(made)
        halves = sum(0.5 if entry in self._drafted else 1.0 for entry in made)
        return halves / max(1, self._objects[step.index])


def read_keyframes(session: MattingSession) -> dict[int, dict[int, Mask]]:
    """Return {frame: {object id: mask}} of all keyframes.

    Raises:
        PromptError: there is none.
        StoreError: a keyframe's file is gone or damaged.
    """
    keyframes: dict[int, dict[int, Mask]] = {}
    for item in session.state.objects:
        folder = MaskFolder(session.masks_dir(item.id, "keyframes"))
        for index in item.keyframes:
            try:
                keyframes.setdefault(index, {})[item.id] = folder.read(index)
            except KeyError:
                raise StoreError(f"{folder.path(index)} is gone; give that keyframe again") from None
    if not keyframes:
        raise PromptError("no keyframe: give at least one mask, point or box, as in --points 0:+640,360")
    return keyframes


def _with_keyframes(objects: list[SessionObject], span: tuple[int, int]) -> tuple[int, int]:
    """Widen `span` to the keyframes that its masks are made from: a mask comes to it through the frames between."""
    start, stop = span
    for item in objects:
        before, _ = item.neighbours(span[0])
        _, after = item.neighbours(span[1] - 1)
        reach = [key for key in (before, after) if key is not None]
        start, stop = min([start, *reach]), max([stop, *(key + 1 for key in reach)])
    return start, stop
