"""Sidecars of mattes: which engines made keyframes, masks and alpha of what is delivered, read from their marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engines.spec import Job
from errors import ParameterError
from matting_runner.marks import spec_of
from matting_runner.progress import Reporter
from pipeline.formats import FORMATS, format_spec
from pipeline.info import VideoInfo
from runner_base.makers import Maker, read_mark, read_named_mark
from runner_base.sidecar import EngineUse, compose, engine_use, read_sidecar, write_sidecar
from session_store import Keyframe, MattingSession, MattingState, Provenance

Found = tuple[Maker, int, str]
"""An engine, how many frames it made, and of which object; empty for all."""


def write_sidecars(
    session: MattingSession,
    info: VideoInfo,
    span: tuple[int, int],
    formats: Sequence[str],
    made: Sequence[str],
    premultiplied: bool | None,
    reporter: Reporter,
) -> None:
    """Write the sidecars of the formats that were `made` just now, and of those of `formats` that lack one."""
    for name in formats:
        path = session.folder / FORMATS[name].file_name
        if name in made or read_sidecar(path) is None:
            sidecar = compose(
                session,
                info,
                engines_of(session.state, span),
                reporter.alive,
                kind="matting",
                format=name,
                file=path.name,
                frames=span,
                made_of=_made_of(session.state, _colours(name, premultiplied)),
                notices=reporter.notices_of(name),
            )
            session.save()  # the source's digest
            write_sidecar(path, sidecar)


def engines_of(state: MattingState, span: tuple[int, int]) -> list[EngineUse]:
    """Return the engines whose work is in the alpha of the frames `span`."""
    groups: dict[str, list[Found]] = {}
    for found in (*_keyframes(state), *_masks(state, span), *_alpha(state, span)):
        groups.setdefault(repr(found[0]), []).append(found)
    return [
        engine_use(
            group[0][0],
            getattr(state, group[0][0].job.value),
            sum(frames for _, frames, _ in group),
            [name for _, _, name in group if name],
        )
        for group in groups.values()
    ]


def _keyframes(state: MattingState) -> Iterator[Found]:
    for item in state.objects:
        for keyframe in item.keyframes.values():
            if (maker := keyframe_maker(keyframe)) is not None:
                yield maker, 1, item.name


def keyframe_maker(keyframe: Keyframe) -> Maker | None:
    """Return the engine that made a keyframe; None where a user painted or imported it, or it is not known."""
    return read_named_mark(keyframe.engine)


def _masks(state: MattingState, span: tuple[int, int]) -> Iterator[Found]:
    if _needs_every_mask(state):
        for item in state.objects:
            made = item.propagated.model_copy(deep=True)
            for frame in item.keyframes:  # which take the place of what was propagated
                made.discard(frame, frame + 1)
            yield from ((maker, frames, item.name) for maker, frames in _spans(Job.PROPAGATOR, made, span))


def _needs_every_mask(state: MattingState) -> bool:
    try:
        return spec_of(Job.MATTER, state.matter).needs_every_mask
    except ParameterError:  # of another version
        return True


def _alpha(state: MattingState, span: tuple[int, int]) -> Iterator[Found]:
    yield from ((maker, frames, "") for maker, frames in _spans(Job.MATTER, state.alpha, span))


def _spans(job: Job, made: Provenance, span: tuple[int, int]) -> Iterator[tuple[Maker, int]]:
    for part in made.spans:
        frames = min(part.stop, span[1]) - max(part.start, span[0])
        if frames > 0 and (maker := read_mark(job, part.mark)) is not None:
            yield maker, frames


def _colours(name: str, chosen: bool | None) -> bool | None:
    """Return whether a format's colours are multiplied by alpha; None where it has none of its own."""
    own = format_spec(name).premultiplied
    return own if chosen is None or own is None else chosen


def _made_of(state: MattingState, premultiplied: bool | None) -> dict[str, Any]:
    return {
        "premultiplied": premultiplied,
        "direction": state.direction,
        "objects": [
            {
                "name": item.name,
                "keyframes": {str(frame): keyframe.origin for frame, keyframe in sorted(item.keyframes.items())},
                "operations": item.operations.model_dump(exclude_defaults=True),
            }
            for item in state.objects
        ],
    }
