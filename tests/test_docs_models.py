"""docs/models.md says what the table of weights says."""

from __future__ import annotations

import re
from pathlib import Path

from cli.text import bytes_text
from engines.weights_table import GROUPS, WEIGHTS

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "models.md").read_text(encoding="utf-8")


def rows() -> list[str]:
    """Return the rows of the page's table of weights."""
    return [
        f"| `{entry.name}` | {f'`--{entry.group}`' if entry.default else 'by name'} | {bytes_text(entry.size)} "
        f"| [{entry.repository}]({entry.page}){', gated' if entry.gated else ''} | {entry.licence} "
        f"| {'yes' if entry.commercial else '**no**'} | {entry.terms} |"
        for entry in WEIGHTS
    ]


def test_the_table_of_weights_is_made_from_the_table() -> None:
    assert re.findall(r"^\| `[a-z].*", PAGE, re.MULTILINE) == rows()


def test_every_switch_is_named() -> None:
    assert all(f"--{group}" in PAGE for group in GROUPS)
