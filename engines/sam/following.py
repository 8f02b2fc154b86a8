"""SAM 3's video network with the session's bookkeeping corrected, and its memory bounded."""

from __future__ import annotations

from typing import Any

from transformers.models.sam3_video.modeling_sam3_video import Sam3VideoModel

from engines.sam.components import take_over
from engines.sam.session import REACH


class FollowingModel(Sam3VideoModel):  # type: ignore[misc]
    """The library's class, in which an instance that is given up leaves only after the frame's masks are handed out.

    The library removes it before, and then hands its mask, on that frame, to the instance that came after it. The
    authors' own code looks at the instances as they were before the frame, as is done here.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        take_over()
        self._leaving: set[int] = set()

    def run_tracker_update_execution_phase(self, **given: Any) -> None:
        """Take in what is new on a frame, and leave what has to go for later."""
        self._leaving = given["tracker_update_plan"]["obj_ids_newly_removed"]
        super().run_tracker_update_execution_phase(
            **{**given, "tracker_update_plan": {**given["tracker_update_plan"], "obj_ids_newly_removed": set()}}
        )

    def _det_track_one_frame(self, inference_session: Any, **given: Any) -> Any:
        result = super()._det_track_one_frame(inference_session=inference_session, **given)
        for object_id in self._leaving:
            inference_session.remove_object(object_id)
        return result


def prune(session: Any, model: Any, index: int) -> None:
    """Drop what no later frame of a forward run looks at; results stay the same to the last bit.

    What stays grows with the instances, and by a pointer of 1 KB for each 16 frames of an instance.

    Args:
        session: the library's.
        model: that works on it.
        index: the frame that was just done.
    """
    attention = model.tracker_model.config.max_cond_frame_num
    for outputs in session.output_dict_per_obj.values():
        tracked, sure = outputs["non_cond_frame_outputs"], outputs["cond_frame_outputs"]
        for old in [key for key in tracked if key <= index - REACH]:
            del tracked[old]
        for old in sorted(sure)[:-attention]:  # of these only the pointers are looked at, but all of them
            sure[old] = {"object_pointer": sure[old]["object_pointer"]}
        for entry in [*tracked.values(), *sure.values()]:
            entry.pop("high_res_masks", None)
            _share_position(session, entry)
    for inputs in [*session.mask_inputs_per_obj.values(), *session.frames_tracked_per_obj.values()]:
        inputs.clear()
    for known in (session.obj_id_to_tracker_score_frame_wise, session.suppressed_obj_ids):
        for old in [key for key in known if key < index]:
            del known[old]
    _shorten(session.unmatched_frame_inds, model.hotstart_unmatch_thresh)
    _shorten(session.overlap_pair_to_frame_inds, model.hotstart_dup_thresh)


def _share_position(session: Any, entry: dict[str, Any]) -> None:
    """Keep one positional encoding of memories for all: it depends on nothing but the size."""
    if "maskmem_pos_enc" in entry:
        session.position = getattr(session, "position", entry["maskmem_pos_enc"].clone())
        entry["maskmem_pos_enc"] = session.position


def _shorten(lists: Any, most: int) -> None:
    """Cut lists of frames of which only the length counts, and only up to `most`."""
    for frames in lists.values():
        del frames[most:]
