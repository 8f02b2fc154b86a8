"""Cards in a Feishu group about jobs: what they say, and how a custom bot and an app for pictures are talked to.

card.py        Notice -> an interactive card
texts.py       what cards say, in English and Chinese
webhook.py     the request to the webhook, signed, and what its answers mean
pictures.py    an app that uploads pictures, which a custom bot cannot
pace.py        how often the webhook may be called
client.py      Feishu: all of it together; check_settings
"""

from __future__ import annotations

from integrations.feishu.card import Notice, build
from integrations.feishu.client import Feishu, check_settings, configured, send_test

__all__ = ["Feishu", "Notice", "build", "check_settings", "configured", "send_test"]
