"""Masks that a propagation has yielded: written behind, committed in chunks, read back on request."""

from __future__ import annotations

from types import TracebackType
from typing import Literal

from atomic import sync_file, sync_folder
from engines.base import Mask, Propagated
from errors import Cancelled
from pipeline.masks import MaskFolder
from pipeline.overlap import WriteBehind
from session_store import MattingSession, Provenance, SessionObject

CHUNK = 48
"""Frames that are committed together."""
MASK_CHUNK = 16
"""Masks that are committed together: who watches sees them once they are."""
Kind = Literal["propagated", "drafts"]


class SessionHistory:
    """An engines.base.MaskHistory over a session's folder; a context in which a propagation puts its steps.

    A mask counts once its chunk is committed: its file is on the disk and the session's state says what it was made
    from. Masks that lie there but were made from something else are not found.
    """

    def __init__(self, session: MattingSession, engine: str) -> None:
        """Look at `session`; `engine` is the mark of the propagator."""
        self._session = session
        self._engine = engine
        self._objects = {item.id: item for item in session.state.objects}
        self._pending: list[Propagated] = []
        self._writer: WriteBehind[Propagated] | None = None

    def stale(self, item: SessionObject, start: int, stop: int) -> list[int]:
        """Return the frames whose mask has to be made, keyframes among them; lost files have to be made again."""
        held = set(MaskFolder(self._session.masks_dir(item.id, "propagated")).indices())
        for index in {i for span in item.propagated.spans for i in range(span.start, span.stop)} - held:
            item.propagated.discard(index, index + 1)
        return item.propagated.stale(start, stop, lambda index: self._mark(item, index))

    def get(self, index: int, object_id: int, *, draft: bool = False) -> Mask | None:
        """Return the mask yielded for that frame and object, or None."""
        for step in self._pending:
            if step.index == index and step.draft is draft and object_id in step.masks:
                return step.masks[object_id]
        item = self._objects[object_id]
        if self._made(item, draft).get(index) != self._mark(item, index):
            return None
        try:
            return self._folder(object_id, draft).read(index)
        except KeyError:
            return None

    def put(self, step: Propagated) -> None:
        """Write a step behind; commit when a chunk is full."""
        if self._writer is None:
            self._writer = WriteBehind(self._write, depth=4)
        self._writer.put(step)
        self._pending.append(step)
        if len(self._pending) >= MASK_CHUNK:
            self.commit()

    def commit(self) -> None:
        """Make sure that what was put is on the disk, then record it."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        files = [self._folder(key, step.draft).path(step.index) for step in self._pending for key in step.masks]
        for path in files:
            sync_file(path)
        for folder in {path.parent for path in files}:
            sync_folder(folder)
        for step in self._pending:
            for object_id in step.masks:
                item = self._objects[object_id]
                self._made(item, step.draft).mark(step.index, step.index + 1, self._mark(item, step.index) or "")
                if not step.draft:
                    item.confidence[step.index] = round(float(step.confidence[object_id]), 4)
        self._pending = []
        self._session.save()

    def __enter__(self) -> SessionHistory:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit what was put, also when the user stopped; after an error drop what is not committed."""
        if kind is None or issubclass(kind, Cancelled | KeyboardInterrupt):
            self.commit()
        elif self._writer is not None:
            self._writer.abort()

    def _write(self, step: Propagated) -> None:
        for object_id, mask in step.masks.items():
            self._folder(object_id, step.draft).write(step.index, mask, durable=False)

    def _folder(self, object_id: int, draft: bool) -> MaskFolder:
        kind: Kind = "drafts" if draft else "propagated"
        return MaskFolder(self._session.masks_dir(object_id, kind))

    def _made(self, item: SessionObject, draft: bool) -> Provenance:
        return item.drafts if draft else item.propagated

    def _mark(self, item: SessionObject, index: int) -> str | None:
        return item.mask_mark(index, self._engine, self._session.state.direction)
