"""What all edits of a matting session share: objects, their masks, and the pixels that undo brings back."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app_logic.editing import Call, Editing
from app_logic.undo import Decisions, Step
from app_logic.view import session_view
from engines.registry import get_spec
from engines.spec import Job, PromptKind
from errors import PromptError, SplazMatteError
from matting_runner import check_formats, set_keyframe
from matting_runner.mask_stages import keep_named, read_named
from pipeline.masks import Mask, MaskFolder
from session_store import FramePrompts, Keyframe, MattingSession, MattingState, SessionObject


class MattingEditing(Editing[MattingState]):
    """One matting session that the user edits; see Editing."""

    session: MattingSession
    decisions = Decisions(
        ("segmenter", "propagator", "matter", "direction", "range", "formats", "premultiplied", "commercial"),
        "objects",
        ("propagated", "drafts", "confidence"),
    )

    def __init__(self, workspace: Path, session: MattingSession, call: Call) -> None:
        super().__init__(workspace, session, call)
        self.engine_seconds = 0.0
        """That the last call of an engine took."""
        self._one_call = threading.Lock()
        self._busy: dict[tuple[int, int], int] = {}
        """The newest request of each (object, frame) that an engine works on."""
        self._replaced: dict[int, tuple[FramePrompts | None, Step[MattingState] | None]] = {}
        """What the prompts of a request took the place of, and its step of undo, until it is answered."""
        self._previews: dict[int, tuple[str, bytes]] = {}
        for folder in (session.folder / "masks").glob("*/past"):  # of a history that is gone
            shutil.rmtree(folder, ignore_errors=True)

    def _view(self) -> dict[str, Any]:
        view = session_view(self.session, self.revision, self._busy, self._previews)
        return view | {"engine_ms": round(self.engine_seconds * 1000, 1)}

    def _checked_formats(self, formats: Sequence[str]) -> list[str]:
        return check_formats(formats)

    def shown_mask(self, object_id: int, frame: int) -> Mask | None:
        """Return the object's mask there, uint8 [H, W], before operations: the keyframe, else the propagated one."""
        item = self._item(object_id)
        for kind, there in (("keyframes", frame in item.keyframes), ("propagated", bool(item.propagated.get(frame)))):
            if there:
                try:
                    return MaskFolder(self.session.masks_dir(object_id, kind)).read(frame)  # type: ignore[arg-type]
                except KeyError:
                    continue
        return None

    def _item(self, object_id: int) -> SessionObject:
        for item in self.session.state.objects:
            if item.id == object_id:
                return item
        raise PromptError("that object is gone; choose another one, or make a new one")

    def _set_keyframe(self, object_id: int, frame: int, mask: Mask, keyframe: Keyframe) -> None:
        """Write a keyframe; the one before stays for undo, and this one for redo."""
        item = self._item(object_id)
        self._keep_past(item, frame)
        keep_named(self.session, object_id, "past", mask)
        set_keyframe(self.session, item, frame, mask, keyframe)

    def _keep_past(self, item: SessionObject, frame: int) -> None:
        known = item.keyframes.get(frame)
        if known is not None and not (self.session.masks_dir(item.id, "past") / f"{known.digest}.png").exists():
            mask = self.shown_mask(item.id, frame)
            if mask is not None:
                keep_named(self.session, item.id, "past", mask)

    def _keep_all_past(self, item: SessionObject) -> None:
        for frame in item.keyframes:
            self._keep_past(item, frame)

    def _drop_keyframe(self, item: SessionObject, frame: int) -> None:
        self._keep_past(item, frame)
        item.prompts.pop(frame, None)
        item.keyframes.pop(frame, None)
        self._busy.pop((item.id, frame), None)

    def _took_back(self, before: MattingState) -> None:
        known = {item.id: item for item in before.objects}
        self._busy.clear()
        for item in self.session.state.objects:
            self._bring_back(item, known.get(item.id))

    def _bring_back(self, item: SessionObject, before: SessionObject | None) -> None:
        """Put the keyframes' pixels in place that differ from those of `before`."""
        folder = MaskFolder(self.session.masks_dir(item.id, "keyframes"))
        for frame, keyframe in item.keyframes.items():
            known = before.keyframes.get(frame) if before else None
            if known is None or known.digest != keyframe.digest:
                folder.write(frame, read_named(self.session, item.id, "past", keyframe.digest))

    def _prompts(self, item: SessionObject, frame: int) -> FramePrompts:
        known = item.keyframes.get(frame)
        painted = known is not None and known.origin == "mask"
        if frame in item.prompts and not painted:
            return item.prompts[frame]
        mask = self.shown_mask(item.id, frame) if self._takes_masks() else None
        if mask is None or not mask.any():
            return FramePrompts()
        return FramePrompts(base=keep_named(self.session, item.id, "bases", mask))

    def _takes_masks(self) -> bool:
        try:
            return PromptKind.MASK in get_spec(Job.SEGMENTER, self.session.state.segmenter.name).prompts
        except SplazMatteError:
            return False

    def _check_takes(self, kind: PromptKind, what: str) -> None:
        """Refuse a kind of prompt that the chosen segmenter does not take."""
        name = self.session.state.segmenter.name
        if kind not in get_spec(Job.SEGMENTER, name).prompts:
            raise PromptError(f"'{name}' takes no {what}; use another tool, or choose another engine for clicks")
