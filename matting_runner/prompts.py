"""What users give: masks from images, and checks of points, boxes and keyframes against the clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from engines.guess import guess_box
from errors import MediaError, PromptError
from matting_runner.mask_stages import set_keyframe
from pipeline.decode import VideoReader
from pipeline.info import VideoInfo
from pipeline.masks import load_mask_image
from session_store import BoxPrompt, FramePrompts, Keyframe, MattingSession, SessionObject

_GUESS_AHEAD = 6
"""Frames between the two that a guess compares."""


def add_mask(session: MattingSession, item: SessionObject, index: int, image: Path, info: VideoInfo) -> None:
    """Take an image as the keyframe mask of `item` on frame `index`.

    Raises:
        MaskError: the image is missing, unreadable or of another size than the video.
    """
    mask = load_mask_image(image, (info.width, info.height))
    set_keyframe(session, item, index, mask, Keyframe(origin="mask", digest=""))


def guess_prompts(video: Path, info: VideoInfo) -> FramePrompts:
    """Return a guess at the subject of `video`: a box on its first frame."""
    with VideoReader(video, info) as reader:
        first = later = reader.read(0)
        for index in (_GUESS_AHEAD, 1):
            with suppress(IndexError, MediaError):  # a clip may be shorter than its header says
                later = reader.read(index)
                break
    box = guess_box(first, later)
    return FramePrompts(box=BoxPrompt(x0=box.x0, y0=box.y0, x1=box.x1, y1=box.y1))


def check_prompts(objects: Iterable[SessionObject], info: VideoInfo) -> None:
    """Check that every prompt lies on the picture and, where the number of frames is known, within the clip.

    Raises:
        PromptError: one does not.
    """
    for item in objects:
        for index in {*item.prompts, *item.keyframes}:
            if info.exact and index >= info.frames:
                raise PromptError(f"object '{item.name}' has a prompt on frame {index}; the last is {info.frames - 1}")
        for index, prompts in item.prompts.items():
            if not (prompts.is_empty() or _says_what_is_in(prompts)):
                raise PromptError(
                    f"object '{item.name}' has no positive point on frame {index}: say what belongs to it"
                )
            for x, y in _positions(prompts):
                if not (-0.5 <= x <= info.width - 0.5 and -0.5 <= y <= info.height - 0.5):
                    raise PromptError(
                        f"{x:g},{y:g} on frame {index} is outside the picture, which is {info.width}x{info.height}"
                    )


def _says_what_is_in(prompts: FramePrompts) -> bool:
    signs = [*(point.positive for point in prompts.points), *(stroke.positive for stroke in prompts.strokes)]
    return prompts.box is not None or bool(prompts.text or prompts.base) or any(signs)


def _positions(prompts: FramePrompts) -> Iterator[tuple[float, float]]:
    for point in prompts.points:
        yield point.x, point.y
    if prompts.box:
        yield prompts.box.x0, prompts.box.y0
        yield prompts.box.x1, prompts.box.y1
