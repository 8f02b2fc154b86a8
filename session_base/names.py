"""Names of files that go elsewhere: the users' own as far as every system can have them, and all different."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

_LONGEST = 200
"""Bytes of a name; systems take 255."""
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
"""Devices of Windows, whatever ending follows."""


def safe(name: str) -> str:
    """Return `name` as the name of one file or folder that Linux, macOS and Windows can have."""
    kept = "".join(letter if letter.isprintable() else "_" for letter in unicodedata.normalize("NFC", name))
    kept = _FORBIDDEN.sub("_", kept).strip().rstrip(". ")
    if _RESERVED.fullmatch(kept):
        kept = f"_{kept}"
    return shortened(kept or "file", "")


def distinct(name: str, taken: Container[str]) -> str:
    """Return `name`, or with a number before its ending where `taken` has its `key`."""
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > 8:
        stem, dot, ending = name, "", ""
    found, number = name, 1
    while key(found) in taken:
        number += 1
        found = shortened(stem, f" ({number}){dot}{ending}")
    return found


def key(name: str) -> str:
    """Return what is the same for names that some system takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def shortened(name: str, ending: str) -> str:
    """Return `name` with `ending`, cut where that is longer than systems take."""
    room = _LONGEST - len(ending.encode())
    if len(name.encode()) <= room:
        return name + ending
    if not ending:  # the name's own ending says what the file is
        stem, dot, own = name.rpartition(".")
        if stem and len(own) <= 8:
            return shortened(stem, dot + own)
    return name.encode()[:room].decode(errors="ignore").rstrip(". ") + ending
