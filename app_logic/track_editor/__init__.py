"""TrackEditor: what a user does to one tracking session, without widgets.

base.py     what all of it shares: points by id, the view, refined tracks
points.py   points: add, move, delete, names, colours, groups, grids, cuts
masks.py    an object that is clicked on, and the points that fill it
choices.py  direction, refinement, motions
"""

from __future__ import annotations

from app_logic.track_editor.choices import ChoiceEditing
from app_logic.track_editor.masks import MaskEditing

TRACK_UNDO_TEXTS = (
    "commercial use",
    "new point", "moved point", "correction", "deleted correction", "deleted points", "renamed point", "colour",
    "group", "visibility", "grid", "points on the object", "cut", "engine", "direction", "range", "formats",
    "refinement", "new motion", "motion", "deleted motion",
)  # fmt: skip
"""What undo and redo say that they did."""


class TrackEditor(MaskEditing, ChoiceEditing):
    """Edits one tracking session; shared by all its tabs, called from any thread."""


__all__ = ["TRACK_UNDO_TEXTS", "TrackEditor"]
