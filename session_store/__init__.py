"""Matting sessions on disk: what the user decided, and what was computed from what.

<workspace>/sessions/<session id>/
    source.*                                    the video, copied in
    meta.json                                   facts of the source (written by the runner)
    state.json                                  MattingState
    .lock                                       held by the one process that works on it
    frames/NNNNNN.jpg                           for looking and for segmentation
    masks/<object id>/keyframes/NNNNNN.png      8-bit grey, frame index from 0
    masks/<object id>/propagated/NNNNNN.png
    masks/<object id>/drafts/NNNNNN.png         a propagation's intermediates, while it runs
    found/                                      what a text found last, to pick from
    alpha/                                      lossless intermediate
    alpha.mp4, foreground.mp4, …                deliverables
"""

from __future__ import annotations

from session_base import Delivered, EngineChoice, RunRecord, busy, checked_name, digest, set_aside, sizes, tree_bytes
from session_store.cleanup import clean, is_finished, removable
from session_store.provenance import Provenance, Span
from session_store.session import MattingSession
from session_store.state import (
    BoxPrompt,
    FramePrompts,
    Keyframe,
    MaskOperations,
    MattingState,
    PointPrompt,
    SessionObject,
    StrokePrompt,
)
from session_store.store import SessionStore
from session_store.usage import Usage, folder_usage, progress, usage

__all__ = [
    "BoxPrompt",
    "Delivered",
    "EngineChoice",
    "FramePrompts",
    "Keyframe",
    "MaskOperations",
    "MattingSession",
    "MattingState",
    "PointPrompt",
    "Provenance",
    "RunRecord",
    "SessionObject",
    "SessionStore",
    "Span",
    "StrokePrompt",
    "Usage",
    "busy",
    "checked_name",
    "clean",
    "digest",
    "folder_usage",
    "is_finished",
    "progress",
    "removable",
    "set_aside",
    "sizes",
    "tree_bytes",
    "usage",
]
