"""A segmenter on one frame of a session of any kind, for a user who clicks and waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engines.base import ImageSegmenter
from engines.registry import create
from engines.spec import Job
from pipeline.decode import VideoReader
from pipeline.frames import FrameFolder, frame_path
from runner_base.facts import load_info
from session_base import EngineChoice, StoredSession


@dataclass
class _Ready:
    """A segmenter, and the picture that it has set."""

    choice: EngineChoice
    segmenter: ImageSegmenter
    picture: str = ""


_ready: list[_Ready] = []
"""The last one: a click on the same frame costs only the prediction; engines keep what they know of other frames."""


def segmenter_on(session: StoredSession[Any], index: int, choice: EngineChoice) -> ImageSegmenter:
    """Return a segmenter that has set frame `index` of a session.

    Raises:
        IndexError: there is no such frame.
        SplazMatteError: the engine cannot run.
    """
    if not _ready or _ready[0].choice != choice:
        _ready[:] = [_Ready(choice, create(Job.SEGMENTER, choice.name, choice.params))]
    ready, picture = _ready[0], f"{session.folder}\n{index}"
    if ready.picture != picture:
        ready.picture = ""
        ready.segmenter.set_image(_frame(session, index))
        ready.picture = picture
    return ready.segmenter


def _frame(session: StoredSession[Any], index: int) -> np.ndarray:
    """Return a frame as engines see it: from its JPEG where it is extracted, else from the source."""
    info = load_info(session)
    if frame_path(session.frames_dir, index).exists():
        return FrameFolder(session.frames_dir, info.frames, (info.width, info.height)).read(index)
    with VideoReader(session.source, info) as reader:
        return reader.read(index)
