"""All that observes the jobs of a workspace, wherever they are run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app_logic.watch.facts import Facts, Links, uploaded
from app_logic.watch.links import Address
from app_logic.watch.notices import Notices
from config import Settings
from integrations.feishu import Feishu, check_settings, configured
from queue_logic import JobLogs, Observer

if TYPE_CHECKING:
    from app_logic.watch.metrics import Metrics


class Watch:
    """Logs, notices and metrics of the jobs.

    Args:
        workspace: the folder of queue.json.
        settings: what is wanted.
        address: where the web app listens; by default as the settings say.
        links: of a session, to what lies elsewhere; for the cards.

    Raises:
        ParameterError: a setting that cannot be right.
    """

    def __init__(
        self, workspace: Path, settings: Settings, address: Address | None = None, links: Links = uploaded
    ) -> None:
        check_settings(settings)
        facts = Facts(workspace, settings, address or Address(settings.host, settings.port), links)
        make = (lambda wait: Feishu(settings, wait=wait)) if configured(settings) else None
        self.notices = Notices(workspace, facts, make)
        self.metrics = _metrics(workspace) if settings.metrics else None
        self._logs = JobLogs(workspace)

    @property
    def observers(self) -> list[Observer]:
        """Return what the queue's runner tells."""
        return [self._logs, self.notices, *([self.metrics.observe] if self.metrics else [])]

    def close(self) -> None:
        """Let what is to be sent be sent, for a few seconds."""
        self.notices.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _metrics(workspace: Path) -> Metrics:
    from app_logic.watch.metrics import Metrics  # knows the stages of all runners

    return Metrics(workspace)
