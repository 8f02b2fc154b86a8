"""Feishu as the settings say: a card is sent, in the right pace, and again where that may help."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

import httpx

from config import Settings
from errors import NoticeError, ParameterError
from integrations.feishu.card import Notice, build
from integrations.feishu.pace import Pace
from integrations.feishu.pictures import Pictures
from integrations.feishu.webhook import Refusal, ask, judge, request_body, unreachable

TRIES = 5
_FIRST_WAIT = 1.0
"""Seconds before the second try; each further one waits twice as long."""
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_HOOK = re.compile(r"/open-apis/bot/v2/hook/[\w-]+/?")
Wait = Callable[[float], bool]
"""Waits so many seconds; returns True, at once, where there is no point in waiting any longer."""


def configured(settings: Settings) -> bool:
    """Tell whether there is a webhook."""
    return bool(settings.feishu_webhook_url.get_secret_value())


def check_settings(settings: Settings) -> None:
    """Refuse settings of Feishu's that cannot be right; the message has no secret.

    Raises:
        ParameterError: with the name of the setting.
    """
    address = settings.feishu_webhook_url.get_secret_value()
    if address:
        try:
            parts = urlsplit(address)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or not _HOOK.fullmatch(parts.path) or parts.query or parts.fragment or parts.username is not None:
            raise ParameterError(
                "SPLAZMATTE_FEISHU_WEBHOOK_URL is not the address of a custom bot's webhook: copy it from the bot's "
                "settings, as https://open.feishu.cn/open-apis/bot/v2/hook/…"
            )
    if bool(settings.feishu_app_id) != bool(settings.feishu_app_secret.get_secret_value()):
        raise ParameterError("SPLAZMATTE_FEISHU_APP_ID and SPLAZMATTE_FEISHU_APP_SECRET go together: set both or none")


def send_test(settings: Settings) -> None:
    """Send a card that says that it is a test; takes seconds, up to a minute where Feishu cannot be reached.

    Raises:
        ParameterError: the settings cannot be right, or there is no webhook.
        NoticeError: it was not sent; the message says why.
    """
    check_settings(settings)
    if not configured(settings):
        raise ParameterError("SPLAZMATTE_FEISHU_WEBHOOK_URL is not set")
    feishu = Feishu(settings)
    try:
        feishu.send(Notice("test", language="zh" if settings.language == "zh" else "en"), tries=2)
    finally:
        feishu.close()


class Feishu:
    """A group's bot.

    Args:
        settings: with a webhook.
        clock: seconds, monotonic; tests bring their own.
        today: seconds since 1970, which a signature is made of.
        wait: see `Wait`.
        timeout: of one request.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], float] = time.time,
        wait: Wait | None = None,
        timeout: httpx.Timeout = _TIMEOUT,
    ) -> None:
        self._url = settings.feishu_webhook_url.get_secret_value()
        self._secret = settings.feishu_secret.get_secret_value()
        self._today = today
        self._wait = wait or threading.Event().wait
        self._pace = Pace(clock=clock)
        parts = urlsplit(self._url)
        self._http = httpx.Client(base_url=f"{parts.scheme}://{parts.netloc}", timeout=timeout)
        app_id, app_secret = settings.feishu_app_id, settings.feishu_app_secret.get_secret_value()
        self._pictures = Pictures(self._http, app_id, app_secret, clock) if app_id and app_secret else None

    @property
    def takes_pictures(self) -> bool:
        """Tell whether cards can have a thumbnail."""
        return self._pictures is not None

    def send(self, notice: Notice, jpeg: bytes | None = None, *, tries: int = TRIES) -> str:
        """Send a card; return what a user should know about it, empty if nothing.

        Args:
            notice: what it says.
            jpeg: a thumbnail; a card that cannot have it goes without.
            tries: at most.

        Raises:
            NoticeError: it was not sent; the message says why.
        """
        remark = ""
        if jpeg and self._pictures is not None:
            try:
                notice = replace(notice, image_key=self._pictures.key(jpeg))
            except NoticeError as error:
                remark = str(error)
        card = build(notice)
        refusal = Refusal("", True)
        for number in range(tries):
            after = refusal.after if refusal.after is not None else _FIRST_WAIT * 2 ** (number - 1)
            pause = max(self._pace.wait(), after if number else 0.0)
            if pause and self._wait(pause):
                raise NoticeError(refusal.reason or "SplazMatte ended before it was sent")
            if (found := self._post(request_body(card, self._secret, int(self._today())))) is None:
                return remark
            refusal = found
            if not refusal.again:
                break
        raise NoticeError(refusal.reason)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _post(self, body: bytes) -> Refusal | None:
        self._pace.note()
        try:
            response = ask(self._http, self._url, content=body, headers={"Content-Type": "application/json"})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return unreachable(error)
        return judge(response)
