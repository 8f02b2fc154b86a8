"""SessionEditor: what a user does to one session, without widgets.

base.py     objects, their masks, what undo brings back; see app_logic/editing.py for what all sessions share
prompts.py  clicks, boxes, strokes, masks from files, the engine's answers, previews
choices.py  objects, mask operations, direction, colours
"""

from __future__ import annotations

from app_logic.editor.choices import ChoiceEditing
from app_logic.editor.prompts import PromptEditing

UNDO_TEXTS = (
    "commercial use",
    "click", "box", "brush", "eraser", "mask import", "keyframe", "deleted keyframe", "new object", "deleted object",
    "renamed object", "colour", "visibility", "opacity", "merged objects", "mask operation", "engine", "direction",
    "range", "formats", "colours",
)  # fmt: skip
"""What undo and redo say that they did."""


class SessionEditor(PromptEditing, ChoiceEditing):
    """Edits one session; shared by all its tabs, called from any thread."""


__all__ = ["UNDO_TEXTS", "SessionEditor"]
