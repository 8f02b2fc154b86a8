"""What the stage is on each page: its options with their defaults, its keys, and every text that it writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app_logic.makers import BY_HAND
from engines.table import ENGINES
from pages.keys import KEYS, SERVER_ACTIONS, TRACK_KEYS, TRACK_SERVER_ACTIONS, Row


@dataclass(frozen=True)
class StageKind:
    """The stage of one page; `static/kind_NAME.js` is its other half."""

    name: str
    options: dict[str, Any]
    keys: tuple[Row, ...]
    server: tuple[str, ...]
    """Actions of the keys that Python does."""
    texts: tuple[str, ...]
    """English texts that the browser's modules write."""


SHARED_TEXTS = [
    "Picture",
    "Views",
    "Transport",
    "Timeline",
    "Zoom",
    "Pause",
    "Play",
    "Loop",
    "Frame",
    "of {count}",
    "Time code",
    "Range {start} to {stop}",
    "Segmenting…",
    "Loading…",
    "Waiting for frame {frame}…",
    "Frame {frame} of {count}",
]
OPTIONS: dict[str, Any] = {
    "tool": "point",  # point, box, brush, eraser, pan
    "brush_radius": 12.0,  # source pixels
    "current_object": None,  # id
    "view": "overlay",  # source, overlay, mask, alpha, foreground, composite
    "view_b": "source",  # what a wipe shows on its right
    "wipe": False,
    "backdrop": "checker",  # checker, #rrggbb, image (chosen in the browser, never sent)
    "opacity": 0.5,  # of all overlays, times each object's own
    "outline": True,
    "loop": True,  # playback goes round within the in and out points
}
"""Every option of the matting page with its default."""

STAGE_TEXTS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [text for _, action, text in KEYS if action not in SERVER_ACTIONS]
        + SHARED_TEXTS
        + [
            "Wipe",
            "Second view of the wipe",
            "Backdrop",
            "Checker",
            "Colour",
            "Image…",
            "Backdrop colour",
            "Overlay opacity",
            "Outline",
            "No alpha on this frame: matte this frame or the clip",
            "Preview of this frame",
            "Stale",
        ]
    )
)
"""Every text that the stage's modules write: keys of its prop `texts`."""

MAKER_TEXTS: tuple[str, ...] = tuple(dict.fromkeys([BY_HAND, *(spec.title for spec in ENGINES)]))
"""What it names as makers of masks and alpha: keys of `texts`, too."""

TRACK_OPTIONS: dict[str, Any] = {
    "tool": "point",  # point, select, region, object, pan
    "selected": [],  # ids of points
    "motion": None,  # id of the one that is shown
    "trails": True,
    "trail": 24,  # frames
    "labels": False,
    "raw": False,  # tracks as the engine gave them
    "curves": True,
    "loop": True,
}
"""Every option of the tracking page with its default."""

TRACK_STAGE_TEXTS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [text for _, action, text in TRACK_KEYS if action not in TRACK_SERVER_ACTIONS]
        + SHARED_TEXTS
        + [
            "Tracks",
            "Trails",
            "Length of trails",
            "Names",
            "Raw",
            "Curves",
            "All points",
            "{count} selected",
            "seen",
            "hidden from view",
            "not tracked here",
            "corrected here",
            "Changed since: track again",
            "x",
            "y",
            "confidence",
            "residual",
            "No tracks yet: add points and track them.",
        ]
    )
)
"""Every text that the stage's modules write on the tracking page."""

MATTING = StageKind("matting", OPTIONS, KEYS, SERVER_ACTIONS, (*STAGE_TEXTS, *MAKER_TEXTS))
TRACKING = StageKind("tracking", TRACK_OPTIONS, TRACK_KEYS, TRACK_SERVER_ACTIONS, TRACK_STAGE_TEXTS)
