"""Project files in the app: what an export takes, and imports that wait for the video that they refer to."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app_logic.words import bytes_text
from errors import ProjectError, SplazMatteError
from session_base import safe_name

if TYPE_CHECKING:
    from app_logic.services import Services
    from projects import Export

_HELD = 4
"""Project files that wait for their videos; the one that has waited longest goes first."""


@dataclass(frozen=True)
class Parts:
    """Bytes of what a project file can have, each with the zip's own around it."""

    always: int
    source: int
    masks: int
    alpha: int
    results: int


def parts(services: Services, session_id: str) -> Parts:
    """Return what the parts of a session's project file take.

    Raises:
        SessionBusyError: a process works on the session.
        SessionError: it is not there, or its source or a keyframe is gone.
    """
    from projects import Wanted, plan_export

    session: Any = services.side_of(session_id).store.open(session_id)
    members = plan_export(session, Wanted(results=True)).stream.members
    total = {
        "source": sum(m.size for m in members if m.name.startswith("session/source.")),
        "masks": sum(m.size for m in members if "/propagated/" in m.name or "/drafts/" in m.name),
        "alpha": sum(m.size for m in members if m.name.startswith("session/alpha/")),
        "results": sum(m.size for m in members if m.name.startswith(("results/", "sidecars/"))),
    }
    return Parts(always=sum(m.size for m in members) - sum(total.values()), **total)


def exported(services: Services, session_id: str, **wanted: bool) -> Export:
    """Return a session's project file, ready to be sent; see projects.plan_export."""
    from projects import Wanted, plan_export

    session: Any = services.side_of(session_id).store.open(session_id)
    return plan_export(session, Wanted(**wanted))


@dataclass(frozen=True)
class Need:
    """A project that waits for the video that it refers to."""

    token: str
    project: str
    """The session's name."""
    name: str
    """Of the video."""
    size: int
    """Bytes of the video."""


class ProjectDesk:
    """Takes project files that browsers send.

    Args:
        services: the app's.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._held: OrderedDict[str, tuple[Need, Path]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, path: Path, name: str) -> dict[str, Any]:
        """Make a session of the file `path`, which is ours; or keep it until its video is given.

        Args:
            path: the file; removed, but where it is kept.
            name: what its user calls it.

        Returns:
            {'session', 'kind', 'notices'}, or {'needs': a Need's fields and its size for people}.

        Raises:
            SplazMatteError: see projects.import_project.
        """
        from projects import show_project

        kept = False
        try:
            with _named(path, name):
                shown = show_project(path)
                if shown.obstacle:
                    raise ProjectError(shown.obstacle)
                source = shown.manifest.source
                if not source.inside:
                    need = Need(secrets.token_hex(8), shown.manifest.name, safe_name(source.name), source.size)
                    self._hold(need, path)
                    kept = True
                    return {"needs": {**vars(need), "amount": bytes_text(need.size)}}
                return self._import(path)
        finally:
            if not kept:
                path.unlink(missing_ok=True)

    def check(self, token: str, size: int | None) -> None:
        """Refuse a video of another size than the one that is waited for, before it is sent.

        Raises:
            ProjectError: it is, or nothing waits under that token.
        """
        need, _ = self._find(token)
        if size is not None and size != need.size:
            raise ProjectError(f"this is not the video '{need.name}': it has {size} bytes, not {need.size}")

    def give(self, token: str, video: Path, name: str) -> dict[str, Any]:
        """Make the session that waits for `video`, which is ours and removed; what it is refused for waits on.

        Raises:
            SplazMatteError: see projects.import_project.
        """
        _, path = self._find(token)
        try:
            with _named(video, name):
                made = self._import(path, video)
        finally:
            video.unlink(missing_ok=True)
        self.forget(token)
        return made

    def forget(self, token: str) -> None:
        """Let a project wait no longer."""
        with self._lock:
            _, path = self._held.pop(token, (None, None))
        if path is not None:
            path.unlink(missing_ok=True)

    def _import(self, path: Path, source: Path | None = None) -> dict[str, Any]:
        from projects import import_project

        sides = self._services.sides
        made = import_project(path, {kind: side.store for kind, side in sides.items()}, source=source)
        session_id = str(made.session.state.id)
        sides[made.kind].work.extract(session_id)
        return {"session": session_id, "kind": made.kind, "notices": made.notices}

    def _hold(self, need: Need, path: Path) -> None:
        with self._lock:
            self._held[need.token] = need, path
            old = [self._held.popitem(last=False)[1][1] for _ in range(len(self._held) - _HELD)]
        for gone in old:
            gone.unlink(missing_ok=True)

    def _find(self, token: str) -> tuple[Need, Path]:
        with self._lock:
            if token not in self._held:
                raise ProjectError("the project does not wait for its video any more; open its file again")
            return self._held[token]


@contextmanager
def _named(path: Path, name: str) -> Iterator[None]:
    """Let errors in the block call a file what its user calls it, and not what we do."""
    try:
        yield
    except SplazMatteError as error:
        raise type(error)(str(error).replace(str(path), name).replace(path.name, safe_name(name))) from None
