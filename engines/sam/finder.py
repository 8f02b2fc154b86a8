"""A text through a clip -> every instance of what it names, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from transformers.models.sam3_video.modeling_sam3_video import Sam3VideoInferenceSession

from engines.base import FrameSource, Instance
from engines.sam.family import Network, side_of
from engines.sam.following import prune
from engines.sam.session import LazyFrames
from engines.sam.words import tokens

MOST = 32
"""Instances that are followed in one run; each takes some 20 MB, also when it has left the picture."""
STRICTER = 0.4
"""Part of the way from the threshold to certainty that a new instance has to go: to 0.7 at the authors' 0.5."""


class SamFinder:
    """An `engines.base.InstanceFinder`. A detector looks at each frame, and a tracker keeps what is which.

    Memory does not grow with the clip, but for a pointer of 1 KB for each 16 frames of an instance. Frames come late by
    the network's own delay (15), in which it gives up instances that turn out to be none. Of more than MOST instances
    the surest ones are followed.

    Args:
        network: what computes, with `FollowingModel` for clips.
        threshold: score that a detection has to exceed, 0..1; for a new instance it is stricter.
    """

    def __init__(self, network: Network, threshold: float) -> None:
        self._network = network
        self._threshold = threshold

    def find(self, source: FrameSource, text: str, start: int, stop: int) -> Iterator[tuple[int, list[Instance]]]:
        """Yield (frame index, instances); see `engines.base.InstanceFinder`.

        Raises:
            PromptError: the text is empty or too long.
            EngineFailedError: the weights are damaged.
            ResourceError: the device is out of memory.
        """
        compute = self._network.compute
        words = tokens(self._network.folder, text, compute.device)
        with compute.inference():
            model = self._network.video()
        self._tune(model)
        frames = LazyFrames(self._network, source, side_of(model))
        session = self._session(frames, words, text)

        def done(_: Any, given: tuple[Any, ...], named: dict[str, Any], out: Any) -> None:
            prune(session, model, out.frame_idx)
            if out.frame_idx + 1 < stop:
                frames.expect(out.frame_idx + 1)

        hook = model.register_forward_hook(done, with_kwargs=True)
        steps = model.propagate_in_video_iterator(
            session, start_frame_idx=start, max_frame_num_to_track=stop - start - 1
        )
        try:
            while True:
                with compute.inference():
                    out = next(steps, None)
                    instances = [] if out is None else _instances(session, out, source.size)
                if out is None:
                    return
                yield out.frame_idx, instances
        finally:
            hook.remove()
            frames.close()

    def _tune(self, model: Any) -> None:
        model.score_threshold_detection = self._threshold
        model.new_det_thresh = self._threshold + (1 - self._threshold) * STRICTER
        model.max_num_objects = MOST

    def _session(self, frames: LazyFrames, words: dict[str, Any], text: str) -> Any:
        device = self._network.compute.device
        session = Sam3VideoInferenceSession(
            inference_device=device, inference_state_device=device, video_storage_device=device, dtype=torch.float32
        )
        session.processed_frames = frames
        prompt = session.add_prompt(text)
        session.prompt_input_ids[prompt] = words["input_ids"]
        session.prompt_attention_masks[prompt] = words["attention_mask"]
        return session


def _instances(session: Any, out: Any, size: tuple[int, int]) -> list[Instance]:
    """Return what is to be seen on a frame; where instances overlap, a pixel belongs to the one that is surest there.

    The same as the library's own post-processing, but with one mask of full size in memory at a time.
    """
    hidden = set(out.suppressed_obj_ids or ()) | session.hotstart_removed_obj_ids
    owner = np.full((size[1], size[0]), -1, np.int32)
    best = np.zeros((size[1], size[0]), np.float32)
    for object_id in sorted(set(out.obj_id_to_mask) - hidden):
        logits = out.obj_id_to_mask[object_id][None].float()
        full = torch.nn.functional.interpolate(logits, (size[1], size[0]), mode="bilinear", align_corners=False)
        presence = np.float32(out.obj_id_to_tracker_score.get(object_id, 0.0))
        wins = (full[0, 0] > 0).cpu().numpy() & (presence > best)
        owner[wins], best[wins] = object_id, presence
    instances = []
    for object_id in [int(value) for value in np.unique(owner) if value >= 0]:
        score = min(out.obj_id_to_score[object_id], out.obj_id_to_tracker_score.get(object_id, 0.0))
        mask = np.where(owner == object_id, np.uint8(255), np.uint8(0))
        instances.append(Instance(object_id + 1, mask, float(score)))
    return instances
