"""The shot's sound: wind in gusts over the pad's hum, and a tick at each blink of the beacons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from demo_clip.shot import RATE, blinks

SAMPLE_RATE = 48000
TICK_SECONDS = 0.045
TICK_HERTZ = 2100.0


def make(frames: int, seed: int) -> NDArray[np.float32]:
    """Return stereo sound float32 [2, N], -1 .. 1, exactly as long as `frames` frames.

    At 24000/1001 frames a second a frame is 2002 samples of 48 kHz, so each tick starts on the very sample at which
    its frame is shown.
    """
    count = int(frames / RATE * SAMPLE_RATE)
    rng = np.random.default_rng(seed)
    seconds = np.arange(count) / SAMPLE_RATE
    gusts = 0.55 + 0.3 * np.sin(2 * np.pi * seconds / 2.9 + 0.4) + 0.15 * np.sin(2 * np.pi * seconds / 1.3)
    wind = np.stack([_coloured(count, rng, 90.0, 900.0) for _ in range(2)]) * gusts
    hum = 0.35 * _coloured(count, rng, 35.0, 120.0)
    sound = 0.050 * wind + 0.03 * hum
    ramp = np.minimum(1.0, np.minimum(seconds, seconds[::-1]) / 0.08)
    return np.asarray(sound * ramp + _ticks(frames, count), np.float32)


def _coloured(count: int, rng: np.random.Generator, low: float, high: float) -> NDArray[np.float64]:
    """Return noise [count] of unit deviation, mostly between `low` and `high` hertz."""
    frequency = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    low_cut = frequency**2 / (frequency**2 + low**2)
    shape = low_cut / np.sqrt((1.0 + (frequency / high) ** 4) * (frequency + 20.0))
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(count)) * shape, count)
    return np.asarray(noise / noise.std())


def _ticks(frames: int, count: int) -> NDArray[np.float64]:
    """Return a short decaying tone [count] at each blink."""
    length = int(TICK_SECONDS * SAMPLE_RATE)
    time = np.arange(length) / SAMPLE_RATE
    tick = 0.5 * np.sin(2 * np.pi * TICK_HERTZ * time) * np.exp(-time / 0.008)
    sound = np.zeros(count + length)
    for frame in blinks(frames):
        start = int(frame / RATE * SAMPLE_RATE)
        sound[start : start + length] += tick
    return sound[:count]
