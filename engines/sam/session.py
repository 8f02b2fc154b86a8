"""A session of the transformers library over one object, with memory that does not grow with the clip."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch

from engines.base import FrameSource, Mask
from engines.sam.family import Network, side_of

REACH = 16
"""Frames that the networks look back: `max_object_pointers_in_encoder` of every published configuration."""

ENCODED = 2
"""Encoded pictures that are kept, 17 MB each: of both keyframes of a run, for all objects that begin there."""
OBJECT = 1
"""What a session calls its only object."""


class LazyFrames(dict[int, Any]):
    """The clip as a session wants it, a mapping of all frames, of which only the next one is ever in memory.

    Args:
        network: prepares the pictures.
        source: the clip.
        side: of the square that the model takes.
    """

    def __init__(self, network: Network, source: FrameSource, side: int) -> None:
        super().__init__()
        self._network, self._source, self._side = network, source, side
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sam-frames")
        self._ahead: dict[int, Future[Any]] = {}

    def __len__(self) -> int:
        """Return the number of frames of the clip."""
        return len(self._source)

    def __iter__(self) -> Iterator[int]:
        """Yield every frame's index."""
        return iter(range(len(self._source)))

    def __getitem__(self, index: int) -> Any:
        """Return frame `index`, float32 [3, side, side], on the network's device."""
        self.expect(index)
        return self._ahead.pop(index).result()

    def expect(self, index: int) -> None:
        """Prepare frame `index` while the network is busy with the one before; all reading is done by one thread."""
        if 0 <= index < len(self._source) and index not in self._ahead:
            self._ahead[index] = self._pool.submit(self._prepare, index)

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(cancel_futures=True)

    def _prepare(self, index: int) -> Any:
        with torch.inference_mode():
            return self._network.pixels(self._source.read(index), self._side)[0]


class ObjectSession:
    """One object of a clip between its keyframes.

    The network treats objects one by one but for their memories, which it encodes as a batch, and one object's kind
    of prompt then changes another's memory; a session each keeps them apart. What they share is the encoded pictures.

    Args:
        network: what computes.
        frames: the clip.
        keys: the keyframes' masks, uint8 [H, W].
        encoded: encoded pictures of a session of the same clip, which this one uses too; None for its own.
        known: memories of keyframes that another session of this object has made.
    """

    def __init__(
        self,
        network: Network,
        frames: LazyFrames,
        keys: Mapping[int, Mask],
        encoded: Any = None,
        known: Mapping[int, Any] | None = None,
    ) -> None:
        module, name = network.family.session
        kind = getattr(importlib.import_module(module), name)
        device = network.compute.device
        self._model = network.video()
        self._session = kind(
            inference_device=device,
            inference_state_device=device,
            video_storage_device=device,
            dtype=torch.float32,
            max_vision_features_cache_size=ENCODED,
        )
        self._session.processed_frames = frames
        if encoded is not None:
            self._session.cache = encoded
        self._session.obj_id_to_idx(OBJECT)
        self._position: Any = None
        for index, mask in keys.items():
            if known and index in known:
                self._outputs["cond_frame_outputs"][index] = known[index]
            else:
                self._add(index, mask)

    @property
    def encoded(self) -> Any:
        """Return the latest encoded pictures, for other sessions of the same clip."""
        return self._session.cache

    @property
    def known(self) -> dict[int, Any]:
        """Return the memories of the keyframes: they depend on picture and mask, and on no other frame."""
        return dict(self._outputs["cond_frame_outputs"])

    @property
    def _outputs(self) -> dict[str, dict[int, Any]]:
        found: dict[str, dict[int, Any]] = self._session.output_dict_per_obj[0]
        return found

    def step(self, index: int, *, reverse: bool) -> tuple[Any, float]:
        """Return logits float32 [1, 1, h, w] of frame `index`, and that of the object being there at all.

        Frames are asked for one after the other, from the keyframe on, in one direction.
        """
        out = self._model(self._session, frame_idx=index, reverse=reverse)
        self._prune(index)
        return out.pred_masks, float(out.object_score_logits.flatten()[0])

    def _add(self, index: int, mask: Mask) -> None:
        """Give a keyframe's mask and have it remembered; what is soft in it counts from one half on."""
        side = side_of(self._model)
        given = torch.tensor(mask > 127, device=self._session.inference_device).float()[None, None]
        if given.shape[-2:] != (side, side):
            given = torch.nn.functional.interpolate(
                given, (side, side), mode="bilinear", align_corners=False, antialias=True
            )
            given = (given >= 0.5).float()
        self._session.add_mask_inputs(0, index, given)
        self._session.obj_with_new_inputs = [OBJECT]
        with one_answer(self._model):
            self._model(self._session, frame_idx=index)
        self._session.obj_with_new_inputs = []
        self._session.remove_mask_inputs(0, index)
        self._prune(index)

    def _prune(self, index: int) -> None:
        """Drop what no later frame looks at; results stay the same to the last bit."""
        outputs = self._outputs
        tracked = outputs["non_cond_frame_outputs"]
        for old in [key for key in tracked if abs(key - index) >= REACH]:
            del tracked[old]
        for entry in [*tracked.values(), *outputs["cond_frame_outputs"].values()]:
            entry.pop("high_res_masks", None)
            if "maskmem_pos_enc" in entry:
                self._position = entry["maskmem_pos_enc"] if self._position is None else self._position
                entry["maskmem_pos_enc"] = self._position
                # The same numbers: stored as bf16, they could not be joined to pointers in fp16.
                entry["maskmem_features"] = entry["maskmem_features"].float()
        self._session.frames_tracked_per_obj[0].clear()


@contextmanager
def one_answer(model: Any) -> Iterator[None]:
    """Make an object's pointer of a given mask from the decoder's single answer, as the authors do.

    The library takes the best of its three answers there, the wrong token (seen in 5.24).
    """
    model._single_frame_forward = partial(model._single_frame_forward, multimask_output=False)
    try:
        yield
    finally:
        del model._single_frame_forward


def to_mask(logits: Any, size: tuple[int, int]) -> tuple[Mask, float]:
    """Return logits [1, 1, h, w] as a mask, uint8 [H, W], above 127 exactly where the network says 'in'.

    Returns:
        the mask, and how sure the network is of what is in it, 0 .. 1; 0 where nothing is.
    """
    full = torch.nn.functional.interpolate(logits.float(), (size[1], size[0]), mode="bilinear", align_corners=False)
    inside, sure = full[0, 0] > 0, torch.sigmoid(full[0, 0])
    value = torch.where(inside, (sure * 255).round().clamp(128, 255), (sure * 255).round().clamp(0, 127))
    certainty = float(sure[inside].mean()) if bool(inside.any()) else 0.0
    return np.ascontiguousarray(value.to(torch.uint8).cpu().numpy()), certainty
