"""The one table of keys: what the stage listens to on each page, and what help shows.

A key is written as the browser names it, in lower case, after its modifiers: `ctrl+shift+z` (ctrl is also the Mac's
command key). Characters that need shift on some keyboards (`?`, `+`, `{`) are written without it.
"""

from __future__ import annotations

Row = tuple[str, str, str]
"""(key, action, English text)."""

SHARED: tuple[Row, ...] = (
    ("space", "play", "Play or pause"),
    ("arrowleft", "back", "One frame back"),
    (",", "back", "One frame back"),
    ("arrowright", "forward", "One frame forward"),
    (".", "forward", "One frame forward"),
    ("shift+arrowleft", "back10", "Ten frames back"),
    ("shift+arrowright", "forward10", "Ten frames forward"),
    ("home", "first", "First frame"),
    ("end", "last", "Last frame"),
    ("[", "previous_keyframe", "Previous keyframe"),
    ("]", "next_keyframe", "Next keyframe"),
    ("i", "in", "Set in point"),
    ("o", "out", "Set out point"),
    ("shift+x", "clear_range", "Clear in and out points"),
    ("f", "fit", "Fit picture"),
    ("1", "actual", "Actual pixels (1:1)"),
    ("+", "zoom_in", "Zoom in"),
    ("=", "zoom_in", "Zoom in"),
    ("-", "zoom_out", "Zoom out"),
    ("h", "tool_pan", "Pan tool"),
    ("escape", "cancel", "Cancel what is being drawn"),
    ("ctrl+z", "undo", "Undo"),
    ("ctrl+shift+z", "redo", "Redo"),
    ("ctrl+y", "redo", "Redo"),
    ("?", "help", "Help"),
)
"""On every page with a picture."""

KEYS: tuple[Row, ...] = (
    *SHARED,
    ("v", "tool_point", "Click tool"),
    ("b", "tool_box", "Box tool"),
    ("p", "tool_brush", "Brush"),
    ("e", "tool_eraser", "Eraser"),
    ("{", "brush_smaller", "Smaller brush"),
    ("}", "brush_larger", "Larger brush"),
    ("q", "view_source", "Source"),
    ("w", "view_overlay", "Overlay"),
    ("a", "view_mask", "Mask"),
    ("s", "view_alpha", "Alpha"),
    ("d", "view_foreground", "Foreground"),
    ("g", "view_composite", "Composite"),
    ("x", "wipe", "Wipe on or off"),
    ("n", "new_object", "New object"),
    ("k", "keep_mask", "Keep this mask as a keyframe"),
    ("delete", "delete_keyframe", "Delete keyframe"),
    ("backspace", "delete_keyframe", "Delete keyframe"),
    ("ctrl+enter", "propagate", "Propagate"),
    ("m", "matte_frame", "Matte this frame"),
)
"""Of the matting page; the stage does what it can itself and hands on `SERVER_ACTIONS`."""

SERVER_ACTIONS = ("undo", "redo", "new_object", "keep_mask", "delete_keyframe", "propagate", "matte_frame", "help")

TRACK_KEYS: tuple[Row, ...] = (
    *SHARED,
    ("v", "tool_point", "Point tool"),
    ("s", "tool_select", "Selection tool"),
    ("g", "tool_region", "Grid tool"),
    ("m", "tool_object", "Object tool"),
    ("ctrl+a", "select_all", "Select all points"),
    ("t", "trails", "Trails on or off"),
    ("l", "labels", "Names on or off"),
    ("r", "raw", "Raw tracks on or off"),
    ("c", "curves", "Curves on or off"),
    ("delete", "delete_points", "Delete the selected points"),
    ("backspace", "delete_points", "Delete the selected points"),
    ("shift+delete", "delete_key", "Delete the correction on this frame"),
    ("y", "hide_points", "Hide or show the selected points"),
    ("k", "cut_after", "Cut the selected tracks from this frame on"),
    ("j", "cut_before", "Cut the selected tracks before this frame"),
    ("ctrl+enter", "track", "Track"),
)
"""Of the tracking page; the stage hands on `TRACK_SERVER_ACTIONS`."""

TRACK_SERVER_ACTIONS = (
    "undo",
    "redo",
    "delete_points",
    "delete_key",
    "hide_points",
    "cut_after",
    "cut_before",
    "track",
    "help",
)
