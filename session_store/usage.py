"""What a session takes on the disk, by what it is for, and how far its work is; without decoding anything."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pydantic import BaseModel

from atomic import PARTIAL
from session_base.disk import clip_length, files
from session_base.records import SIDECAR
from session_store.session import MattingSession
from session_store.state import MattingState, SessionObject

_MASKS = {"keyframes": "keyframes", "propagated": "masks", "drafts": "drafts"}


class Usage(BaseModel):
    """Bytes of a session's files by part."""

    source: int = 0
    frames: int = 0
    keyframes: int = 0
    """Masks that the user drew, imported or confirmed."""
    masks: int = 0
    """Propagated ones."""
    drafts: int = 0
    alpha: int = 0
    deliverables: int = 0
    leftovers: int = 0
    """What a killed writer had begun."""
    other: int = 0

    @property
    def total(self) -> int:
        """Return the bytes of all parts."""
        return sum(self.model_dump().values())


def usage(session: MattingSession) -> Usage:
    """Return the bytes of a session by part."""
    return folder_usage(session.folder, session.state)


def folder_usage(folder: Path, state: MattingState | None = None) -> Usage:
    """Return the bytes of a session's folder by part; without its state what was delivered counts as other."""
    delivered = {made.path for made in state.delivered.values()} if state else set()
    sizes: Counter[str] = Counter()
    for parts, size in files(folder, ()):
        sizes[_part(parts, delivered)] += size
    return Usage(**sizes)


def progress(session: MattingSession) -> float:
    """Return how far a session's work is, 0 .. 1: 1 when its last run was done, otherwise the mean of three shares.

    They are the frames of its range that have masks, those that have alpha, and the formats that are delivered; what
    has become stale since still counts, as only a run looks into that.
    """
    state = session.state
    delivered = sum(name in state.delivered for name in state.formats)
    if state.last_run and state.last_run.status == "done" and delivered == len(state.formats):
        return 1.0
    span = state.range or (0, clip_length(session.folder))
    length = span[1] - span[0]
    if length <= 0 or not state.objects or not state.formats:
        return 0.0
    masks = sum(_masks_made(item, span) for item in state.objects) / (length * len(state.objects))
    alpha = state.alpha.count(*span) / length
    return (min(masks, 1.0) + alpha + delivered / len(state.formats)) / 3


def _masks_made(item: SessionObject, span: tuple[int, int]) -> int:
    loose = [key for key in item.keyframes if key in range(*span) and item.propagated.get(key) is None]
    return item.propagated.count(*span) + len(loose)


def _part(parts: tuple[str, ...], delivered: set[str]) -> str:
    first = parts[0]
    if any(name.endswith(PARTIAL) for name in parts):
        return "leftovers"
    if first in ("frames", "alpha"):
        return first
    if first == "masks" and len(parts) > 2:
        return _MASKS.get(parts[2], "other")
    if first.removesuffix(SIDECAR) in delivered:
        return "deliverables"
    return "source" if len(parts) == 1 and first.startswith("source.") else "other"
