"""What a session that is for commercial use does without."""

from __future__ import annotations

from collections.abc import Iterable

from engines.registry import get_spec
from engines.spec import Job
from engines.terms import refuse_forbidden
from errors import ParameterError
from runner_base.sidecar import EngineUse
from session_base import EngineChoice, Mergeable


def check_choices(state: Mergeable, jobs: Iterable[Job]) -> None:
    """Refuse engines that a session for commercial use must do without, before any of them runs.

    Args:
        state: of the session.
        jobs: whose engines are about to run.

    Raises:
        ParameterError: one of their licences forbids it.
    """
    if state.commercial:
        for job in jobs:
            choice: EngineChoice = getattr(state, job.value)
            refuse_forbidden(get_spec(job, choice.name), choice.params)


def check_makers(state: Mergeable, used: Iterable[EngineUse]) -> None:
    """Refuse to deliver what such engines have made.

    Raises:
        ParameterError: one of their licences forbids it.
    """
    for use in used if state.commercial else ():
        for term in use.terms:
            if not term.commercial:
                raise ParameterError(
                    f"{use.title} has a part in this, which is not for commercial use ({term.licence}); "
                    "choose another engine and run it again"
                )
