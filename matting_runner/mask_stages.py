"""Stages 'keyframes' and 'propagate': prompts -> keyframe masks -> masks for every frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engines.base import Box, Direction, ImageSegmenter, Mask, Point, Prompts, Propagated, Stroke
from engines.registry import create
from engines.spec import Job
from errors import EngineFailedError, PromptError
from json_store import fsync_dir
from matting_runner.marks import engine_mark
from matting_runner.progress import Reporter, Stage
from pipeline.frames import FrameFolder
from pipeline.masks import encode_mask, read_mask
from session_store import FramePrompts, Keyframe, MattingSession, SessionObject, digest

CHUNK = 48
"""Frames that are committed together."""


def to_prompts(prompts: FramePrompts) -> Prompts:
    """Return a session's prompts as an engine takes them."""
    box = prompts.box
    return Prompts(
        points=tuple(Point(p.x, p.y, p.positive) for p in prompts.points),
        box=Box(box.x0, box.y0, box.x1, box.y1) if box else None,
        strokes=tuple(Stroke(tuple(s.points), s.radius, s.positive) for s in prompts.strokes),
    )
