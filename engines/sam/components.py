"""What SAM 3 takes from the `kernels` package, a download at run time, done here by OpenCV and numpy.

Without that package the library silently leaves out non-maximum suppression, hole filling and the removal of specks.
With these in its place results are the same on every machine, and nothing is downloaded.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from transformers.models.sam3_video import modeling_sam3_video


class Components:
    """Stands in for the library's `cv_utils` kernels, with the meaning that SAM 3's authors give them."""

    def generic_nms(self, ious: Any, scores: Any, iou_threshold: float, use_iou_matrix: bool = True) -> Any:
        """Return the indices, int64 [K], of the masks that stay: each suppresses lesser ones that overlap it more.

        Args:
            ious: float [N, N], of every mask with every other.
            scores: float [N].
            iou_threshold: what is above it overlaps too much.
            use_iou_matrix: always so here.
        """
        overlap, left = ious.float().cpu().numpy(), np.argsort(-scores.float().cpu().numpy(), kind="stable")
        kept = []
        while left.size:
            kept.append(int(left[0]))
            left = left[1:][overlap[left[0], left[1:]] <= iou_threshold]
        return torch.tensor(kept, dtype=torch.int64, device=scores.device)

    def cc_2d(self, masks: Any, get_counts: bool = True) -> tuple[Any, Any]:
        """Return labels and, for every pixel, the size of its part, int32 [B, 1, H, W]; outside the mask both are 0.

        Args:
            masks: uint8 [B, 1, H, W], 0 outside; parts touch at corners too.
            get_counts: always so here.
        """
        labels, counts = [], []
        for mask in masks[:, 0].cpu().numpy():
            _, label, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
            area = stats[:, cv2.CC_STAT_AREA].astype(np.int32)
            area[0] = 0
            labels.append(torch.from_numpy(label))
            counts.append(torch.from_numpy(area[label]))
        return torch.stack(labels)[:, None].to(masks.device), torch.stack(counts)[:, None].to(masks.device)


def take_over() -> None:
    """Have the library use these; it looks for the package only as long as there is nothing in this place."""
    modeling_sam3_video.cv_utils_kernel = Components()
