"""Switch --commercial: engines that commercial work must do without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

Commercial = Annotated[
    bool | None,
    typer.Option(
        "--commercial/--any-use",
        help="Leave out engines whose weights or code forbid commercial use; kept for later runs of the session.",
    ),
]


def terms_field(commercial: bool | None, engines: Mapping[str, str]) -> dict[str, Any]:
    """Return whether a new session is for commercial use, as a field of its state.

    Args:
        commercial: the switch; None for what the settings say.
        engines: {job: name}; an empty name is the best one, which allows it.

    Raises:
        ParameterError: it is, and an engine that was chosen is not.
    """
    from config import get_settings
    from engines.registry import get_spec
    from engines.spec import Job
    from engines.terms import refuse_forbidden

    wanted = get_settings().commercial if commercial is None else commercial
    for job, name in engines.items() if wanted else ():
        if name:
            refuse_forbidden(get_spec(Job(job), name))
    return {"commercial": wanted}


def changed_terms(commercial: bool | None) -> dict[str, Any]:
    """Return what the switch changes of a session's state; nothing where it is not given."""
    return {} if commercial is None else {"commercial": commercial}
