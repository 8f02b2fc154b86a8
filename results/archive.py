"""Zips of results, of one session or of several of any kind, made while they are sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from errors import ParameterError, SessionError
from results.entries import Result
from session_base.names import distinct, key, safe
from zip_stream import Member, ZipStream, file_member

MOST_FILES = 1_000_000
"""Files of a zip; more are more than a directory in memory should have."""


def zipped(chosen: Iterable[Result]) -> ZipStream:
    """Return a zip of one session's results.

    Raises:
        SessionError: one of them is gone; and while it is sent, when one is changed.
    """
    return bundled([("", list(chosen))])


def bundled(sessions: Iterable[tuple[str, list[Result]]]) -> ZipStream:
    """Return a zip of the results of several sessions.

    Results keep the names that they have alone; where those of two sessions clash, each session gets a folder.

    Args:
        sessions: (the session's name, its results).

    Raises:
        ParameterError: more files than a zip should have.
        SessionError: one of them is gone; and while it is sent, when one is changed.
    """
    return ZipStream(_members(_placed(list(sessions))))


def _placed(sessions: list[tuple[str, list[Result]]]) -> Iterator[tuple[str, Result]]:
    """Yield (folder, or '' for none; result under a name of its own there)."""
    own = [{key(safe(result.name)) for result in found} for _, found in sessions]
    count = Counter(name for names in own for name in names)
    alone = [all(count[name] == 1 for name in names) for names in own]
    outside = {name for names, apart in zip(own, alone, strict=True) if apart for name in names}
    taken: dict[str, set[str]] = {"": set()}
    for (session, found), apart in zip(sessions, alone, strict=True):
        folder = "" if apart else distinct(safe(session), outside)
        outside.add(key(folder))
        inside = taken.setdefault(folder, set())
        for result in found:
            name = distinct(safe(result.name), inside)
            inside.add(key(name))
            yield folder, replace(result, name=name)


def _members(placed: Iterable[tuple[str, Result]]) -> Iterator[Member]:
    files = 0
    for folder, result in placed:
        prefix = f"{folder}/" if folder else ""
        for name, path in (*_files(result), *_sidecar(result)):
            files += 1
            if files > MOST_FILES:
                raise ParameterError(f"these results are more than {MOST_FILES} files; choose fewer of them")
            yield file_member(prefix + name, path)


def _sidecar(result: Result) -> Iterator[tuple[str, Path]]:
    if result.sidecar is not None:
        yield result.sidecar_name, result.sidecar


def _files(result: Result) -> Iterator[tuple[str, Path]]:
    if not result.path.is_dir():
        yield result.name, result.path
        return
    try:
        found = sorted(path for path in result.path.iterdir() if path.is_file() and not path.is_symlink())
    except OSError:
        raise SessionError(f"{result.name} is not delivered any more; deliver it again") from None
    taken: set[str] = set()
    for path in found:
        name = distinct(safe(path.name), taken)
        taken.add(key(name))
        yield f"{result.name}/{name}", path
