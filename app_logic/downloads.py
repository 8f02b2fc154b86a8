"""Downloads: deliverables under the original file's name; folders and choices as a zip, made while it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast
from zipfile import ZIP_STORED, ZipFile

from errors import ParameterError, SessionError
from pipeline.formats import FORMATS, format_spec
from session_store import MattingSession

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Download:
    """One deliverable as it is handed out."""

    path: Path
    name: str
    """What the user's file is called; a folder's without an ending."""
    stem: str
    """What the user's video is called, without its ending."""


def download(session: MattingSession, name: str) -> Download:
    """Return a deliverable of a session.

    Raises:
        ParameterError: there is no such format.
        SessionError: it is not delivered, or being made anew.
    """
    spec = format_spec(name)
    made = session.state.delivered.get(spec.name)
    path = session.folder / spec.file_name
    if made is None or not path.exists():
        raise SessionError(f"{name} is not delivered yet; deliver it first")
    stem = Path(session.state.original_name).stem or session.state.name
    return Download(path, f"{stem}_{spec.file_name}", stem)


def downloads(session: MattingSession, names: Iterable[str]) -> list[Download]:
    """Return several deliverables; see `download`.

    Raises:
        ParameterError: none is asked for.
    """
    found = [download(session, name) for name in dict.fromkeys(names)]
    if not found:
        raise ParameterError(f"say which formats: {', '.join(FORMATS)}")
    return found


def zipped(chosen: Iterable[Download]) -> Iterator[bytes]:
    """Yield a zip archive of files and folders, without a copy of them on the disk or in memory."""
    sink = _Sink()
    with ZipFile(cast(IO[bytes], sink), "w", ZIP_STORED) as archive:  # videos and pictures do not get smaller
        for path, name in _files(chosen):
            with path.open("rb") as file, archive.open(name, "w", force_zip64=True) as entry:
                while block := file.read(_BLOCK):
                    entry.write(block)
                    yield sink.take()
    yield sink.take()


class _Sink:
    """What ZipFile writes to: a stream that cannot seek, emptied as it fills."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, block: bytes) -> int:
        self._blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        taken = b"".join(self._blocks)
        self._blocks.clear()
        return taken


def _files(chosen: Iterable[Download]) -> Iterator[tuple[Path, str]]:
    for entry in chosen:
        if entry.path.is_dir():
            yield from ((file, f"{entry.name}/{file.name}") for file in sorted(entry.path.iterdir()))
        else:
            yield entry.path, entry.name
