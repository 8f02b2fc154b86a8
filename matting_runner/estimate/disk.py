"""How much a run adds to the disk: from what is there already where there is something, else from the kind of video.

Bytes a pixel were measured on a dozen clips of 0.2 to 8 megapixels. Larger pictures of the same have fewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from matting_runner.estimate.work import Work
from matting_runner.progress import Stage
from pipeline.alpha_store import AlphaStore
from pipeline.formats import FORMATS
from pipeline.frames import frame_path
from pipeline.masks import MaskFolder
from session_store import SessionObject

MEGA = 1_000_000
JPEG, JPEG_DETAIL, JPEG_SIZE = 0.85, 0.35, -0.3
"""A JPEG's bytes a pixel: of a megapixel and a source of one byte a pixel; exponents of the source's bytes and size."""
LEAST_JPEG, MOST_JPEG = 0.03, 1.0
"""A JPEG's bytes a pixel at least and at most, whatever the source's are."""
MASK, ALPHA, LARGER = 0.0155, 0.055, -0.2
"""Bytes a pixel of a mask and of a frame of alpha, of a megapixel; and the exponent of the size."""
COVERED = 0.25
"""Share of the picture in and around the object, where that is not known."""
BOX_FILLED = 0.75
"""Share of a box, widened by as much as colours reach, that they fill."""
BLOCK = 4096
"""The disk's: a file takes whole ones."""
SAMPLES = 64
"""Files that are looked at to know the mean."""
_REDUCED, _REACH = 200, 12  # long side on which masks are looked at, and how far colours reach there


def disk_added(work: Work) -> dict[Stage, int]:
    """Return the bytes that each stage adds; what it leaves there only for a while, as drafts, is not in it."""
    return {
        Stage.FRAMES: round(work.extract * _file(_jpeg_bytes(work))),
        Stage.KEYFRAMES: work.prompts * _file(_mask_bytes(work)),
        Stage.PROPAGATE: work.new_masks * _file(_mask_bytes(work)),
        Stage.MATTE: round(work.new_alpha * _alpha_bytes(work)),
        Stage.DELIVER: _delivered(work),
    }


def disk_peak(work: Work, added: dict[Stage, int]) -> int:
    """Return the most that the run adds at any moment.

    Drafts are there until the propagation is done, and deliverables are written beside those that they replace.
    """
    before = added[Stage.FRAMES] + added[Stage.KEYFRAMES] + added[Stage.PROPAGATE]
    return max(before + work.drafts * _file(_mask_bytes(work)), sum(added.values()))


def _jpeg_bytes(work: Work) -> float:
    folder = work.session.frames_dir
    there = (frame_path(folder, index) for index in _spread(range(work.session.state.extracted)))
    return _mean_size(there) or _guess_jpeg(work)


def _guess_jpeg(work: Work) -> float:
    """Return the bytes of a JPEG by its size and by how much the source's encoder found worth keeping."""
    pixels = work.info.width * work.info.height
    detail = work.session.source.stat().st_size / max(1, work.info.frames) / pixels
    guess = JPEG * detail**JPEG_DETAIL * (pixels / MEGA) ** JPEG_SIZE
    return pixels * min(MOST_JPEG, max(LEAST_JPEG, guess))


def _mask_bytes(work: Work) -> float:
    folders = [MaskFolder(work.session.masks_dir(item.id, "propagated")) for item in work.session.state.objects]
    there = [folder.path(index) for folder in folders for index in _spread(folder.indices())]
    return _mean_size(there) or _scaled(work, MASK)


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
        total += work.length * (_file(frame) if row.folder else frame + cost.frame_bytes)
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


def _file(size: float) -> int:
    """Return what a file of about that size takes: half of the last block is empty on the average."""
    return max(BLOCK, round(size) + BLOCK // 2)


def _mean_size(paths: Iterable[Path]) -> float:
    """Return the mean size of files, 0 of none."""
    sizes = [path.stat().st_size for path in paths if path.exists()]
    return sum(sizes) / len(sizes) if sizes else 0.0


def _spread(indices: Sequence[int]) -> Sequence[int]:
    return indices[:: max(1, len(indices) // SAMPLES)]
