"""What a session that is for commercial use does without."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engines.registry import get_spec
from engines.spec import Job
from engines.terms import refuse_forbidden
from errors import ParameterError, SessionError
from runner_base.sidecar import EngineUse, read_sidecar
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


def check_result(state: Mergeable, path: Path, name: str) -> None:
    """Refuse to hand out what such engines have made.

    Args:
        state: of the session.
        path: of the deliverable.
        name: of its format.

    Raises:
        SessionError: one of their licences forbids it, or nobody knows them.
    """
    if state.commercial:
        sidecar = read_sidecar(path)
        if sidecar is None:
            raise SessionError(f"{name} was made before its makers were noted; deliver it again for commercial use")
        if not sidecar.commercial_use:
            against = next(iter(sidecar.forbidden_by), "its licence")
            raise SessionError(f"{name} is not for commercial use ({against}); deliver it again")
