"""Texts in the language of the browser: English is the key, the tables beside this have the Chinese."""

from __future__ import annotations

from typing import Literal

from pages.texts.chinese import CHINESE
from pages.texts.messages import in_chinese

Language = Literal["en", "zh"]


def t(text: str, **values: object) -> str:
    """Return `text` in the language of this client, with `values` in the place of its {names}."""
    shown = translate(text, language())
    return shown.format(**values) if values else shown


def say(message: str) -> str:
    """Return the message of an error in the language of this client, as far as there is a translation."""
    return in_chinese(message) if language() == "zh" else message


def translate(text: str, chosen: str) -> str:
    """Return `text` in that language; English where there is none."""
    return CHINESE.get(text, text) if chosen == "zh" else text


def language() -> Language:
    """Return the language of this client; English where there is none."""
    from nicegui import app

    try:
        return "zh" if app.storage.client.get("language") == "zh" else "en"
    except RuntimeError:
        return "en"


def set_language(chosen: Language) -> None:
    """Let this client have that language."""
    from nicegui import app

    app.storage.client["language"] = chosen


def choose(accept_language: str, setting: str, by_hand: str | None) -> Language:
    """Return the language to use: by hand, else as set, else what the browser likes best of those there are.

    Args:
        accept_language: the header, as 'zh-CN,zh;q=0.9,en;q=0.8'.
        setting: 'en', 'zh' or empty.
        by_hand: what the user has chosen; None or empty if nothing.
    """
    for wish in (by_hand, setting):
        if wish in ("en", "zh"):
            return "zh" if wish == "zh" else "en"
    liked: list[tuple[float, Language]] = []
    for part in accept_language.split(","):
        name, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.partition("=")[2]) if rest else 1.0
        except ValueError:
            weight = 0.0
        tongue = name.strip().lower().partition("-")[0]
        if weight > 0 and tongue in ("en", "zh"):
            liked.append((weight, "zh" if tongue == "zh" else "en"))
    return max(liked, key=lambda entry: entry[0], default=(0.0, "en"))[1]
