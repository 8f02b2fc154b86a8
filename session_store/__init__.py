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

from session_store.provenance import Provenance, Span, digest
from session_store.session import MattingSession
from session_store.state import (
    BoxPrompt,
    Delivered,
    EngineChoice,
    FramePrompts,
    Keyframe,
    MattingState,
    PointPrompt,
    RunRecord,
    SessionObject,
    StrokePrompt,
)
from session_store.store import SessionStore

__all__ = [
    "BoxPrompt",
    "Delivered",
    "EngineChoice",
    "FramePrompts",
    "Keyframe",
    "MattingSession",
    "MattingState",
    "PointPrompt",
    "Provenance",
    "RunRecord",
    "SessionObject",
    "SessionStore",
    "Span",
    "StrokePrompt",
    "digest",
]
