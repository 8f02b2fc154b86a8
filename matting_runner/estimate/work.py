"""What a run of a session would have to do: counted as the stages count it, without changing anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby

from engines.spec import Job
from matting_runner.deliver_stage import stale_formats
from matting_runner.history import SessionHistory
from matting_runner.marks import alpha_marks, engine_mark, makes_masks
from matting_runner.mask_stages import stale_keyframes, stale_masks
from matting_runner.matte_stage import stale_alpha
from matting_runner.progress import Stage
from pipeline.alpha_store import AlphaStore
from pipeline.info import VideoInfo
from pipeline.masks import MaskFolder
from runner_base.costs import missing_frames
from session_store import Keyframe, MattingSession, SessionObject


@dataclass(frozen=True)
class Work:
    """What there is to do."""

    session: MattingSession
    """A copy, in the state that a run would leave it in; never saved."""
    info: VideoInfo
    span: tuple[int, int]
    extract: int
    """Frames to extract."""
    prompts: int
    """Keyframes to make from prompts."""
    masks: int
    """Frames whose masks have to be made, in one pass or two."""
    visits: Counter[int]
    """{number of objects: visits of frames with so many}; a frame with drafts is visited twice."""
    new_masks: int
    """Masks that have no file yet."""
    drafts: int
    """Masks that are made twice."""
    alpha: int
    """Frames to matte."""
    new_alpha: int
    """Frames that have no alpha at all yet."""
    formats: tuple[str, ...]
    """Formats to make."""

    @property
    def length(self) -> int:
        """Return how many frames the deliverables have."""
        return self.span[1] - self.span[0]


def survey(session: MattingSession, info: VideoInfo, until: Stage) -> Work:
    """Return what a run of `session` up to the stage `until` would do."""
    info = info.model_copy(update={"frames": max(1, info.frames)})  # some headers say 0
    copy = MattingSession(session.folder, session.state.model_copy(deep=True))
    wanted = list(Stage)[: list(Stage).index(until) + 1]
    span = _clipped(copy.state.range, info.frames)
    prompts = _take_prompts(copy) if Stage.KEYFRAMES in wanted else 0
    stale = _stale_masks(copy, span) if makes_masks(copy.state, until) else {}
    visits, drafts = _visits(copy, stale)
    alpha, new_alpha = _take_alpha(copy, info, span) if Stage.MATTE in wanted else (0, 0)
    made = stale_formats(copy, span, copy.state.formats, copy.state.premultiplied) if Stage.DELIVER in wanted else {}
    return Work(
        session=copy,
        info=info,
        span=span,
        extract=_extract(copy, info, needed=bool(prompts or any(stale.values()) or until is Stage.FRAMES)),
        prompts=prompts,
        masks=len({index for indices in stale.values() for index in indices}),
        visits=visits,
        new_masks=_without_file(copy, stale),
        drafts=drafts,
        alpha=alpha,
        new_alpha=new_alpha,
        formats=tuple(made),
    )


def _extract(session: MattingSession, info: VideoInfo, *, needed: bool) -> int:
    """Return how many frames will be extracted; those that were cleaned away stay so until something looks at them."""
    if info.exact and not needed:
        return 0
    return missing_frames(session, info)


def _clipped(wanted: tuple[int, int] | None, frames: int) -> tuple[int, int]:
    """Return the range to deliver; before extraction the number of frames may be a little off."""
    start, stop = wanted or (0, frames)
    return min(start, max(0, frames - 1)), max(1, min(stop, frames))


def _take_prompts(session: MattingSession) -> int:
    """Put keyframes where prompts have none yet, so that what depends on them counts as stale; return how many."""
    todo = stale_keyframes(session)
    for index, item, _, made_by in todo:
        item.keyframes[index] = Keyframe(origin="prompts", digest=f"to come {made_by}", made_by=made_by)
    return len(todo)


def _stale_masks(session: MattingSession, span: tuple[int, int]) -> dict[int, list[int]]:
    history = SessionHistory(session, engine_mark(Job.PROPAGATOR, session.state.propagator))
    return stale_masks(session, history, span)


def _visits(session: MattingSession, stale: dict[int, list[int]]) -> tuple[Counter[int], int]:
    """Return {number of objects: visits with so many} of a propagation, and how many masks are drafted first."""
    engine = engine_mark(Job.PROPAGATOR, session.state.propagator)
    finals = Counter(index for indices in stale.values() for index in indices)
    drafts: Counter[int] = Counter()
    if session.state.direction == "both":
        for item in session.state.objects:
            drafts.update(index for index in stale.get(item.id, ()) if _needs_draft(item, index, engine))
    return Counter([*finals.values(), *drafts.values()]), drafts.total()


def _needs_draft(item: SessionObject, index: int, engine: str) -> bool:
    """Tell whether a frame lies between two keyframes and was not drafted by a run that was cut off."""
    if None in item.neighbours(index):
        return False
    return not item.drafts.spans or item.drafts.get(index) != item.mask_mark(index, engine, "both")


def _without_file(session: MattingSession, stale: dict[int, list[int]]) -> int:
    return sum(
        len(set(indices) - set(MaskFolder(session.masks_dir(object_id, "propagated")).indices()))
        for object_id, indices in stale.items()
        if indices
    )


def _take_alpha(session: MattingSession, info: VideoInfo, span: tuple[int, int]) -> tuple[int, int]:
    """Record the alpha that a run would make; return for how many frames, and how many of those have none yet."""
    marks = alpha_marks(session.state, info.frames)
    store = AlphaStore(session.alpha_dir)
    stale = stale_alpha(session, store, span, marks)
    held = {index for first, last in store.spans() for index in range(first, last)}
    for (mark, _), run in groupby(enumerate(stale), lambda entry: (marks[entry[1]], entry[1] - entry[0])):
        indices = [index for _, index in run]
        session.state.alpha.mark(indices[0], indices[-1] + 1, mark)
    return len(stale), len(set(stale) - held)
