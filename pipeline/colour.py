"""Colour descriptions: names as FFmpeg writes them, the numbers libav wants, and what to assume where a file is silent.

Nothing here changes a transfer function: HDR (PQ, HLG) and wide-gamut pictures keep their code values, so that what is
delivered fits back over what came in. No tone mapping is done for the JPEGs either.
"""

from __future__ import annotations

from typing import Protocol

from pipeline.info import Colour

UNSPECIFIED = "unspecified"

RANGES = {0: UNSPECIFIED, 1: "limited", 2: "full"}
"""AVColorRange -> name."""
PRIMARIES = {
    1: "bt709",
    2: UNSPECIFIED,
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
"""AVColorPrimaries -> name."""
TRANSFERS = {
    1: "bt709",
    2: UNSPECIFIED,
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
"""AVColorTransferCharacteristic -> name."""
MATRICES = {
    0: "gbr",
    1: "bt709",
    2: UNSPECIFIED,
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    11: "smpte2085",
    12: "chroma-derived-nc",
    13: "chroma-derived-c",
    14: "ictcp",
}
"""AVColorSpace -> name."""

LUMA_COEFFICIENTS = {
    "bt709": (0.2126, 0.0722),
    "fcc": (0.30, 0.11),
    "bt470bg": (0.299, 0.114),
    "smpte170m": (0.299, 0.114),
    "smpte240m": (0.212, 0.087),
    "bt2020nc": (0.2627, 0.0593),
}
"""(Kr, Kb) of each matrix that swscale converts; ITU-T H.273, table 4."""

_SWS_CODES = {"bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 5, "smpte240m": 7, "bt2020nc": 9}
_NEAREST_MATRIX = {"bt2020c": "bt2020nc", "chroma-derived-nc": "bt2020nc", "chroma-derived-c": "bt2020nc"}


class Tagged(Protocol):
    """What a decoded frame and a codec context have in common: libav's four colour numbers."""

    color_range: int
    color_primaries: int
    color_trc: int
    colorspace: int


def read_colour(tagged: Tagged) -> Colour:
    """Return the colour description of a `VideoFrame` or a video codec context, by FFmpeg's names."""
    return Colour(
        range=RANGES.get(int(tagged.color_range), UNSPECIFIED),
        primaries=PRIMARIES.get(int(tagged.color_primaries), UNSPECIFIED),
        transfer=TRANSFERS.get(int(tagged.color_trc), UNSPECIFIED),
        matrix=MATRICES.get(int(tagged.colorspace), UNSPECIFIED),
    )


def write_colour(tagged: Tagged, colour: Colour) -> None:
    """Set libav's four colour numbers on a `VideoFrame` or a video codec context."""
    tagged.color_range = code(RANGES, colour.range)
    tagged.color_primaries = code(PRIMARIES, colour.primaries)
    tagged.color_trc = code(TRANSFERS, colour.transfer)
    tagged.colorspace = code(MATRICES, colour.matrix)


def code(table: dict[int, str], name: str) -> int:
    """Return libav's number for `name` in one of the tables above; the number of 'unspecified' for a name unknown."""
    by_name = {value: key for key, value in table.items()}
    return by_name.get(name, by_name[UNSPECIFIED])


def is_rgb(pixel_format: str) -> bool:
    """Tell whether the samples are R, G and B already, so that no matrix applies."""
    return pixel_format.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "x2rgb", "x2bgr", "pal8"))


def resolve(colour: Colour, width: int, height: int, pixel_format: str) -> Colour:
    """Fill in the range and matrix that a file left unspecified, so that they can be computed with.

    The convention of players (mpv, VLC, browsers): HD is BT.709, anything smaller BT.601; the border is a picture of
    1280 columns or more than 576 rows, as it is shown. Y'CbCr is limited, RGB, grey and the yuvj formats are full.
    A matrix that swscale does not know (YCgCo, ICtCp) is read as BT.709, constant-luminance BT.2020 as the other one.

    Args:
        colour: the description found in the file.
        width: of the picture as stored or shown: the rule takes the longer and the shorter side.
        height: likewise.
        pixel_format: FFmpeg's name.
    """
    guessed = "bt709" if max(width, height) >= 1280 or min(width, height) > 576 else "smpte170m"
    matrix = _NEAREST_MATRIX.get(colour.matrix, colour.matrix)
    if matrix == UNSPECIFIED:
        matrix = "bt2020nc" if colour.primaries == "bt2020" else guessed
    elif matrix not in LUMA_COEFFICIENTS:
        matrix = "bt709"
    full_by_format = is_rgb(pixel_format) or pixel_format.startswith(("yuvj", "gray", "mono", "ya"))
    range_ = colour.range
    if full_by_format:
        range_ = "full"
    elif range_ == UNSPECIFIED:
        range_ = "limited"
    return colour.model_copy(update={"matrix": matrix, "range": range_})


def sws_matrix(colour: Colour) -> int:
    """Return swscale's number (SWS_CS_*) for a resolved colour's matrix, as `VideoReformatter.reformat` takes it."""
    return _SWS_CODES[colour.matrix]


def av_range(colour: Colour) -> int:
    """Return libav's number (AVCOL_RANGE_*) for a resolved colour's range."""
    return code(RANGES, colour.range)
