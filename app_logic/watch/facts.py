"""What a card says of a job: read from the job and its session when it is sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from app_logic.watch.links import Address, check_lan_ip, session_link
from app_logic.words import time_text
from config import Settings
from errors import SplazMatteError
from integrations.feishu import Notice
from integrations.feishu.card import Event
from log import LOG, without_secrets
from queue_logic import Job
from results.sessions import kind_of, open_session

Links = Callable[[Any], list[tuple[str, str]]]
"""Of a session: (name, address) of what can be opened elsewhere, such as uploaded results."""
ENGINES = {"matting": ("segmenter", "propagator", "matter"), "tracking": ("tracker",)}
"""Which choices of a session's state its jobs use."""


def uploaded(session: Any) -> list[tuple[str, str]]:
    """Return links to what of a session is in the cloud."""
    from results.cloud import links
    from session_base import SIDECAR

    return [(link.name, link.url) for link in links(session) if not link.format.endswith(SIDECAR)]


class Facts:
    """Makes notices of jobs.

    Args:
        workspace: the folder of the sessions.
        settings: language of the cards; what this machine is called.
        address: where the web app listens.
        links: further links of a session.
    """

    def __init__(self, workspace: Path, settings: Settings, address: Address, links: Links = uploaded) -> None:
        check_lan_ip(settings.lan_ip)
        self.links = links
        self._settings = settings
        self._address = address
        self._workspace = workspace

    def notice(self, job: Job, event: Event) -> Notice:
        """Return what the card says; of a session that is gone, what the job knows."""
        session = self._session(job)
        frames = job.result.get("frames")
        return Notice(
            event,
            name=str(session.state.name) if session else job.session_id,
            session_id=job.session_id,
            kind=job.kind,
            engines=_engines(job, session),
            parameters=_parameters(job, session),
            duration=time_text(job.seconds) if event != "started" and job.seconds else "",
            frames=frames if isinstance(frames, int) else 0,
            error=without_secrets(job.error) if event == "failed" else "",
            links=tuple(self._links(job, session)),
            language="zh" if self._settings.language == "zh" else "en",
        )

    def thumbnail(self, job: Job) -> bytes | None:
        """Return a picture of the session, where there is one to be had."""
        session = self._session(job)
        if session is None:
            return None
        from app_logic.watch.thumbnail import thumbnail

        try:
            return thumbnail(session)
        except Exception as error:  # whatever it is: the card goes without
            LOG.info("no thumbnail", job_id=job.id, reason=f"{type(error).__name__}: {error}")
            return None

    def _session(self, job: Job) -> Any:
        with suppress(SplazMatteError, OSError):
            return open_session(self._workspace, job.session_id)
        return None

    def _links(self, job: Job, session: Any) -> list[tuple[str, str]]:
        if session is None:
            return []
        page = session_link(self._address, self._settings.lan_ip, kind_of(session), job.session_id)
        found = [("Open the session", page)] if page else []
        try:
            return [*found, *self.links(session)]
        except Exception:
            LOG.exception("no links", job_id=job.id)
            return found


def _engines(job: Job, session: Any) -> tuple[str, ...]:
    """Return what made the job's results, or before that what is chosen."""
    made = job.result.get("engines")
    if isinstance(made, dict) and made:
        return tuple(str(name) for name in made.values())
    choices = [getattr(session.state, name) for name in ENGINES.get(job.kind, ())] if session else []
    return tuple(_described(choice) for choice in choices)


def _described(choice: Any) -> str:
    params = ", ".join(f"{name}={value}" for name, value in choice.params.items())
    return f"{choice.name} ({params})" if params else str(choice.name)


def _parameters(job: Job, session: Any) -> tuple[str, ...]:
    found = [
        f"{name}={' '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in job.parameters.items()
    ]
    if session is not None and job.kind in ENGINES:  # others, as uploads, do not keep to what the session chooses
        span = session.state.range
        found += [f"range={span[0]}:{span[1]}"] if span else []
        found += [f"formats={' '.join(session.state.formats)}"] if session.state.formats else []
    return tuple(found)
