"""Stage 'deliver': tracks -> the result video with trails, and files for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from atomic import discard, write_bytes
from errors import ParameterError, storage_errors
from pipeline.decode import VideoReader
from pipeline.deliver import DeliverFrame
from pipeline.formats import open_writer
from pipeline.info import VideoInfo
from pipeline.overlap import WriteBehind, prefetch
from runner_base.progress import Reporter
from runner_base.sidecar import drop_sidecar
from runner_base.terms import check_makers
from session_base import Delivered
from tracking_export import TRACK_FORMATS, export, track_format
from tracking_export.motion.result import Motion
from tracking_export.tracks import Tracks
from tracking_runner.draw import draw_tracks
from tracking_runner.marks import VIDEO, delivery_marks
from tracking_runner.motion import carried, solve
from tracking_runner.result import session_tracks
from tracking_runner.sidecars import engines_of, write_sidecars
from tracking_session_store import MotionChoice, TrackingSession

STAGE = "deliver"
DEFAULT_FORMATS = (VIDEO, "ae-keyframes", "json")
"""Of a new session."""


def check_formats(names: Sequence[str]) -> list[str]:
    """Return `names` without repetitions.

    Raises:
        ParameterError: one of them is not a format, or there is none.
    """
    if not names:
        raise ParameterError(f"no format given; there is: {VIDEO}, {', '.join(TRACK_FORMATS)}")
    if wrong := [name for name in names if name not in (VIDEO, *TRACK_FORMATS)]:
        raise ParameterError(f"no such track format: {wrong[0]}; there are {', '.join((VIDEO, *TRACK_FORMATS))}")
    return list(dict.fromkeys(names))


def deliver(
    session: TrackingSession, info: VideoInfo, span: tuple[int, int], reporter: Reporter
) -> list[tuple[MotionChoice, Motion]]:
    """Make the formats that are missing or were made from other tracks; each file appears whole or not at all.

    Returns:
        the motions that were solved for that, none where nothing had to be exported.

    Raises:
        ParameterError: a motion cannot be solved, there is no point that is not hidden, or the session is for
            commercial use and something in it is not.
        StorageError: the disk is full, read-only or not writable.
    """
    state = session.state
    stale = stale_formats(session, span)
    check_makers(state, engines_of(state))
    reporter.begin(STAGE, span[1] - span[0] if VIDEO in stale else len(stale))
    tracks = session_tracks(session, info, span) if stale else None
    exports = [name for name in stale if name != VIDEO]
    _tell_of_varying_rate(info, exports, reporter)
    motions = [(choice, solve(state, tracks, choice)) for choice in state.motions] if tracks and exports else []
    marks = delivery_marks(state, span, stale)
    for name in stale:
        assert tracks is not None
        if name == VIDEO:
            path = _video(session, info, tracks, reporter)
        else:
            path = _export(session, tracks, [motion for _, motion in motions], name, reporter)
            if VIDEO not in stale:
                reporter.tick()
        _record(session, name, path, marks[name])
    reporter.end()  # reading the source for its digest says nothing about how fast this machine encodes
    write_sidecars(session, info, span, stale, reporter)
    return motions


def _tell_of_varying_rate(info: VideoInfo, exports: Sequence[str], reporter: Reporter) -> None:
    """Say which exports number frames where those are not equally long."""
    names = ", ".join(name for name in exports if not track_format(name).timed)
    if info.times and names:
        reporter.note(
            f"the clip's frame rate varies, but frames are only counted by {names}: use a sequence of its frames "
            "there, or make its rate constant before tracking"
        )


def stale_formats(session: TrackingSession, span: tuple[int, int]) -> list[str]:
    """Return the chosen formats that are missing or were made from something else."""
    marks = delivery_marks(session.state, span, session.state.formats)
    return [name for name, mark in marks.items() if not _is_current(session, name, mark)]


def _record(session: TrackingSession, name: str, path: Path, mark: str) -> None:
    """Note what was made, and remove what it takes the place of."""
    before = session.state.delivered.get(name)
    session.state.delivered[name] = Delivered(path=path.relative_to(session.results_dir).as_posix(), mark=mark)
    session.save()
    if before is not None and (session.results_dir / before.path) != path:  # several files are one now, or one several
        with storage_errors(session.results_dir):
            discard(session.results_dir / before.path)


def _drop_sidecar(session: TrackingSession, name: str) -> None:
    """Remove the sidecar of a format that is about to be made anew."""
    if before := session.state.delivered.get(name):
        drop_sidecar(session.results_dir / before.path)


def _is_current(session: TrackingSession, name: str, mark: str) -> bool:
    made = session.state.delivered.get(name)
    return made is not None and made.mark == mark and (session.results_dir / made.path).exists()


def _video(session: TrackingSession, info: VideoInfo, tracks: Tracks, reporter: Reporter) -> Path:
    """Write tracking_<id>.mp4: the source's size, times, colours and sound, with the tracks over it."""
    span = (tracks.frames.start, tracks.frames.stop)
    target = session.results_dir / f"tracking_{session.state.id}.mp4"
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    writer = open_writer("foreground", target, info, audio_source=session.source, start=span[0], stop=span[1])
    try:
        with VideoReader(session.source, info) as reader, WriteBehind(writer.write) as behind:
            for index, rgb in prefetch(enumerate(reader.frames_float(*span), span[0])):
                behind.put(DeliverFrame(index, rgb[..., 0], draw_tracks(rgb, tracks, index)))
                reporter.tick()
        _drop_sidecar(session, VIDEO)
        return writer.close()
    finally:
        writer.abort()  # does nothing once it is closed


def _export(session: TrackingSession, tracks: Tracks, motions: list[Motion], name: str, reporter: Reporter) -> Path:
    """Write a format's files; several lie in a folder of their own."""
    taken = carried(track_format(name), motions)
    for motion in motions:
        if motion not in taken:
            text = f"{name} cannot carry a {motion.kind}; nuke, fusion, ae-script, ae-keyframes and json can"
            reporter.note(text, about=name)
    files = export(name, tracks, taken)
    place = session.results_dir
    single = len(files) == 1
    folder = place if single else place / f"{name}_{session.state.id}"
    _drop_sidecar(session, name)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for file_name, data in files.items():
            stem, dot, ending = file_name.rpartition(".")
            path = folder / (f"{stem}_{session.state.id}{dot}{ending}" if single else file_name)
            write_bytes(path, data)
            reporter.alive()
        for old in () if single else folder.iterdir():  # of tracks that are gone
            if old.name not in files:
                discard(old)
    return path if single else folder
