"""Numbers and names as each language wants them, so that no name can end a string, a line or a block.

Names come from users and from files: they may hold quotes, braces, newlines, code. Languages with a known escape keep
the name whole; formats without one get a name of letters that mean nothing to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

_NTSC_DIVISOR = 1001


def number(value: float, digits: int = 6) -> str:
    """Return a decimal with a point, never an exponent, with at most `digits` places and no zeros at the end."""
    text = f"{float(value):.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def exact(value: float) -> str:
    """Return the shortest decimal, without exponent, that reads back as the same float64."""
    text = np.format_float_positional(float(value), trim="-")
    return "0" if text == "-0" else text


def rate_text(rate: Fraction) -> str:
    """Return a rate as editing programs write it: 23.976, 29.97, 59.94 for n x 1000/1001, others to six places."""
    return number(float(rate), 3 if rate.denominator == _NTSC_DIVISOR else 6)


def javascript(text: str) -> str:
    """Return a string literal for JavaScript and ExtendScript: ASCII, with everything but plain letters escaped."""
    units = text.encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    return '"' + "".join(chr(code) if _is_plain(code) else f"\\u{code:04x}" for code in codes) + '"'


def _is_plain(code: int) -> bool:
    return code < 128 and (chr(code).isalnum() or chr(code) in " _-.,:()")


def python(text: str) -> str:
    """Return a string literal for Python, ASCII only, of what UTF-8 and a C string can hold."""
    return ascii(text.encode("utf-8", "replace").decode("utf-8").replace("\0", ""))


def lua(text: str) -> str:
    """Return a string literal for Lua: UTF-8, with quotes, backslashes and control characters as decimal escapes."""
    safe = text.encode("utf-8", "replace").decode("utf-8")
    return '"' + re.sub(r'[\x00-\x1f\x7f"\\]', lambda found: f"\\{ord(found[0]):03d}", safe) + '"'


def identifier(text: str) -> str:
    """Return a name that Lua, Nuke and Python take as an identifier: ASCII letters, digits, underscores."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")[:48]
    return name if re.match(r"[A-Za-z]", name) else f"T_{name}" if name else ""


def plain(text: str) -> str:
    """Return a name of one line without anything that quotes, groups, substitutes or ends something in Tcl or Nuke."""
    return " ".join(re.sub(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"{}\[\]$\\;#`]', "_", text).split())


def word(text: str) -> str:
    """Return a name as `plain` does, without spaces."""
    return plain(text).replace(" ", "_")


def unique(names: Sequence[str], clean: Callable[[str], str], prefix: str = "Track") -> list[str]:
    """Return cleaned names, none empty, none twice: 'Track_001' where nothing is left, '_2' for the second of a name.

    Programs tell tracks apart by name, some without regard to case.
    """
    taken: set[str] = set()
    result = []
    for index, name in enumerate(names, 1):
        base = clean(name) or f"{prefix}_{index:03d}"
        candidate, turn = base, 1
        while candidate.casefold() in taken:
            turn += 1
            candidate = f"{base}_{turn}"
        taken.add(candidate.casefold())
        result.append(candidate)
    return result
