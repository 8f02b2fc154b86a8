"""Clips with exact tracks: photographs as surfaces that move, bend, blur, darken, leave the picture and are covered.

Each surface says for every pixel of a frame which point of its photograph is seen there; where a point of it goes is
that mapping solved backwards, to a thousandth of a pixel. The photographs come with scikit-image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mapping = Callable[[int, Floats], Floats]
"""(frame, positions [..., 2] in the frame) -> positions on the photograph."""

SIZE = (640, 360)
FRAMES = 48


@dataclass(frozen=True, eq=False)
class Surface:
    """A photograph that moves.

    Attributes:
        picture: uint8 [h, w, 3], RGB.
        mapping: where on it each pixel of a frame looks.
        radius: of the ellipse around its centre that there is of it, as a share of its half size; None for all of it,
            repeated as in a mirror.
    """

    picture: NDArray[np.uint8]
    mapping: Mapping
    radius: float | None = None

    def inside(self, on_picture: Floats) -> NDArray[np.bool_]:
        """Tell which positions on the photograph there are."""
        if self.radius is None:
            return np.ones(on_picture.shape[:-1], bool)
        height, width = self.picture.shape[:2]
        half = np.array([width, height]) / 2
        return np.asarray((((on_picture - half) / (half * self.radius)) ** 2).sum(-1) <= 1)

    def find(self, frame: int, on_picture: Floats, guess: Floats) -> Floats:
        """Return where points of the photograph are in a frame: Newton's steps from `guess` [N, 2]."""
        found, step = guess.copy(), 0.5
        right, down = np.array([step, 0]), np.array([0, step])
        for _ in range(12):
            there = self.mapping(frame, found)
            if np.abs(on_picture - there).max() < 1e-6:
                break
            dx = (self.mapping(frame, found + right) - self.mapping(frame, found - right)) / (2 * step)
            dy = (self.mapping(frame, found + down) - self.mapping(frame, found - down)) / (2 * step)
            matrix = np.stack([dx, dy], axis=-1)
            found = found + np.linalg.solve(matrix, (on_picture - there)[..., None])[..., 0]
        return found


@dataclass(frozen=True, eq=False)
class TrackClip:
    """A clip as an engines.base.FrameSource, with its truth.

    Attributes:
        frames: uint8 [T, H, W, 3].
        tracks: float64 [T, N, 2].
        visible: bool [T, N].
        queries: float32 [N, 3], (frame, x, y): the first frame on which each point is seen.
    """

    name: str
    frames: NDArray[np.uint8]
    tracks: Floats
    visible: NDArray[np.bool_]
    queries: NDArray[np.float32] = field(repr=False)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frames)

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height)."""
        return self.frames.shape[2], self.frames.shape[1]

    def read(self, index: int) -> NDArray[np.uint8]:
        """Return a frame."""
        return self.frames[index]


def make_clips(
    points: int = 256, frames: int = FRAMES, size: tuple[int, int] = SIZE, names: tuple[str, ...] = ()
) -> list[TrackClip]:
    """Return the clips, or those of some names.

    They are a pan with an occluder, a turn with zoom, perspective, something that bends, fast motion with blur, and
    changing light with noise.
    """
    from skimage import data

    photos = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket(), data.immunohistochemistry()]
    makers = {"pan": _pan, "turn": _turn, "tilt": _tilt, "bend": _bend, "fast": _fast, "dim": _dim}
    return [
        _film(name, maker(photos, size), points, frames, size, seed, _LOOKS.get(name, _Looks()))
        for seed, (name, maker) in enumerate(makers.items())
        if name in names or not names
    ]


@dataclass(frozen=True)
class _Looks:
    """What the camera does to a clip."""

    blur: float = 0.0
    """Share of the time between two frames that the shutter is open."""
    light: float = 0.0
    """How far the exposure swings."""
    noise: float = 2.0
    """Standard deviation of the noise, of 255."""


_LOOKS = {"fast": _Looks(blur=0.5), "dim": _Looks(light=0.3, noise=5)}


def _similarity(scale: float, angle: float, shift: Floats, centre: Floats) -> Callable[[Floats], Floats]:
    """Return the mapping of a frame's positions by a similarity around `centre`."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    return lambda xy: np.asarray((xy - centre - shift) @ turn.T + centre)


