"""Stage 'matte': masks -> lossless alpha, in committed chunks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise

import numpy as np

from engines.base import Alpha, FrameSource, Guide, Mask, VideoMatter
from engines.registry import create, release
from engines.spec import Job
from matting_runner.history import CHUNK
from matting_runner.marks import alpha_marks
from matting_runner.progress import Reporter, Stage
from pipeline.alpha_store import AlphaStore
from pipeline.masks import MaskFolder, operate, union
from pipeline.overlap import WriteBehind
from pipeline.read_ahead import ReadAhead
from session_store import MattingSession, SessionObject


class SessionGuides:
    """The masks of all objects of a session, joined, as an engines.base.GuideSource."""

    def __init__(self, session: MattingSession, size: tuple[int, int]) -> None:
        """Look at `session`, whose frames are `size` (width, height)."""
        self._session = session
        self._empty: Mask = np.zeros((size[1], size[0]), np.uint8)

    def read(self, index: int) -> Guide:
        """Return the joined mask and the lowest confidence of frame `index`."""
        masks, confidences = [self._empty], [1.0]
        for item in self._session.state.objects:
            found = self._mask(item, index)
            if found is not None:
                masks.append(found)
                confidences.append(1.0 if index in item.keyframes else item.confidence.get(index, 0.0))
        return Guide(masks[1] if len(masks) == 2 else union(masks), min(confidences))

    def objects(self) -> list[int]:
        """Return the ids of the objects that have a keyframe."""
        return [item.id for item in self._session.state.objects if item.keyframes]

    def keyframes(self, object_id: int) -> list[int]:
        """Return the frames on which the user drew or confirmed that object's mask, in order."""
        return sorted(self._item(object_id).keyframes)

    def keyframe(self, object_id: int, index: int) -> Mask:
        """Return that object's mask, uint8 [H, W], on one of its keyframes."""
        mask = self._mask(self._item(object_id), index)
        return self._empty if mask is None else mask

    def _item(self, object_id: int) -> SessionObject:
        return next(item for item in self._session.state.objects if item.id == object_id)

    def has(self, index: int) -> bool:
        """Tell whether any object has a mask on frame `index`."""
        return any(self._raw(item, index) is not None for item in self._session.state.objects)

    def _mask(self, item: SessionObject, index: int) -> Mask | None:
        mask = self._raw(item, index)
        return mask if mask is None else operate(mask, **item.operations.model_dump())

    def _raw(self, item: SessionObject, index: int) -> Mask | None:
        if index in item.keyframes:
            return MaskFolder(self._session.masks_dir(item.id, "keyframes")).read(index)
        if item.propagated.get(index) is None:
            return None
        return MaskFolder(self._session.masks_dir(item.id, "propagated")).read(index)


class _GuidesAhead(ReadAhead[Guide]):
    """Guides that are read ahead of the engine."""

    def __init__(self, guides: SessionGuides, span: tuple[int, int]) -> None:
        super().__init__(guides, *span)
        self.objects, self.keyframes, self.keyframe = guides.objects, guides.keyframes, guides.keyframe

    def __enter__(self) -> _GuidesAhead:
        """Return itself."""
        return self


def stale_alpha(session: MattingSession, store: AlphaStore, span: tuple[int, int], marks: list[str]) -> list[int]:
    """Return the frames of `span` whose alpha is missing or was not made from `marks`, in order."""
    return sorted({*session.state.alpha.stale(*span, marks.__getitem__), *(set(range(*span)) - _held(store))})


def _held(store: AlphaStore) -> set[int]:
    return {index for start, stop in store.spans() for index in range(start, stop)}


def matte(session: MattingSession, source: FrameSource, span: tuple[int, int], reporter: Reporter) -> None:
    """Bring the alpha of the frames `span` up to date, in committed chunks."""
    state = session.state
    marks = alpha_marks(state, len(source))
    store = AlphaStore(session.alpha_dir)
    store.clean()
    held = _held(store)
    stale = stale_alpha(session, store, span, marks)
    reporter.begin(Stage.MATTE, len(stale))
    if stale:
        engine: VideoMatter = create(Job.MATTER, state.matter.name, state.matter.params)
        with _GuidesAhead(SessionGuides(session, source.size), span) as guides:
            for run in _runs(stale):
                results = engine.matte(source, guides, *run)
                for chunk in _chunks(run):
                    _forget(session, store, chunk, held)
                    _commit(session, store, islice(results, chunk[1] - chunk[0]), chunk, marks, reporter)
        release()
    store.close()
    reporter.end()


def _forget(session: MattingSession, store: AlphaStore, chunk: tuple[int, int], held: set[int]) -> None:
    """Drop what is there of `chunk`: first from the state, so that a crash in between leaves it stale, not wrong."""
    if held.intersection(range(*chunk)):
        session.state.alpha.discard(*chunk)
        session.save()
        store.remove(*chunk)


def _commit(
    session: MattingSession,
    store: AlphaStore,
    results: Iterator[tuple[int, Alpha]],
    chunk: tuple[int, int],
    marks: list[str],
    reporter: Reporter,
) -> None:
    """Write the alpha of `chunk`, encoding behind the engine, and record it."""
    with store.writer(chunk[0]) as writer, WriteBehind(writer.append) as behind:
        for _, alpha in results:
            behind.put(alpha)
            reporter.tick()
    for index in range(*chunk):
        session.state.alpha.mark(index, index + 1, marks[index])
    session.save()


def _chunks(span: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Yield the chunks that cover `span`, cut at multiples of CHUNK."""
    cuts = [span[0], *range((span[0] // CHUNK + 1) * CHUNK, span[1], CHUNK), span[1]]
    yield from pairwise(cuts)


def _runs(indices: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the half-open runs of consecutive numbers in `indices`, which are in order."""
    start = previous = None
    for index in indices:
        if start is None or previous is None:
            start = index
        elif index != previous + 1:
            yield start, previous + 1
            start = index
        previous = index
    if start is not None and previous is not None:
        yield start, previous + 1
