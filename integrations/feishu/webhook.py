"""A custom bot's webhook: the signed request, and what its answers mean. HTTP 200 alone means nothing here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

import httpx

BUSY = 11232
"""Code of 'frequency limited'."""
CODES = {
    19021: "Feishu refuses the signature: check SPLAZMATTE_FEISHU_SECRET, and this machine's clock",
    19022: "Feishu refuses this machine's address: add it to the bot's allowed addresses",
    19024: "Feishu misses the bot's keyword: add 'SplazMatte' to its keywords, or remove them",
    19001: "Feishu knows no such webhook: check SPLAZMATTE_FEISHU_WEBHOOK_URL",
    9499: "Feishu cannot read the card",
    BUSY: "Feishu says that there were too many messages",
}
LONGEST = 20.0
"""Seconds that an answer may take in all."""
_MOST_BYTES = 100_000
"""Of an answer."""
_LONGEST_WAIT = 60.0
"""Seconds that a Retry-After counts for at most."""


@dataclass(frozen=True)
class Refusal:
    """Why something was not done."""

    reason: str
    again: bool
    """Whether it is worth another try."""
    after: float | None = None
    """Seconds to wait before, where the service has said so."""


def sign(timestamp: int, secret: str) -> str:
    """Return the signature of a moment, in seconds since 1970: HMAC-SHA256 of nothing, keyed by both, in Base64."""
    key = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()


def request_body(card: dict[str, Any], secret: str, timestamp: int) -> bytes:
    """Return the body of a request that shows `card`; signed where there is a secret."""
    signed = {"timestamp": str(timestamp), "sign": sign(timestamp, secret)} if secret else {}
    return json.dumps({**signed, "msg_type": "interactive", "card": card}, ensure_ascii=False).encode()


def ask(http: httpx.Client, url: str, **more: Any) -> httpx.Response:
    """Send a POST request and return the answer: its beginning, where it is long, and a timeout where it is slow.

    Raises:
        httpx.HTTPError: there is none.
    """
    end, body = time.monotonic() + LONGEST, bytearray()
    with http.stream("POST", url, **more) as response:
        for block in response.iter_bytes():
            body += block
            if len(body) > _MOST_BYTES:
                break
            if time.monotonic() > end:
                raise httpx.ReadTimeout("the answer takes too long")
        return httpx.Response(
            response.status_code,
            headers={k: v for k, v in response.headers.items() if k == "retry-after"},
            content=bytes(body[:_MOST_BYTES]),
        )


def judge(response: httpx.Response) -> Refusal | None:
    """Return why Feishu has not done what was asked; None where it has."""
    status = response.status_code
    answer = _json(response)
    code = answer.get("code", answer.get("StatusCode"))
    if isinstance(code, int) and not isinstance(code, bool) and (code or status < 300):
        if code == 0:
            return None
        known = CODES.get(code)
        said = " ".join(str(answer.get("msg", ""))[:200].split())
        again = code == BUSY or status == 429 or status >= 500
        return Refusal(known or f"Feishu answered with code {code}: {said}", again, _retry_after(response))
    if status == 429 or status >= 500:
        return Refusal(f"Feishu answered with HTTP status {status}", True, _retry_after(response))
    if status >= 300:
        return Refusal(f"Feishu answered with HTTP status {status}: check SPLAZMATTE_FEISHU_WEBHOOK_URL", False)
    return Refusal("what answered is not Feishu: check SPLAZMATTE_FEISHU_WEBHOOK_URL", False)


def unreachable(error: Exception) -> Refusal:
    """Return the refusal of a request that got no answer; never with the address, which is a secret."""
    if isinstance(error, httpx.TimeoutException):
        return Refusal("Feishu did not answer in time", True)
    if isinstance(error, httpx.TransportError):
        return Refusal(f"Feishu cannot be reached ({type(error).__name__}): check the network", True)
    return Refusal(f"the request to Feishu failed ({type(error).__name__})", False)


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """Return what a response says as JSON; nothing where it is no object."""
    return _json(response)


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        data = response.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _retry_after(response: httpx.Response) -> float | None:
    try:
        return min(_LONGEST_WAIT, max(0.0, float(response.headers["retry-after"])))
    except (KeyError, ValueError):  # a date is not worth reading: the usual wait does
        return None
