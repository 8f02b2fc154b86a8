"""Masks: 8-bit grey PNG files by frame index, masks that users bring, and operations on them.

Everywhere a mask is uint8 [H, W], 0 outside .. 255 inside. Operations return a new mask and leave theirs alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from atomic import PARTIAL, discard, write_bytes
from errors import MaskError, StoreError, storage_errors

Mask = NDArray[np.uint8]

_NAME = re.compile(r"(\d{6,})\.png")
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_OPTIONS = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
_MOST_PIXELS = 1 << 28  # 16384 x 16384: larger than any frame, small enough to decode


class MaskFolder:
    """A folder of masks, `NNNNNN.png` by frame index; each file exists whole or not at all."""

    def __init__(self, folder: Path) -> None:
        """Look at `folder`, which is made when the first mask is written."""
        self.folder = folder

    def path(self, index: int) -> Path:
        """Return the file of frame `index`."""
        return self.folder / f"{index:06d}.png"

    def indices(self) -> list[int]:
        """Return the frames that have a mask, in order."""
        return sorted(int(match[1]) for path in self.folder.glob("*.png") if (match := _NAME.fullmatch(path.name)))

    def __contains__(self, index: int) -> bool:
        """Tell whether frame `index` has a mask."""
        return self.path(index).exists()

    def read(self, index: int) -> Mask:
        """Return the mask of frame `index`.

        Raises:
            KeyError: there is none.
            StoreError: its file is damaged.
        """
        path = self.path(index)
        try:
            data = np.fromfile(path, np.uint8)
        except FileNotFoundError:
            raise KeyError(index) from None
        mask = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
        if mask is None:
            raise StoreError(f"{path} is damaged; delete that file and run the session again")
        return cast(Mask, mask)

    def write(self, index: int, mask: Mask, *, durable: bool = True) -> Path:
        """Write the mask of frame `index`: the same mask gives the same bytes.

        Args:
            index: the frame.
            mask: uint8 [H, W].
            durable: survive a power cut too; without it a killed process still leaves whole files only.
        """
        data = encode_mask(mask)
        with storage_errors(self.path(index)):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_bytes(self.path(index), data, durable=durable)
        return self.path(index)

    def remove(self, index: int) -> None:
        """Delete the mask of frame `index`, if there is one."""
        with storage_errors(self.path(index)):
            discard(self.path(index))

    def clean(self) -> None:
        """Delete what a killed writer left half done; only for the process that owns the folder."""
        for path in self.folder.glob(f"*{PARTIAL}"):
            discard(path)


def encode_mask(mask: Mask) -> bytes:
    """Return `mask`, uint8 [H, W], as a PNG file: fast, deterministic."""
    if mask.dtype != np.uint8 or mask.ndim != 2:
        raise ValueError(f"a mask is uint8 [H, W], not {mask.dtype} {list(mask.shape)}")
    _, data = cv2.imencode(".png", mask, _PNG_OPTIONS)
    return data.tobytes()


def load_mask_image(path: Path, size: tuple[int, int] | None = None) -> Mask:
    """Read a mask that a user brings: any image that OpenCV reads.

    An alpha channel that is not the same everywhere is the mask. Otherwise grey levels are, and of a picture with
    colours the brightest channel; a palette picture with colours is a map of labels, where all but black is inside.
    16 bits and floats (0..1) are scaled; a picture of just 0 and 1 is read as 0 and 255.

    Args:
        path: the image file.
        size: (width, height) that the mask must have.

    Raises:
        MaskError: missing, unreadable, empty, not an image, too large, or of another size.
    """
    data = _read_file(path)
    image = _decode(path, data)
    height, width = image.shape[:2]
    if size is not None and (width, height) != size:
        raise MaskError(f"mask {path} is {width}x{height}, the video is {size[0]}x{size[1]}: give a mask of its size")
    return _to_mask(image, palette=_is_palette(data))


def grow(mask: Mask, pixels: float) -> Mask:
    """Move the edge outwards by `pixels` (inwards where negative), in whole pixels, round corners; soft stays soft."""
    radius = round(abs(pixels))
    if radius == 0:
        return mask.copy()
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    # the border is replicated: a subject that the frame cuts off does not shrink away from the frame's edge
    operation = cv2.dilate if pixels > 0 else cv2.erode
    return cast(Mask, operation(mask, disc, borderType=cv2.BORDER_REPLICATE))


def feather(mask: Mask, pixels: float) -> Mask:
    """Soften the edge to about `pixels` on either side of where it was (a Gaussian of half that as sigma)."""
    if pixels <= 0:
        return mask.copy()
    return cast(Mask, cv2.GaussianBlur(mask, (0, 0), pixels / 2, borderType=cv2.BORDER_REPLICATE))


def smooth(mask: Mask, pixels: float) -> Mask:
    """Round off wiggles and spikes smaller than about `pixels`; the edge keeps about its own softness of one pixel."""
    if pixels <= 0:
        return mask.copy()
    blurred = cv2.GaussianBlur(mask, (0, 0), pixels / 2, borderType=cv2.BORDER_REPLICATE).astype(np.float32)
    # across a straight edge the blur's slope is 255 / (sigma sqrt(2 pi)) a pixel: steepen it back to one pixel
    gain = max(1.0, pixels / 2 * np.sqrt(2 * np.pi))
    return cast(Mask, np.clip((blurred - 127.5) * gain + 127.5, 0, 255).astype(np.uint8))


def fill_holes(mask: Mask, largest: int | None = None) -> Mask:
    """Fill holes (parts below 128 that do not touch the frame's edge) of at most `largest` pixels; None fills all."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask < 128).astype(np.uint8), connectivity=4)
    x, y, width, height, area = (stats[:, column] for column in range(5))
    inside = (x > 0) & (y > 0) & (x + width < mask.shape[1]) & (y + height < mask.shape[0])
    hole = inside if largest is None else inside & (area <= largest)
    hole[0] = False  # label 0 is the mask itself
    return np.where(hole[labels], np.uint8(255), mask) if count > 1 else mask.copy()


def remove_specks(mask: Mask, smallest: int) -> Mask:
    """Clear separate parts (128 and above) of fewer than `smallest` pixels, with the soft fringe around them."""
    count, labels = cv2.connectedComponents((mask > 0).astype(np.uint8), connectivity=8)
    if count <= 1:
        return mask.copy()
    solid = np.bincount(labels[mask >= 128], minlength=count)
    return np.where((solid < smallest)[labels], np.uint8(0), mask)


def operate(
    mask: Mask,
    *,
    fill_holes: bool = False,
    remove_specks: int = 0,
    smooth: float = 0,
    grow: float = 0,
    feather: float = 0,
) -> Mask:
    """Return `mask`, uint8 [H, W], after the operations that are asked for, in the order of the arguments."""
    result = _fill_holes(mask) if fill_holes else mask
    if remove_specks > 0:
        result = _remove_specks(result, remove_specks)
    for operation, pixels in ((_smooth, smooth), (_grow, grow), (_feather, feather)):
        if pixels:
            result = operation(result, pixels)
    return result


def union(masks: Iterable[Mask]) -> Mask:
    """Join masks of one size: the largest value of each pixel.

    Raises:
        ValueError: there are none.
    """
    joined: Mask | None = None
    for mask in masks:
        joined = mask.copy() if joined is None else np.maximum(joined, mask)
    if joined is None:
        raise ValueError("no masks to join")
    return joined


_fill_holes, _remove_specks, _smooth, _grow, _feather = fill_holes, remove_specks, smooth, grow, feather
"""The operations under names that `operate`'s arguments do not hide."""


def _read_file(path: Path) -> NDArray[np.uint8]:
    if not path.exists():
        raise MaskError(f"no such mask: {path}")
    if path.is_dir():
        raise MaskError(f"mask {path} is a folder: give an image")
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise MaskError(f"cannot read mask {path}: {error.strerror or error}") from error
    if data.size == 0:
        raise MaskError(f"mask {path} is empty")
    return data


def _decode(path: Path, data: NDArray[np.uint8]) -> NDArray[Any]:
    head = data[:24].tobytes()
    if head.startswith(_PNG):  # its header says so before gigabytes are unpacked
        width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
        if width * height > _MOST_PIXELS:
            raise MaskError(f"mask {path} is too large: {width}x{height}")
    try:
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise MaskError(f"mask {path} cannot be decoded: {error.err or 'too large or damaged'}") from error
    if image is None:
        raise MaskError(f"mask {path} is not an image that can be read: give a PNG, TIFF, JPEG, WebP or BMP")
    return cast(NDArray[Any], image)


def _is_palette(data: NDArray[np.uint8]) -> bool:
    head = data[:26].tobytes()
    return head[:4] == b"GIF8" or (head.startswith(_PNG) and head[25] == 3)


def _to_mask(image: NDArray[Any], *, palette: bool) -> Mask:
    """Choose the channel that carries the mask, and scale it to 0..255."""
    channels = image[..., None] if image.ndim == 2 else image
    if channels.shape[2] == 4 and channels[..., 3].min() != channels[..., 3].max():
        return _scale(channels[..., 3])
    colours = channels[..., :3]
    if palette and (colours != colours[..., :1]).any():
        return np.where(colours.any(axis=2), np.uint8(255), np.uint8(0))
    return _scale(colours.max(axis=2))


def _scale(levels: NDArray[Any]) -> Mask:
    """Scale levels of any type to uint8 0..255."""
    if levels.dtype == np.bool_ or (np.issubdtype(levels.dtype, np.integer) and levels.max() <= 1):
        return np.where(levels > 0, np.uint8(255), np.uint8(0))
    if levels.dtype == np.uint8:
        return cast(Mask, np.ascontiguousarray(levels))
    if np.issubdtype(levels.dtype, np.integer):
        return cast(Mask, np.rint(levels / (np.iinfo(levels.dtype).max / 255)).astype(np.uint8))
    return cast(Mask, np.rint(np.nan_to_num(np.clip(levels, 0, 1)) * 255).astype(np.uint8))
