"""A session's contact sheet: source, mask, alpha and composite of a few frames, for people to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engines.foreground import estimate_foreground
from matting_runner.matte_stage import SessionGuides
from pipeline.alpha_store import AlphaStore
from pipeline.contact_sheet import Row, contact_sheet, spread
from pipeline.decode import VideoReader
from pipeline.info import VideoInfo
from runner_base.facts import load_info
from session_store import MattingSession

FILE_NAME = "contact_sheet.png"


def write_contact_sheet(session: MattingSession, span: tuple[int, int], count: int = 6) -> Path:
    """Write the contact sheet of a finished session into its folder and return its path.

    Args:
        session: whose alpha is there for all frames of `span`.
        span: frames to choose from, half-open.
        count: how many rows, evenly spread.
    """
    info = load_info(session)

    def seconds(index: int) -> float:
        return float(info.times[index] * info.time_base if info.times else index / info.rate)

    rows = _rows(session, info, spread(*span, count))
    aspect = float(info.sample_aspect_ratio)
    return contact_sheet(session.folder / FILE_NAME, rows, seconds, pixel_aspect=aspect)


def _rows(session: MattingSession, info: VideoInfo, indices: list[int]) -> Iterator[Row]:
    guides = SessionGuides(session, (info.width, info.height))
    store = AlphaStore(session.alpha_dir)
    with VideoReader(session.source, info) as reader:
        for index in indices:
            rgb, alpha = reader.read(index), store.read(index)
            foreground = estimate_foreground(reader.read_float(index), alpha)
            yield Row(index, rgb, guides.read(index).mask, alpha, foreground)
    store.close()
