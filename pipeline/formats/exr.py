"""OpenEXR sequence: half-float RGBA in linear light, premultiplied by convention, ZIP compressed.

Light is multiplied by alpha after it has been made linear, as compositors do. Primaries go into `chromaticities`, the
rate into `framesPerSecond`, non-square pixels into `pixelAspectRatio`.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from errors import StorageError
from pipeline.deliver import Clock, DeliverFrame
from pipeline.info import VideoInfo
from pipeline.planes import foreground_of
from pipeline.sequence import SequenceWriter
from pipeline.transfer import linearise

_D65, _C = (0.3127, 0.3290), (0.310, 0.316)
_CHROMATICITIES = {  # red, green, blue and white of ITU-T H.273, table 2
    "bt709": (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65),
    "bt470m": (0.670, 0.330, 0.210, 0.710, 0.140, 0.080, *_C),
    "bt470bg": (0.640, 0.330, 0.290, 0.600, 0.150, 0.060, *_D65),
    "smpte170m": (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    "smpte240m": (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    "film": (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    "bt2020": (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    "smpte431": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    "smpte432": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    "ebu3213": (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}


def open_exr(
    target: Path, info: VideoInfo, clock: Clock, *, premultiplied: bool, audio_source: Path | None
) -> SequenceWriter:
    """Open a writer of a folder of OpenEXR files; they carry no sound."""
    header = _header(info, premultiplied)
    transfer = info.colour.transfer

    def save(frame: DeliverFrame, path: Path) -> None:
        light = linearise(foreground_of(frame, premultiplied=False), transfer)
        if premultiplied:
            light *= frame.alpha[..., None]
        rgba = np.dstack([light, frame.alpha]).astype(np.float16)
        _write(path, header, rgba)

    return SequenceWriter(target, info, clock, ".exr", save)


def _header(info: VideoInfo, premultiplied: bool) -> dict[str, object]:
    header: dict[str, object] = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        "framesPerSecond": info.rate.limit_denominator(1 << 20),
        "pixelAspectRatio": float(info.sample_aspect_ratio),
        "comments": f"{'Premultiplied' if premultiplied else 'Straight'} alpha, linear light",
    }
    chromaticities = _CHROMATICITIES.get(info.colour.primaries)
    if chromaticities is not None:
        header["chromaticities"] = chromaticities
    return header


def _write(path: Path, header: dict[str, object], rgba: NDArray[np.float16]) -> None:
    """Write a file; OpenEXR gives the system's reason as words only, so that its number has to be found again."""
    try:
        with OpenEXR.File(dict(header), {"RGBA": rgba}) as file:
            file.write(os.fspath(path))
    except RuntimeError as error:
        for number in errno.errorcode:
            if os.strerror(number) in str(error):
                raise OSError(number, os.strerror(number), str(path)) from error
        raise StorageError(f"cannot write {path}: {error}") from error
