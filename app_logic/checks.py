"""Services outside of this machine that the settings name, and how each is tried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from errors import SplazMatteError


@dataclass(frozen=True)
class Check:
    """How a service is tried out."""

    label: str
    """Of the button."""
    success: str
    is_unset: Callable[[], bool]
    """Tell whether nothing is set, so that there is nothing to try."""
    obstacle: Callable[[], str]
    """Return why it cannot be tried: not set, or set wrongly; empty where it can."""
    run: Callable[[], object]
    """Try it; raises SplazMatteError where it does not work."""


CHECKS: dict[str, Check] = {}
"""By the section of the settings."""


def try_all() -> dict[str, str]:
    """Try what is set; return {section: what is wrong, or empty}."""
    return {title: _problem(check) for title, check in CHECKS.items() if not check.is_unset()}


def _problem(check: Check) -> str:
    if reason := check.obstacle():
        return reason
    try:
        check.run()
    except SplazMatteError as error:
        return str(error)
    return ""