def _onto(photo: NDArray[np.uint8], size: tuple[int, int], zoom: float = 1.0) -> Callable[[Floats], Floats]:
    """Return the mapping that centres a photograph in the frame, enlarged by `zoom`."""
    half = np.array([photo.shape[1], photo.shape[0]]) / 2
    middle = np.array(size) / 2
    return lambda xy: np.asarray((xy - middle) / zoom + half)


def _moving(
    photo: NDArray[np.uint8], size: tuple[int, int], zoom: float, motion: Callable[[float], Callable[[Floats], Floats]]
) -> Mapping:
    place = _onto(photo, size, zoom)
    return lambda frame, xy: place(motion(frame / FRAMES)(xy))


def _pan(photos: list[NDArray[np.uint8]], size: tuple[int, int]) -> list[Surface]:
    middle = np.array(size) / 2
    ground = _moving(photos[1], size, 1.3, lambda t: _similarity(1, 0, np.array([150 * t, 20 * np.sin(5 * t)]), middle))
    bar = _moving(photos[3], size, 0.5, lambda t: _similarity(1, 0, np.array([-280 + 560 * t, 0]), middle))
    return [Surface(photos[1], ground), Surface(photos[3], bar, radius=0.8)]


def _turn(photos: list[NDArray[np.uint8]], size: tuple[int, int]) -> list[Surface]:
    middle = np.array(size) / 2
    ground = _moving(
        photos[0], size, 1.4, lambda t: _similarity(1 + 0.6 * t, 0.7 * t, np.array([30 * t, -20 * t]), middle)
    )
    disc = _moving(
        photos[2],
        size,
        0.6,
        lambda t: _similarity(
            1 + 0.3 * np.sin(6 * t), -1.2 * t, np.array([-160 + 250 * t, 60 * np.sin(4 * t)]), middle
        ),
    )
    return [Surface(photos[0], ground), Surface(photos[2], disc, radius=0.7)]


def _tilt(photos: list[NDArray[np.uint8]], size: tuple[int, int]) -> list[Surface]:
    place, middle = _onto(photos[4], size, 1.4), np.array(size) / 2

    def look(frame: int, xy: Floats) -> Floats:
        t = frame / FRAMES
        centred = (xy - middle) / size[0]
        depth = 1 + 0.9 * t * centred[..., :1] + 0.4 * np.sin(4 * t) * centred[..., 1:]
        return place(centred / depth * size[0] + middle + np.array([40 * t, -30 * t]))

    card = _moving(photos[0], size, 0.4, lambda t: _similarity(1, 0.4 * t, np.array([200 - 420 * t, -40]), middle))
    return [Surface(photos[4], look), Surface(photos[0], card, radius=0.75)]


def _bend(photos: list[NDArray[np.uint8]], size: tuple[int, int]) -> list[Surface]:
    place = _onto(photos[2], size, 1.5)

    def look(frame: int, xy: Floats) -> Floats:
        t = frame / FRAMES
        wave = 14 * np.sin(7 * t) * np.sin(xy[..., ::-1] / 55 + 2 * t) + 9 * t * np.cos(xy / 70)
        return place(xy + wave - np.array([50 * t, 10 * t]))

    return [Surface(photos[2], look)]


def _fast(photos: list[NDArray[np.uint8]], size: tuple[int, int]) -> list[Surface]:
    middle = np.array(size) / 2
    ground = _moving(
        photos[4],
        size,
        1.5,
        lambda t: _similarity(1, 0.1 * np.sin(9 * t), np.array([110 * np.sin(9 * t), 50 * np.sin(13 * t)]), middle),
    )
    ball = _moving(
        photos[1],
        size,
        0.45,
        lambda t: _similarity(1 + 0.2 * t, 2 * t, np.array([220 * np.sin(7 * t + 1), 90 * np.cos(8 * t)]), middle),
    )
    return [Surface(photos[4], ground), Surface(photos[1], ball, radius=0.7)]


