"""How much a run adds to the disk: from what is there already where there is something, else from the kind of video.

Bytes a pixel were measured on a dozen clips of 0.2 to 8 megapixels. Larger pictures of the same have fewer.
"""

from __future__ import annotations

import cv2
import numpy as np

from matting_runner.estimate.work import Work
from matting_runner.progress import Stage
from pipeline.alpha_store import AlphaStore
from pipeline.formats import FORMATS
from pipeline.masks import MaskFolder
from runner_base.costs import MEGA, file_bytes, jpeg_bytes, mean_size, sample
from session_store import SessionObject

MASK, ALPHA, LARGER = 0.0155, 0.055, -0.2
"""Bytes a pixel of a mask and of a frame of alpha, of a megapixel; and the exponent of the size."""
COVERED = 0.25
"""Share of the picture in and around the object, where that is not known."""
BOX_FILLED = 0.75
"""Share of a box, widened by as much as colours reach, that they fill."""
_REDUCED, _REACH = 200, 12  # long side on which masks are looked at, and how far colours reach there


def disk_added(work: Work) -> dict[Stage, int]:
    """Return the bytes that each stage adds; what it leaves there only for a while, as drafts, is not in it."""
    return {
        Stage.FRAMES: round(work.extract * file_bytes(jpeg_bytes(work.session, work.info))),
        Stage.KEYFRAMES: work.prompts * file_bytes(_mask_bytes(work)),
        Stage.PROPAGATE: work.new_masks * file_bytes(_mask_bytes(work)),
        Stage.MATTE: round(work.new_alpha * _alpha_bytes(work)),
        Stage.DELIVER: _delivered(work),
    }


def disk_peak(work: Work, added: dict[Stage, int]) -> int:
    """Return the most that the run adds at any moment.

    Drafts are there until the propagation is done, and deliverables are written beside those that they replace.
    """
    before = added[Stage.FRAMES] + added[Stage.KEYFRAMES] + added[Stage.PROPAGATE]
    return max(before + work.drafts * file_bytes(_mask_bytes(work)), sum(added.values()))


def _mask_bytes(work: Work) -> float:
    folders = [MaskFolder(work.session.masks_dir(item.id, "propagated")) for item in work.session.state.objects]
    there = [folder.path(index) for folder in folders for index in sample(folder.indices())]
    return mean_size(there) or _scaled(work, MASK)


def _alpha_bytes(work: Work) -> float:
    store = AlphaStore(work.session.alpha_dir)
    chunks = store.chunks()
    frames = sum(stop - start for start, stop in chunks)
    if frames:
        return sum(store.path(*chunk).stat().st_size for chunk in chunks) / frames
    return _scaled(work, ALPHA) * (_covered(work) / COVERED) ** 0.5


def _delivered(work: Work) -> int:
    """Return the bytes of the formats to make."""
    covered = _covered(work) if work.formats else COVERED
    total = 0.0
    for name in work.formats:
        row = FORMATS[name]
        cost = row.cost(work.info.bit_depth > 8)
        share = covered / COVERED if row.foreground else (covered / COVERED) ** 0.5
        frame = _scaled(work, cost.bytes, cost.growth) * share
        total += work.length * (file_bytes(frame) if row.folder else frame + cost.frame_bytes)
        if row.audio and work.info.audio is not None:
            total += cost.audio_bytes * work.info.audio.channels * float(work.length / work.info.rate)
    return round(total)


def _covered(work: Work) -> float:
    """Return the share of the picture in and around the objects: deliverables hold colours only there."""
    known = (_covered_by(item, work) for item in work.session.state.objects)
    shares = [share for share in known if share is not None]
    return min(1.0, max(0.01, sum(shares))) if shares else COVERED


def _covered_by(item: SessionObject, work: Work) -> float | None:
    """Return an object's share by its first keyframe, else by its first box; None where there is neither."""
    folder = MaskFolder(work.session.masks_dir(item.id, "keyframes"))
    first = next(iter(folder.indices()), None)
    if first is not None:
        mask = folder.read(first)
        factor = min(1.0, _REDUCED / max(mask.shape))
        small = cv2.resize(mask, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _REACH + 1, 2 * _REACH + 1))
        return float(np.mean(cv2.dilate(small, reach) > 127))
    box = next((prompts.box for prompts in item.prompts.values() if prompts.box), None)
    if box is None:
        return None
    width, height = work.info.width, work.info.height
    margin = 2 * _REACH / _REDUCED * max(width, height)
    across, down = (min(1.0, (abs(a) + margin) / b) for a, b in ((box.x1 - box.x0, width), (box.y1 - box.y0, height)))
    return BOX_FILLED * across * down


def _scaled(work: Work, bytes_per_pixel: float, growth: float = LARGER) -> float:
    pixels = work.info.width * work.info.height
    return pixels * bytes_per_pixel * (pixels / MEGA) ** growth
