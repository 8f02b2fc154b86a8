"""What is known of a job -> an interactive card: plain data, nothing sent.

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot and .../common-capabilities/message-card
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from config import VERSION
from integrations.feishu.texts import translate

Event = Literal["started", "done", "failed", "test"]
MOST_BYTES = 20_000
"""Of a request's body, as Feishu documents it."""
_SPARE = 1_000
"""Bytes left for what is added when the card is sent: time, signature."""
COLOURS = {"started": "blue", "done": "green", "failed": "red", "test": "turquoise"}
TITLES = {
    "started": "Started: {name}",
    "done": "Done: {name}",
    "failed": "Failed: {name}",
    "test": "A test of SplazMatte",
}
_TITLE, _SHORT, _LONG, _ERROR = 120, 300, 1_500, 2_000
"""Characters of the title, a field, a wide field and the error at most."""
_SPECIAL = {ord(sign): f"&#{ord(sign)};" for sign in "&<>*~_`[]()#+-!|\\:/$'\"{}@"}
"""Whatever means something in Feishu's Markdown, as a character reference: so nothing of a user's is ever a tag."""


@dataclass(frozen=True)
class Notice:
    """What a card says."""

    event: Event
    name: str = ""
    session_id: str = ""
    kind: str = ""
    engines: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    """As 'name=value'."""
    duration: str = ""
    frames: int = 0
    error: str = ""
    links: tuple[tuple[str, str], ...] = ()
    """(name, address) of buttons; the name is translated where it is known."""
    image_key: str = ""
    """Of a picture that Feishu has."""
    language: Literal["en", "zh"] = "en"


def build(notice: Notice) -> dict[str, Any]:
    """Return the card; with what surrounds it, it is never larger than Feishu takes."""
    for share in (1.0, 0.5, 0.2, 0.05):
        card = _card(notice, share)
        if len(json.dumps(card, ensure_ascii=False).encode()) <= MOST_BYTES - _SPARE:
            return card
    return _card(Notice(notice.event, name=notice.name, language=notice.language), 0.2)


def escape(text: str) -> str:
    """Return text that Feishu's Markdown shows as it is."""
    return _one_line(text).translate(_SPECIAL)


def _card(notice: Notice, share: float) -> dict[str, Any]:
    """Return the card with the user's texts cut to a share of their usual length."""
    said = partial(translate, language=notice.language)
    title = said(TITLES[notice.event]).format(name=_cut(notice.name, _TITLE * share))
    elements: list[dict[str, Any]] = []
    if notice.event == "test":
        elements.append({"tag": "div", "text": _markdown(escape(said("Cards about jobs will come here.")))})
    if fields := _fields(notice, said, share):
        elements.append({"tag": "div", "fields": fields})
    if notice.error:
        content = f"**{said('Error')}**\n{escape(_cut(notice.error, _ERROR * share))}"
        elements.append({"tag": "div", "text": _markdown(content)})
    if notice.image_key:
        alt = _plain(said("frame of the session"))
        elements.append({"tag": "img", "img_key": notice.image_key, "alt": alt, "mode": "fit_horizontal"})
    if notice.links:
        elements.append({"tag": "action", "actions": [_button(name, url, said) for name, url in notice.links[:8]]})
    elements.append({"tag": "note", "elements": [_plain(f"SplazMatte {VERSION}")]})  # also a keyword that bots may want
    return {
        "config": {"wide_screen_mode": True},
        "header": {"template": COLOURS[notice.event], "title": _plain(title)},
        "elements": elements,
    }


def _fields(notice: Notice, said: Callable[[str], str], share: float) -> list[dict[str, Any]]:
    """Return the facts that there are, short ones two in a row."""
    session = f"{notice.name} ({notice.session_id})" if notice.session_id else ""
    facts = [
        ("Session", session, True),
        ("Kind", said(notice.kind), True),
        ("Duration", notice.duration, True),
        ("Frames", str(notice.frames or ""), True),
        ("Engines", ", ".join(notice.engines), False),
        ("Parameters", ", ".join(notice.parameters), False),
    ]
    return [
        {"is_short": short, "text": _markdown(f"**{said(label)}**\n{escape(_cut(text, limit * share))}")}
        for label, text, short in facts
        for limit in [_SHORT if short else _LONG]
        if text
    ]


def _button(name: str, url: str, said: Callable[[str], str]) -> dict[str, Any]:
    return {"tag": "button", "text": _plain(_cut(said(name), 60)), "url": url, "type": "default"}


def _plain(text: str) -> dict[str, str]:
    return {"tag": "plain_text", "content": _one_line(text)}


def _markdown(text: str) -> dict[str, str]:
    return {"tag": "lark_md", "content": text}


def _cut(text: str, limit: float) -> str:
    """Return the beginning of a text that is too long, and its end too: causes and endings of files come last."""
    most = max(8, int(limit))
    if len(text) <= most:
        return text
    tail = most // 3
    return f"{text[: most - tail - 1]}…{text[len(text) - tail :]}"


def _one_line(text: str) -> str:
    """Return the text without what controls how it is shown: line ends, colours, directions."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
