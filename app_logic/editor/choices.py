"""Edits beside the picture: objects, mask operations, direction, colours."""

from __future__ import annotations

import re
from typing import Any, Literal, cast

from pydantic import ValidationError

from app_logic.editor.base import MattingEditing
from errors import ParameterError, PromptError
from pipeline.masks import union
from session_store import Keyframe, MaskOperations, checked_name


class ChoiceEditing(MattingEditing):
    """What the user decides beside the picture."""

    def add_object(self, name: str = "") -> int:
        """Add an object and return its id."""
        with self._lock:
            self._remember("new object")
            item = self.session.add_object(checked_name(name) if name else "")
            self._save()
            return item.id

    def remove_object(self, object_id: int) -> None:
        """Take an object away; undo brings it back with its masks."""
        with self._lock:
            item = self._item(object_id)
            self._keep_all_past(item)
            self._remember("deleted object")
            self.session.state.objects.remove(item)
            self._save()

    def rename_object(self, object_id: int, name: str) -> None:
        """Name an object."""
        self._change(object_id, "renamed object", name=checked_name(name))

    def recolour_object(self, object_id: int, colour: str) -> None:
        """Give an object another colour, as '#rrggbb'."""
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
            raise ParameterError("a colour is written as #rrggbb")
        self._change(object_id, "colour", colour=colour.lower())

    def set_visible(self, object_id: int, visible: bool) -> None:
        """Show or hide an object; what is hidden still belongs to the matte."""
        self._change(object_id, "visibility", visible=bool(visible))

    def set_opacity(self, object_id: int, opacity: float) -> None:
        """Set the opacity of an object's overlay, 0..1."""
        if not 0 <= opacity <= 1:
            raise ParameterError("an opacity is 0 to 1")
        self._change(object_id, "opacity", key=f"opacity {object_id}", opacity=float(opacity))

    def merge_objects(self, into: int, other: int) -> None:
        """Join an object with another one: keyframes where either has one, and the other one is gone."""
        with self._lock:
            target, source = self._item(into), self._item(other)
            if into == other:
                raise PromptError("an object is not merged with itself")
            joined = {}
            for frame in sorted({*target.keyframes, *source.keyframes}):
                masks = [self.shown_mask(item, frame) for item in (into, other)]
                joined[frame] = union(mask for mask in masks if mask is not None)
            self._keep_all_past(source)
            self._remember("merged objects")
            self.session.state.objects.remove(source)
            for frame, mask in joined.items():
                target.prompts.pop(frame, None)
                self._set_keyframe(into, frame, mask, Keyframe(origin="mask", digest=""))
            self._save()

    def set_operations(self, object_id: int, *, final: bool = True, **fields: Any) -> None:
        """Change what is done to an object's masks.

        Args:
            object_id: the object.
            final: False while a slider is being dragged; all of a drag is one step of undo.
            fields: of MaskOperations.

        Raises:
            ParameterError: a value outside its range.
        """
        with self._lock:
            item = self._item(object_id)
            try:
                operations = MaskOperations.model_validate({**item.operations.model_dump(), **fields})
            except ValidationError as error:
                raise ParameterError(
                    f"mask operation {error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}"
                ) from None
            if operations == item.operations and final:
                return
            self._remember("mask operation", f"operations {object_id} {sorted(fields)}", final=final)
            item.operations = operations
            self._save()

    def set_direction(self, direction: str) -> None:
        """Choose which way masks are carried: forward, backward or both."""
        if direction not in ("forward", "backward", "both"):
            raise ParameterError("the direction is forward, backward or both")
        self._set("direction", direction=cast(Literal["forward", "backward", "both"], direction))

    def set_premultiplied(self, premultiplied: bool | None) -> None:
        """Choose whether colours are multiplied by alpha; None for each format's own convention."""
        self._set("colours", premultiplied=premultiplied)

    def _change(self, object_id: int, text: str, *, key: str = "", **fields: Any) -> None:
        with self._lock:
            item = self._item(object_id)
            if all(getattr(item, name) == value for name, value in fields.items()):
                return
            self._remember(text, key)
            for name, value in fields.items():
                setattr(item, name, value)
            self._save()