def _dim(photos: list[NDArray[np.uint8]], size: tuple[int, int]) -> list[Surface]:
    middle = np.array(size) / 2
    ground = _moving(
        photos[0], size, 1.3, lambda t: _similarity(1 - 0.2 * t, -0.3 * t, np.array([-90 * t, 40 * t]), middle)
    )
    disc = _moving(
        photos[4],
        size,
        0.5,
        lambda t: _similarity(1, 0.5 * t, np.array([180 * np.cos(6 * t), 80 * np.sin(6 * t)]), middle),
    )
    return [Surface(photos[0], ground), Surface(photos[4], disc, radius=0.6)]


def _film(
    name: str, surfaces: list[Surface], points: int, frames: int, size: tuple[int, int], seed: int, looks: _Looks
) -> TrackClip:
    rng = np.random.default_rng(seed)
    tracks, visible = _truth(surfaces, points, frames, size, rng)
    pictures = np.stack([_picture(surfaces, index, size, looks, rng) for index in range(frames)])
    first = visible.argmax(axis=0)
    queries = np.concatenate([first[:, None], tracks[first, np.arange(len(first))]], axis=1).astype(np.float32)
    return TrackClip(name, pictures, tracks, visible, queries)


def _truth(
    surfaces: list[Surface], points: int, frames: int, size: tuple[int, int], rng: np.random.Generator
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return where points chosen on a random frame are, and on which frames they are seen at all."""
    tracks, visible = np.zeros((frames, points, 2)), np.zeros((frames, points), bool)
    chosen = rng.uniform(8, np.array(size) - 9, (points, 2))
    start = np.where(rng.random(points) < 0.6, 0, rng.integers(0, frames * 2 // 3, points))
    owner = np.zeros(points, np.intp)
    for first in np.unique(start).tolist():
        owner[start == first] = _top(surfaces, first, chosen[start == first])
    for first, place in {(int(a), int(b)) for a, b in zip(start, owner, strict=True)}:
        group, surface = np.flatnonzero((start == first) & (owner == place)), surfaces[place]
        on_picture = surface.mapping(first, chosen[group])
        for order in (range(first, frames), range(first, -1, -1)):
            xy = chosen[group]
            for index in order:
                xy = surface.find(index, on_picture, xy)
                inside = ((xy >= 0) & (xy <= np.array(size) - 1)).all(axis=1)
                tracks[index, group] = xy
                visible[index, group] = inside & (_top(surfaces, index, xy) == place)
    return tracks, visible


def _top(surfaces: list[Surface], frame: int, xy: Floats) -> NDArray[np.intp]:
    """Return which surface is seen at each position [N, 2]: the last that is there."""
    found = np.zeros(len(xy), np.intp)
    for place, surface in enumerate(surfaces):
        found[surface.inside(surface.mapping(frame, xy))] = place
    return found


def _picture(
    surfaces: list[Surface], index: int, size: tuple[int, int], looks: _Looks, rng: np.random.Generator
) -> NDArray[np.uint8]:
    times = [index + looks.blur * (part / 4 - 0.5) for part in range(5)] if looks.blur else [float(index)]
    light = 1 + looks.light * np.sin(index / 7)
    picture = np.mean([_sharp(surfaces, time, size) for time in times], axis=0) * light
    picture += rng.normal(0, looks.noise, picture.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _sharp(surfaces: list[Surface], time: float, size: tuple[int, int]) -> Floats:
    grid = np.stack(np.meshgrid(np.arange(size[0]), np.arange(size[1])), axis=-1).astype(np.float64)
    picture = np.zeros((size[1], size[0], 3))
    for surface in surfaces:
        at = surface.mapping(time, grid)  # type: ignore[arg-type]  # a shutter is open between two frames too
        seen = cv2.remap(
            surface.picture, at.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        inside = surface.inside(at)
        picture[inside] = seen[inside]
    return picture
