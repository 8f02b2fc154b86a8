"""Matting sessions on disk: what the user decided, and what was computed from what.

<workspace>/sessions/<session id>/
    source.*                                    the video, copied in
    meta.json                                   facts of the source (written by the runner)
    state.json                                  MattingState
    frames/NNNNNN.jpg                           for looking and for segmentation
    masks/<object id>/keyframes/NNNNNN.png      8-bit grey, frame index from 0
    masks/<object id>/propagated/NNNNNN.png
    masks/<object id>/drafts/NNNNNN.png         a propagation's intermediates, while it runs
    alpha/                                      lossless intermediate
    alpha.mp4, foreground.mp4, …                deliverables
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel

from atomic import sync_folder
from errors import SessionBusyError, SessionNotFoundError, storage_errors
from json_store import JsonStore

ID_PATTERN = re.compile(r"[0-9a-z][0-9a-z-]{0,63}")
COLOURS = ("#e6492d", "#2d9ae6", "#4fc04f", "#e6b42d", "#a05ae6", "#2dd4c8", "#e65aa8", "#8c9a3c")


class Span(BaseModel):
    """Frames `start` .. `stop` (half-open) that were all made from the same thing."""

    start: int
    stop: int
    mark: str


class Provenance(BaseModel):
    """What each computed frame was made from, as few spans as say it, in order and without overlap."""

    spans: list[Span] = []

    def mark(self, start: int, stop: int, mark: str) -> None:
        """Record that the frames `start` .. `stop` are now made from `mark`."""
        self.discard(start, stop)
        kept = sorted([*self.spans, Span(start=start, stop=stop, mark=mark)], key=lambda span: span.start)
        merged = kept[:1]
        for span in kept[1:]:
            last = merged[-1]
            if last.stop == span.start and last.mark == span.mark:
                merged[-1] = Span(start=last.start, stop=span.stop, mark=last.mark)
            else:
                merged.append(span)
        self.spans = merged

    def discard(self, start: int, stop: int) -> None:
        """Forget the frames `start` .. `stop`."""
        kept = []
        for span in self.spans:
            if span.stop <= start or span.start >= stop:
                kept.append(span)
                continue
            if span.start < start:
                kept.append(Span(start=span.start, stop=start, mark=span.mark))
            if span.stop > stop:
                kept.append(Span(start=stop, stop=span.stop, mark=span.mark))
        self.spans = kept

    def get(self, index: int) -> str | None:
        """Return what frame `index` was made from, or None where it was not made."""
        for span in self.spans:
            if span.start <= index < span.stop:
                return span.mark
        return None

    def stale(self, start: int, stop: int, expected: Callable[[int], str | None]) -> list[int]:
        """Return the frames of `start` .. `stop` that were not made from what is expected now (None: nothing is)."""
        made: dict[int, str] = {i: span.mark for span in self.spans for i in range(span.start, span.stop)}
        wanted = ((index, expected(index)) for index in range(start, stop))
        return [index for index, mark in wanted if mark is not None and made.get(index) != mark]


class PointPrompt(BaseModel):
    """A click, in pixels; see engines.base.Point."""

    x: float
    y: float
    positive: bool = True


class BoxPrompt(BaseModel):
    """A box, in pixels; see engines.base.Box."""

    x0: float
    y0: float
    x1: float
    y1: float


class StrokePrompt(BaseModel):
    """A brush stroke, in pixels; see engines.base.Stroke."""

    points: list[tuple[float, float]]
    radius: float
    positive: bool = True


class FramePrompts(BaseModel):
    """The prompts of one object on one frame."""

    points: list[PointPrompt] = []
    box: BoxPrompt | None = None
    strokes: list[StrokePrompt] = []

    def is_empty(self) -> bool:
        """Tell whether there is no prompt at all."""
        return not (self.points or self.box or self.strokes)


class Keyframe(BaseModel):
    """A mask that the user drew, imported or confirmed; its pixels are in masks/<object id>/keyframes/."""

    origin: Literal["mask", "prompts"]
    digest: str
    """SHA-256 of the PNG, shortened: masks made from this one name it."""
    made_by: str = ""
    """The segmenter's mark, for a mask that prompts made."""
    score: float | None = None


class SessionObject(BaseModel):
    """Something to cut out."""

    id: int
    name: str
    colour: str
    prompts: dict[int, FramePrompts] = {}
    keyframes: dict[int, Keyframe] = {}
    propagated: Provenance = Provenance()
    drafts: Provenance = Provenance()
    confidence: dict[int, float] = {}
    """How sure the propagator was, 0 .. 1, by frame."""

    def neighbours(self, index: int) -> tuple[int | None, int | None]:
        """Return the nearest keyframes at or before, and at or after, frame `index`."""
        before = max((key for key in self.keyframes if key <= index), default=None)
        after = min((key for key in self.keyframes if key >= index), default=None)
        return before, after

    def mask_mark(self, index: int, engine: str, direction: str) -> str | None:
        """Return what the mask of frame `index` has to be made from now; None where there is no mask to be made.

        Args:
            index: the frame.
            engine: the propagator's mark: name, version and parameters.
            direction: forward, backward or both.
        """
        before, after = self.neighbours(index)
        if before == index:
            return f"key {self.keyframes[index].digest}"
        if direction == "forward":
            after = None
        if direction == "backward":
            before = None
        if before is None and after is None:
            return None
        keys = [f"{key}:{self.keyframes[key].digest}" if key is not None else "-" for key in (before, after)]
        return f"{engine} {direction} {' '.join(keys)}"


