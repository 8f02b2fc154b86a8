"""Windows of a clip through the network, faded into each other, along the frames' own edges back to their size."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch

from engines.base import Alpha, FrameSource, GuideSource, Image
from engines.neural.compute import free_memory
from engines.notice import notice
from engines.tiles import side_by_side
from engines.videomama.frames import Frame, Frames
from engines.videomama.letterbox import Letterbox, letterbox
from engines.videomama.network import CODES, SHRINK, Network
from engines.videomama.noise import draw
from engines.videomama.setting import Setting
from engines.videomama.upsample import restore
from engines.videomama.windows import Window, plan, touching
from errors import ResourceError

TOGETHER = 4
"""Frames that are brought back to their size side by side."""


class VideoMaMaMatter:
    """An `engines.base.VideoMatter`.

    A window sees pictures and masks alone. Others feed the alphas of one window to the next as masks where they
    overlap, which carries an appearance on; but then a frame's alpha depends on every window before it, so that a
    range costs the clip from its beginning, a corrected keyframe makes all that follows stale, and an error is carried
    on too. Here windows share noise and fade into each other instead, and a frame's alpha depends on the frames that
    are less than a window away: any range, cut or resumed, has the bytes of the whole clip.

    A window whose masks are all empty is not computed: its alpha is 0, as nothing was pointed at. One empty mask among
    others is left to the network, which sees the object around it.

    Args:
        network: what computes.
        batch_size: frames of a window; a clip that is shorter is one window.
        overlap: frames in which two windows fade into each other, at most half a window.
        seed: of the noise.
        size: long side of the network's pictures, which frames are scaled to.
    """

    def __init__(
        self, network: Network, batch_size: int = 16, overlap: int = 4, seed: int = 0, size: int = 1024
    ) -> None:
        self._network = network
        self._overlap = overlap
        self._seed = seed
        self._setting = Setting(batch_size, size, network.turns)

    def matte(self, source: FrameSource, guides: GuideSource, start: int, stop: int) -> Iterator[tuple[int, Alpha]]:
        """Yield (frame index, alpha float32 [H, W] 0..1) for every frame of `start` .. `stop`, in order.

        Where a GPU's memory does not suffice, it goes on in a lighter way (see `engines.videomama.setting`) and says
        so; the frames from there on are as if that had been asked for.

        Raises:
            EngineFailedError: the weights are damaged, or its numbers ran over.
            ResourceError: memory does not suffice for the lightest way either.
        """
        while start < stop:
            try:
                for index, alpha in self._pass(source, guides, start, stop):
                    yield index, alpha
                    start = index + 1
            except ResourceError as error:
                self._lighten(error)
            if start < stop:
                gc.collect()  # the error held on to what was computed
                free_memory()

    def _lighten(self, error: ResourceError) -> None:
        """Go on in a lighter way, or not at all."""
        lighter = self._setting.lighter()
        if lighter is None:
            raise error
        self._setting, told = lighter
        self._network = replace(self._network, turns=self._setting.turns)
        notice(f"the memory of {self._network.compute.device} does not suffice for videomama: {told}")

    def _pass(self, source: FrameSource, guides: GuideSource, start: int, stop: int) -> Iterator[tuple[int, Alpha]]:
        """Yield the frames of a range, as far as memory suffices."""
        setting = self._setting
        windows = touching(plan(len(source), setting.length, self._overlap), start, stop)
        box = letterbox(source.size, setting.size)
        frames = Frames(source, guides, box)
        try:
            frames.expect(range(windows[0].start, windows[0].stop))
            before: dict[int, Alpha] = {}
            for window, after in zip(windows, [*windows[1:], None], strict=True):
                inside = range(window.start, window.stop)
                given = frames.get(inside)
                if after is not None:
                    frames.expect(range(after.start, after.stop))
                faded = _fade(before, window, self._alphas(given, window.start, box))
                ready = [index for index in range(window.first, window.fades) if start <= index < stop]
                yield from _restored({index: (faded[index], given[index - window.start].rgb) for index in ready})
                before = {index: faded[index] for index in range(window.fades, window.stop)}
                if after is not None:
                    frames.forget(after.start)
        finally:
            frames.close()

    def _alphas(self, given: list[Frame], start: int, box: Letterbox) -> list[Alpha]:
        """Return the alphas of a window's frames, from frame `start` on, scaled but without padding."""
        if not any(frame.mask.any() for frame in given):
            return [np.zeros((box.inner[1], box.inner[0]), np.float32) for _ in given]
        shape = CODES, box.outer[1] // SHRINK, box.outer[0] // SHRINK

        def noise(place: int, purpose: str) -> torch.Tensor:
            return draw(self._seed, start + place, purpose, shape)

        with self._network.inference():
            for place, frame in enumerate(given):
                if frame.codes is None:
                    sampled = noise(place, "picture"), noise(place, "mask")
                    frame.codes = self._network.encode(frame.picture, frame.mask, sampled)
            codes = torch.stack([frame.codes for frame in given])
            answers = self._network.answer(codes, torch.stack([noise(i, "answer") for i in range(len(given))]))
            return [box.cut(alpha) for alpha in self._network.decode(answers)]


def _fade(before: Mapping[int, Alpha], window: Window, alphas: list[Alpha]) -> dict[int, Alpha]:
    """Return the alphas of a window by frame; where it takes over, mixed with those of the window before."""
    faded = {}
    for index in range(window.first, window.stop):
        alpha = alphas[index - window.start]
        if index in before:
            alpha = before[index] + (alpha - before[index]) * np.float32(window.weight(index))
        faded[index] = alpha
    return faded


def _restored(frames: Mapping[int, tuple[Alpha, Image]]) -> Iterator[tuple[int, Alpha]]:
    """Yield frames in order, each at its own size."""
    order = sorted(frames)
    for place in range(0, len(order), TOGETHER):
        some = order[place : place + TOGETHER]
        yield from zip(some, side_by_side(lambda index: restore(*frames[index]), some), strict=True)
