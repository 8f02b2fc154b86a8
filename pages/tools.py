"""The tool bar beside the picture: prompts, undo and redo, keyframes; and the text prompt of engines that take it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from nicegui import ui

from engines.registry import engines, get_spec
from engines.spec import EngineSpec, Job, PromptKind
from pages.matting_desk import MattingDesk
from pages.texts import t
from pages.tool_bar import ToolBar, tool_button
from pages.widgets import closed, icon_button

TOOLS = {
    "point": ("add_circle", "Click: left adds, right or Alt takes away (V)", PromptKind.POINTS),
    "box": ("crop_free", "Box: drag around the object (B)", PromptKind.BOX),
    "brush": ("brush", "Brush: paint the mask (P)", None),
    "eraser": ("sym_o_ink_eraser", "Eraser: take from the mask (E)", None),
    "pan": ("pan_tool", "Move the picture (H)", None),
}
TOOL_TEXTS = [text for _, text, _ in TOOLS.values()]
MASK_LIMIT = 64 << 20
"""Bytes of a mask image."""


class MattingTools(ToolBar):
    """The tools of the matting page."""

    def __init__(self, desk: MattingDesk) -> None:
        self._desk = desk
        super().__init__(desk, {name: (icon, text) for name, (icon, text, _) in TOOLS.items()})
        desk.on_view(self._refresh)
        desk.on_frame(self._refresh)

    def more(self) -> None:
        """Draw keyframes, import of masks, and the text prompt."""
        self._keep = icon_button("push_pin", t("Keep this mask as a keyframe (K)"), self.keep)
        self._clear = icon_button("backspace", t("Delete the keyframe of this frame (Delete)"), self.clear)
        icon_button("upload_file", t("Import a mask for this frame from an image"), self._import)
        self._points = icon_button("timeline", t("Track points through this"), self._carry)
        self._text, self._text_tip = tool_button("text_fields", t("Find by text"), self._find)

    async def keep(self) -> None:
        """Make the propagated mask of this frame a keyframe."""
        await self._desk.edit("keep_mask", self._desk.object_id, self._desk.frame)

    async def clear(self) -> None:
        """Delete the prompts and the keyframe of this frame."""
        await self._desk.edit("clear_frame", self._desk.object_id, self._desk.frame)

    async def event(self, name: str, data: dict[str, Any]) -> None:
        """Take a prompt that was given on the picture; the first one makes the first object."""
        desk = self._desk
        if desk.editor is None:
            return
        if not desk.object_id:
            made = await desk.edit("add_object")
            if made is None:
                return
            desk.choose_object(made)
        place = desk.object_id, int(data["frame"])
        if name == "click":
            await desk.edit("add_point", *place, float(data["x"]), float(data["y"]), bool(data["positive"]))
        elif name == "box":
            await desk.edit("set_box", *place, *(float(data[key]) for key in ("x0", "y0", "x1", "y1")))
        else:
            points = [(float(x), float(y)) for x, y in data["points"]]
            await desk.edit("paint", *place, points, float(data["radius"]), bool(data["positive"]))

    def _refresh(self) -> None:
        editor = self._desk.editor
        if editor is None:
            return
        self._points.set_enabled(bool((self._desk.view or {"objects": []})["objects"]))
        kinds = {
            kind
            for item in (self._desk.view or {"objects": []})["objects"]
            if item["id"] == self._desk.object_id
            for start, stop, kind, _ in item["lane"]
            if start <= self._desk.frame < stop
        }
        self._clear.set_enabled("keyframe" in kinds)
        self._keep.set_enabled(bool(kinds - {"keyframe"}))
        self._offer(get_spec(Job.SEGMENTER, editor.session.state.segmenter.name))

    def _offer(self, spec: EngineSpec) -> None:
        """Enable the tools whose prompts the segmenter takes; the others say which engine does."""
        rows = [(self.buttons[name], self.tips[name], text, kind) for name, (_, text, kind) in TOOLS.items()]
        for button, tip, text, kind in [*rows, (self._text, self._text_tip, "Find by text", PromptKind.TEXT)]:
            button.set_enabled(kind is None or kind in spec.prompts)
            tip.text = t(text) if kind is None or kind in spec.prompts else f"{t(text)}: {_refusal(spec, kind)}"

    async def _import(self) -> None:
        desk = self._desk
        with desk.home, ui.dialog() as dialog, ui.card().classes("sm-dialog"):
            ui.label(t("Import a mask")).classes("sm-title")
            ui.label(t("An image of the video's size: white or opaque is inside.")).classes("sm-note")
            upload = ui.upload(on_upload=dialog.submit, auto_upload=True, max_files=1, max_file_size=MASK_LIMIT)
            upload.props('accept="image/*" flat bordered').classes("w-full")
            ui.button(t("Cancel"), on_click=lambda: dialog.submit(None)).props("flat no-caps")
        event = await closed(dialog)
        if event is not None and desk.editor is not None:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "mask"
                await event.file.save(path)
                if not desk.object_id:
                    desk.choose_object(await desk.edit("add_object"))
                await desk.edit("import_mask", desk.object_id, desk.frame, path)

    async def _carry(self) -> None:
        from pages.carry_dialog import carry_points

        if self._desk.editor is not None:
            await carry_points(self._desk)

    async def _find(self) -> None:
        from pages.find_dialog import find_by_text

        await find_by_text(self._desk)


def _refusal(spec: EngineSpec, kind: PromptKind) -> str:
    """Return that an engine does not take a kind of prompt, and which ones do."""
    others = ", ".join(t(other.title) for other in engines(Job.SEGMENTER) if kind in other.prompts)
    if others:
        return t("{engine} does not take it; {others} can", engine=t(spec.title), others=others)
    return t("{engine} does not take it", engine=t(spec.title))