class EngineChoice(BaseModel):
    """An engine by name, with the parameters that differ from its defaults."""

    name: str
    params: dict[str, int | float | bool | str] = {}


class Delivered(BaseModel):
    """One deliverable: its path inside the session and what it was made from."""

    path: str
    mark: str


class RunRecord(BaseModel):
    """How the last run ended."""

    status: Literal["running", "done", "failed", "cancelled"]
    error: str = ""
    seconds: dict[str, float] = {}
    frames: dict[str, float] = {}


class MattingState(BaseModel):
    """Everything about a session that is not pixels."""

    id: str
    name: str
    source: str
    original_name: str
    created: datetime
    objects: list[SessionObject] = []
    segmenter: EngineChoice = EngineChoice(name="grabcut")
    propagator: EngineChoice = EngineChoice(name="flow")
    matter: EngineChoice = EngineChoice(name="guided")
    direction: Literal["forward", "backward", "both"] = "both"
    range: tuple[int, int] | None = None
    formats: list[str] = ["alpha", "foreground"]
    premultiplied: bool | None = None
    extracted: int = 0
    """Frames in frames/ that are whole."""
    alpha: Provenance = Provenance()
    delivered: dict[str, Delivered] = {}
    last_run: RunRecord | None = None


class MattingSession:
    """A session's folder with its state; `save` after each change."""

    def __init__(self, folder: Path, state: MattingState) -> None:
        self.folder = folder
        self.state = state
        self._store = JsonStore(folder / "state.json", MattingState)

    @property
    def source(self) -> Path:
        """Return the video that was copied in."""
        return self.folder / self.state.source

    @property
    def frames_dir(self) -> Path:
        """Return the folder of the frames' JPEGs."""
        return self.folder / "frames"

    @property
    def alpha_dir(self) -> Path:
        """Return the folder of the lossless alpha."""
        return self.folder / "alpha"

    def masks_dir(self, object_id: int, kind: Literal["keyframes", "propagated", "drafts"]) -> Path:
        """Return the folder of an object's masks of that kind."""
        return self.folder / "masks" / str(object_id) / kind

    def save(self) -> None:
        """Write the state.

        Raises:
            StorageError: the disk is full, read-only or not writable.
        """
        self._store.save(self.state)

    def add_object(self, name: str = "") -> SessionObject:
        """Add an object with the next free id and colour, and return it."""
        number = max((item.id for item in self.state.objects), default=0) + 1
        colour = COLOURS[(number - 1) % len(COLOURS)]
        self.state.objects.append(SessionObject(id=number, name=name or f"object {number}", colour=colour))
        return self.state.objects[-1]

    def lock(self) -> FileLock:
        """Return the lock that one process at a time holds while it works on the session; use it with `with`.

        Raises:
            SessionBusyError: another process holds it.
        """
        lock = FileLock(self.folder / ".lock")
        with storage_errors(self.folder):
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise SessionBusyError(f"session {self.state.id} is being worked on by another process") from None
        return lock


class SessionStore:
    """The folder of all matting sessions."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, video: Path, name: str = "") -> MattingSession:
        """Copy `video` into a new session; a copy that fails leaves nothing behind.

        Raises:
            StorageError: the disk is full, read-only or not writable.
        """
        session_id = _new_id()
        hidden = self.root / f".new-{session_id}"
        suffix = video.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", video.suffix) else ".video"
        state = MattingState(
            id=session_id,
            name=name or video.stem,
            source=f"source{suffix}",
            original_name=video.name,
            created=datetime.now(UTC),
        )
        with storage_errors(self.root):
            try:
                hidden.mkdir(parents=True)
                shutil.copyfile(video, hidden / state.source)
                MattingSession(hidden, state).save()
                hidden.rename(self.root / session_id)
            except BaseException:
                shutil.rmtree(hidden, ignore_errors=True)
                raise
            sync_folder(self.root)
        return MattingSession(self.root / session_id, state)

    def open(self, session_id: str) -> MattingSession:
        """Return the session of that id.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
            StoreError: its state cannot be read.
        """
        if not ID_PATTERN.fullmatch(session_id):
            raise SessionNotFoundError(f"'{session_id[:80]}' is not a session id; `list` shows the ids")
        folder = self.root / session_id
        try:
            state = JsonStore(folder / "state.json", MattingState).load()
        except (FileNotFoundError, NotADirectoryError):
            raise SessionNotFoundError(f"there is no session '{session_id}'; `list` shows the ids") from None
        return MattingSession(folder, state)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all sessions, oldest first."""
        if self.root.is_dir():
            yield from sorted(path.name for path in self.root.iterdir() if ID_PATTERN.fullmatch(path.name))

    def is_busy(self, session_id: str) -> bool:
        """Tell whether a process is working on that session."""
        try:
            self.open(session_id).lock().release()
        except SessionBusyError:
            return True
        return False

    def delete(self, session_id: str) -> None:
        """Remove a session and everything in it.

        Raises:
            SessionNotFoundError: there is none, or it is not an id.
        """
        folder = self.root / session_id
        if not ID_PATTERN.fullmatch(session_id) or not folder.is_dir():
            raise SessionNotFoundError(f"there is no session '{session_id[:80]}'; `list` shows the ids")
        doomed = self.root / f".deleted-{session_id}"
        with storage_errors(folder):
            folder.rename(doomed)
            shutil.rmtree(doomed)


def digest(data: bytes) -> str:
    """Return the shortened SHA-256 by which marks name a file's content."""
    return hashlib.sha256(data).hexdigest()[:16]


def _new_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
