"""Services outside of this machine that the settings name: whether they are set right, and whether they work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from config import CLOUD, FEISHU, get_settings, misnamed
from errors import SplazMatteError
from log import LOG


@dataclass(frozen=True)
class Check:
    """How a service is tried out."""

    label: str
    """Of the button."""
    success: str
    is_set: Callable[[], bool]
    """Tell whether there is anything to try."""
    judge: Callable[[], object]
    """Look at the settings; raises SplazMatteError where they make no sense."""
    run: Callable[[], object]
    """Try it; raises SplazMatteError where it does not work."""

    @property
    def obstacle(self) -> str:
        """Return what is wrong with the settings; empty where nothing is, or nothing is set."""
        return _problem(self.judge) if self.is_set() else ""


def _judge_cloud() -> None:
    from integrations.cloud_settings import cloud_settings

    cloud_settings()


def _try_cloud() -> None:
    from integrations.cloud_settings import required_settings
    from results.cloud import try_store

    try_store(required_settings())


def _judge_feishu() -> None:
    from integrations.feishu import check_settings

    check_settings(get_settings())


def _try_feishu() -> None:
    from integrations.feishu import send_test

    send_test(get_settings())


def _judge_address() -> None:
    from app_logic.watch.links import check_lan_ip

    check_lan_ip(get_settings().lan_ip)


_JUDGES = (_judge_cloud, _judge_feishu, _judge_address)

CHECKS = {
    CLOUD: Check(
        "Test the upload",
        "It works: a small file went there, came back and is gone again.",
        lambda: bool(get_settings().storage_backend),
        _judge_cloud,
        _try_cloud,
    ),
    FEISHU: Check(
        "Send a test message",
        "It works: the message is sent.",
        lambda: bool(get_settings().feishu_webhook_url.get_secret_value()),
        _judge_feishu,
        _try_feishu,
    ),
}
"""By the section of the settings."""


def refuse_wrong() -> None:
    """Refuse to start with settings that make no sense.

    Raises:
        ParameterError: the first of them, with its variable.
    """
    for judge in _JUDGES:
        judge()


def wrong() -> list[str]:
    """Return what is wrong with settings that name services or addresses, and what is no setting at all."""
    return [*(problem for judge in _JUDGES if (problem := _problem(judge))), *misnamed()]


def warn_of_misnamed() -> None:
    """Log what is meant as a setting and does nothing."""
    for text in misnamed():
        LOG.warning(text)


def try_all() -> dict[str, str]:
    """Try what is set; return {section: what is wrong, or empty}."""
    return {title: check.obstacle or _problem(check.run) for title, check in CHECKS.items() if check.is_set()}


def _problem(call: Callable[[], object]) -> str:
    try:
        call()
    except SplazMatteError as error:
        return str(error)
    return ""
