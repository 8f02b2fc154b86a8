"""What results are made from, as text: the same text means the same result, another one means stale."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engines.registry import check_params, get_spec
from engines.spec import EngineSpec, Job
from matting_runner.progress import Stage
from session_store import EngineChoice, MattingState, digest


def spec_of(job: Job, choice: EngineChoice) -> EngineSpec:
    """Return the registry's row of a chosen engine."""
    return get_spec(job, choice.name)


def engine_mark(job: Job, choice: EngineChoice) -> str:
    """Return the mark of an engine: name, version and all parameters, defaults included."""
    spec = spec_of(job, choice)
    params = json.dumps(check_params(spec, choice.params), sort_keys=True, separators=(",", ":"))
    return f"{spec.name}@{spec.version}{params}"


def engines_used(state: MattingState) -> dict[str, str]:
    """Return which engines made what there is: {job: engine with the parameters that were chosen}."""
    prompted = any(key.origin == "prompts" for item in state.objects for key in item.keyframes.values())
    there = {
        Job.SEGMENTER: prompted,
        Job.PROPAGATOR: any(item.propagated.spans for item in state.objects),
        Job.MATTER: bool(state.alpha.spans),
    }
    return {str(job): _described(getattr(state, job)) for job, is_there in there.items() if is_there}


def _described(choice: EngineChoice) -> str:
    params = ", ".join(f"{name}={value}" for name, value in choice.params.items())
    return f"{choice.name} ({params})" if params else choice.name


def makes_masks(state: MattingState, until: Stage) -> bool:
    """Tell whether a run up to `until` makes masks for all frames: not for a matter that looks at keyframes only."""
    if until in (Stage.FRAMES, Stage.KEYFRAMES):
        return False
    return until is Stage.PROPAGATE or spec_of(Job.MATTER, state.matter).needs_every_mask


def mask_marks(state: MattingState, frames: int) -> list[str]:
    """Return, by frame, what the masks of all objects together have to be made from now."""
    engine = engine_mark(Job.PROPAGATOR, state.propagator)
    return [
        "|".join(f"{item.id}={item.mask_mark(index, engine, state.direction)}" for item in state.objects)
        for index in range(frames)
    ]


def alpha_marks(state: MattingState, frames: int) -> list[str]:
    """Return, by frame, what the alpha has to be made from now: the matter and the masks it looks at.

    Each begins with the matter's name, and its model where it has several, for people to be told.
    """
    spec = spec_of(Job.MATTER, state.matter)
    engine = engine_mark(Job.MATTER, state.matter)
    maker = f"{spec.name}:{_model(spec, state.matter)}" if spec.models else spec.name
    operations = [
        f"{item.id} {item.operations.model_dump_json()}" for item in state.objects if not item.operations.is_default()
    ]
    engine = "\n".join([engine, *operations])
    if spec.needs_every_mask:
        masks, context = mask_marks(state, frames), spec.context(check_params(spec, state.matter.params))
    else:
        masks, context = keyframe_marks(state, frames), 0
    cache: dict[tuple[str, ...], str] = {}
    result = []
    for index in range(frames):
        seen = tuple(dict.fromkeys(masks[max(0, index - context) : index + context + 1]))
        if seen not in cache:
            cache[seen] = f"{maker} " + digest("\n".join([engine, *seen]).encode())
        result.append(cache[seen])
    return result


def _model(spec: EngineSpec, choice: EngineChoice) -> str:
    return str(check_params(spec, choice.params)["model"])


def keyframe_marks(state: MattingState, frames: int) -> list[str]:
    """Return, by frame, the nearest keyframes of all objects: what a matter that needs no other mask depends on."""
    return [
        "|".join(f"{item.id}={item.mask_mark(index, '', 'both')}" for item in state.objects) for index in range(frames)
    ]


def outdated(state: MattingState, marks: Sequence[str]) -> list[str]:
    """Return the formats that were delivered from another alpha, or of other frames, than a run would give now.

    None where the alpha was cleaned away: nobody can tell then.

    Args:
        state: of the session.
        marks: what the alpha of each frame has to be made from; see `alpha_marks`.
    """
    if not state.alpha.spans:
        return []
    span = state.range or (0, len(marks))
    if span[1] > len(marks) or state.alpha.stale(*span, marks.__getitem__):
        return list(state.delivered)
    ways = (None, True, False)  # an export may have multiplied colours otherwise than the session does
    return [
        name
        for name, made in state.delivered.items()
        if made.mark not in {delivery_mark(state, name, span, premultiplied) for premultiplied in ways}
    ]


def delivery_mark(state: MattingState, name: str, span: tuple[int, int], premultiplied: bool | None) -> str:
    """Return what the deliverable `name` has to be made from now."""
    parts = [f"{s.start}:{s.stop}:{s.mark}" for s in state.alpha.spans]
    parts += [name, str(span), str(premultiplied)]
    return digest("\n".join(parts).encode())
