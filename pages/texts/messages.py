"""Messages of errors in Chinese. They are made in English where they arise; here they are known by their templates."""

from __future__ import annotations

import re
from functools import cache

from pages.texts.chinese_cloud_delete import CLOUD_DELETE_MESSAGES
from pages.texts.chinese_cloud_messages import CLOUD_MESSAGES
from pages.texts.chinese_file_messages import FILE_MESSAGES, LIBRARY_WORDS
from pages.texts.chinese_messages import MESSAGES as GENERAL
from pages.texts.chinese_neural_messages import NEURAL_MESSAGES
from pages.texts.chinese_portable import PORTABLE_MESSAGES
from pages.texts.chinese_terms import TERMS_MESSAGES
from pages.texts.chinese_tracking_messages import TRACKING_MESSAGES
from pages.texts.chinese_watch import WATCH_MESSAGES

MESSAGES = {
    **GENERAL,
    **NEURAL_MESSAGES,
    **TRACKING_MESSAGES,
    **TERMS_MESSAGES,
    **PORTABLE_MESSAGES,
    **CLOUD_MESSAGES,
    **CLOUD_DELETE_MESSAGES,
    **WATCH_MESSAGES,
    **FILE_MESSAGES,
}
"""Chinese by template, of every message."""


def in_chinese(message: str, *, inner: int = 2) -> str:
    """Return the message in Chinese; what no template fits stays as it is.

    Args:
        message: one line, as an error has it.
        inner: how deep to translate what stands in placeholders too, where that is a message itself.
    """
    if message in LIBRARY_WORDS:
        return LIBRARY_WORDS[message]
    for pattern, chinese in _patterns():
        match = pattern.fullmatch(message)
        if match:
            values = [in_chinese(value, inner=inner - 1) if inner else value for value in match.groups()]
            return chinese.format(*values)
    return message


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Return the templates as patterns, those with the most text of their own first."""
    order = sorted(MESSAGES, key=lambda template: -len(template.replace("{}", "")))
    return [
        (re.compile("(.*?)".join(map(re.escape, template.split("{}"))), re.S), MESSAGES[template]) for template in order
    ]
