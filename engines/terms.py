"""On whose terms an engine's results may be used: those of its code, and of the weights that it runs with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from engines.spec import EngineSpec
from engines.weights import get_set
from errors import ParameterError


class Term(BaseModel):
    """One licence that results come under."""

    of: str
    """What it is the licence of."""
    licence: str
    commercial: bool
    """Whether it allows commercial use."""
    page: str = ""
    """Where it can be read; empty for code, whose licence lies beside it."""


def terms(spec: EngineSpec, params: Mapping[str, Any] | None = None) -> list[Term]:
    """Return the licences of an engine's results with these parameters: its code's, and its weights'."""
    weights = [get_set(name) for name in spec.weights_for(params or {})]
    return [
        Term(of=spec.title, licence=spec.licence.name, commercial=spec.licence.commercial),
        *(Term(of=row.repository, licence=row.licence, commercial=row.commercial, page=row.page) for row in weights),
    ]


def forbidden_by(spec: EngineSpec, params: Mapping[str, Any] | None = None) -> str:
    """Return the licence that forbids commercial use of an engine's results; empty where none does."""
    return next((term.licence for term in terms(spec, params) if not term.commercial), "")


def refuse_forbidden(spec: EngineSpec, params: Mapping[str, Any] | None = None) -> None:
    """Refuse an engine that commercial work must do without.

    Raises:
        ParameterError: one of its licences forbids commercial use.
    """
    if licence := forbidden_by(spec, params):
        raise ParameterError(
            f"'{spec.name}' is not for commercial use ({licence}), but this session is; choose another {spec.job}"
        )
