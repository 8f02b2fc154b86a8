"""Stage 'deliver': source + lossless alpha -> every format, without running an engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from engines.base import Alpha
from engines.foreground import estimate_foreground
from errors import ParameterError
from matting_runner.marks import delivery_mark
from matting_runner.progress import Reporter, Stage
from matting_runner.sidecars import engines_of, write_sidecars
from pipeline.alpha_store import AlphaStore
from pipeline.decode import VideoReader
from pipeline.deliver import DeliverFrame, Writer
from pipeline.formats import FORMATS, format_spec, open_writer
from pipeline.info import VideoInfo
from pipeline.overlap import WriteBehind, prefetch
from runner_base.sidecar import drop_sidecar
from runner_base.terms import check_makers
from session_store import Delivered, MattingSession


def check_formats(names: Sequence[str]) -> list[str]:
    """Return `names` without repetitions.

    Raises:
        ParameterError: one of them is not a format, or there is none.
    """
    if not names:
        raise ParameterError(f"no format given; there is: {', '.join(FORMATS)}")
    return [format_spec(name).name for name in dict.fromkeys(names)]


def stale_formats(
    session: MattingSession, span: tuple[int, int], formats: Sequence[str], premultiplied: bool | None
) -> dict[str, str]:
    """Return {format: mark of what it has to be made from} of those that are missing or were made from another."""
    marks = {name: delivery_mark(session.state, name, span, premultiplied) for name in formats}
    return {name: mark for name, mark in marks.items() if not _is_current(session, name, mark)}


def deliver(
    session: MattingSession,
    info: VideoInfo,
    span: tuple[int, int],
    formats: Sequence[str],
    premultiplied: bool | None,
    reporter: Reporter,
) -> None:
    """Make the formats that are missing or were made from another alpha; each appears whole or not at all.

    Args:
        session: whose alpha is there for all frames of `span`.
        info: the source's facts.
        span: frames to deliver, half-open.
        formats: names in the table of formats.
        premultiplied: whether colours are multiplied by alpha; None for each format's own convention.
        reporter: counts the frames.

    Raises:
        ParameterError: the session is for commercial use, and something in it is not.
    """
    state = session.state
    marks = stale_formats(session, span, formats, premultiplied)
    check_makers(state, engines_of(state, span))
    reporter.begin(Stage.DELIVER, span[1] - span[0] if marks else 0)
    if marks:
        with ExitStack() as cleanup:
            writers = {name: _open(session, info, span, name, premultiplied, cleanup) for name in marks}
            colours = any(FORMATS[name].foreground for name in marks)
            _write_frames(_read(session, info, span), list(writers.values()), reporter, colours=colours)
            for name, writer in writers.items():
                drop_sidecar(session.folder / FORMATS[name].file_name)
                path = writer.close().relative_to(session.folder).as_posix()
                state.delivered[name] = Delivered(path=path, mark=marks[name])
                session.save()
    reporter.end()  # reading the source for its digest says nothing about how fast this machine encodes
    write_sidecars(session, info, span, formats, list(marks), premultiplied, reporter)


def _is_current(session: MattingSession, name: str, mark: str) -> bool:
    made = session.state.delivered.get(name)
    return made is not None and made.mark == mark and (session.folder / made.path).exists()


def _open(
    session: MattingSession,
    info: VideoInfo,
    span: tuple[int, int],
    name: str,
    premultiplied: bool | None,
    cleanup: ExitStack,
) -> Writer:
    writer = open_writer(
        name,
        session.folder / FORMATS[name].file_name,
        info,
        premultiplied=premultiplied,
        audio_source=session.source,
        start=span[0],
        stop=span[1],
    )
    cleanup.callback(writer.abort)  # does nothing once the writer is closed
    return writer


def _write_frames(
    frames: Iterator[tuple[int, NDArray[np.float32], Alpha]],
    writers: list[Writer],
    reporter: Reporter,
    *,
    colours: bool,
) -> None:
    """Pass each frame once through all `writers`; decoding runs ahead and encoding behind."""

    def write(frame: DeliverFrame) -> None:
        for writer in writers:
            writer.write(frame)

    with WriteBehind(write) as behind:
        for index, rgb, alpha in prefetch(frames):
            behind.put(DeliverFrame(index, alpha, estimate_foreground(rgb, alpha) if colours else None))
            reporter.tick()


def _read(
    session: MattingSession, info: VideoInfo, span: tuple[int, int]
) -> Iterator[tuple[int, NDArray[np.float32], Alpha]]:
    store = AlphaStore(session.alpha_dir)
    with VideoReader(session.source, info) as reader:
        for index, rgb in enumerate(reader.frames_float(*span), span[0]):
            yield index, rgb, store.read(index)
    store.close()
