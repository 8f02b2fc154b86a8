"""Tracks on which a wrong export goes wrong: every corner, gaps, odd sizes, a rate that is no decimal, bad names."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tracking_export.motion.result import apply
from tracking_export.tracks import Tracks

WIDTH, HEIGHT = 1279, 719
FIRST = 12
LENGTH = 8
RATE = Fraction(24000, 1001)
CORNERS = np.array([[100, 50], [1100, 60], [1150, 650], [90, 700]], np.float64)
NAMES = ("top left", "top_right", "bottom-left", "Bottom right", "outside")
HOSTILE = (
    'x"; globalThis.hacked = 1; //',
    "'; hacked = 1 #",
    '"""\nhacked = 1\n"""',
    "a\nb\r\nEnd of Keyframe Data",
    "}} {{ [exec hacked] $x `y`",
    "Ünï 点 🎯",
    "",
    "same",
    "same",
    "Same",
    '=HYPERLINK("http://x")',
    "back\\",
    "\u2028line\u2029",
    "@NUMERATOR@ #include @include",
    "]] --[[ ]]",
    "\ud800 \0 \x1b",
)


def sample(rate: Fraction = RATE) -> Tracks:
    """Return five points: one in each corner, with gaps of every kind, and one that leaves the picture.

    Positions are multiples of an eighth, so that all formats in pixels hold them exactly.
    """
    rows = np.arange(LENGTH)[:, None]
    at = np.array([[0, 0], [WIDTH - 1, 0], [0, HEIGHT - 1], [WIDTH - 1, HEIGHT - 1], [-3, 5]], np.float64)
    move = np.array([[0.125, 0.25], [-0.5, 0.125], [0.25, -0.125], [-0.125, -0.75], [-2.5, 100]])
    xy = at + rows[..., None] * move
    visible = np.ones((LENGTH, 5), bool)
    visible[3:5, 1] = False  # a gap
    visible[:2, 2] = False  # begins late
    visible[6:, 3] = False  # ends early
    visible[:, 4] = [False, True, False, True, True, False, False, True]
    xy[3:5, 1] = np.nan
    confidence = np.full((LENGTH, 5), 0.75, np.float32)
    confidence[1] = 0.5
    return Tracks(
        names=NAMES,
        xy=xy,
        visible=visible,
        confidence=confidence,
        rate=rate,
        width=WIDTH,
        height=HEIGHT,
        first_frame=FIRST,
        colours=((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (51, 102, 153)),
        groups=("frame", "frame", "frame", "frame", ""),
        source="shot 010.mov",
    )


def hostile() -> Tracks:
    """Return tracks whose names try to get out of every language."""
    count = len(HOSTILE)
    xy = np.arange(2 * count * 2, dtype=np.float64).reshape(2, count, 2)
    ones = np.ones((2, count), np.float32)
    return Tracks(
        HOSTILE, xy, ones > 0, ones, Fraction(25), 640, 480, groups=tuple(reversed(HOSTILE)), source=HOSTILE[0]
    )


def positions(tracks: Tracks, point: int) -> dict[int, tuple[float, float]]:
    """Return {frame in the source: (x, y)} of a point where it is visible, in our coordinates."""
    return {
        tracks.first_frame + row: (float(tracks.xy[row, point, 0]), float(tracks.xy[row, point, 1]))
        for row in range(tracks.length)
        if tracks.visible[row, point]
    }


def moving_plane(rate: Fraction = Fraction(25)) -> Tracks:
    """Return sixteen points of a plane that turns, grows and shifts, all visible but for a frame without any."""
    grid = np.stack(np.meshgrid(np.linspace(100, 1100, 4), np.linspace(80, 640, 4)), -1).reshape(-1, 2)
    xy = apply(truth(), grid)
    visible = np.ones(xy.shape[:2], bool)
    visible[3] = False
    names = tuple(f"p{index}" for index in range(16))
    return Tracks(names, xy, visible, np.ones(visible.shape, np.float32), rate, WIDTH, HEIGHT, FIRST)


def truth() -> np.ndarray:
    turns = [1.02**row * np.exp(0.03j * row) for row in range(6)]
    return np.array([[[z.real, -z.imag, 4 * row], [z.imag, z.real, -row], [0, 0, 1]] for row, z in enumerate(turns)])
