"""Command `settings`: what can be set, what holds and where it comes from; and whether what is set works."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import Debug, Json, show
from cli.text import table

if TYPE_CHECKING:
    from app_logic.settings_view import SettingRow


def settings(
    check: Annotated[
        bool, typer.Option("--check", help="Try the cloud storage and Feishu out, as far as they are set.")
    ] = False,
    json_output: Json = False,
    debug: Debug = False,
) -> int:
    """Show what can be set, what holds and where it comes from; secrets are not shown."""
    from app_logic.checks import try_all
    from app_logic.settings_view import sections
    from config import misnamed

    found, odd = sections(), misnamed()
    tried = try_all() if check else {}
    data = {"settings": [asdict(row) for rows in found.values() for row in rows], "misnamed": odd, "checks": tried}
    show(data, lambda: "\n".join([_text(found, tried), *(f"\n{text}" for text in odd)]))
    return 1 if any(tried.values()) else 0


def _text(found: dict[str, list[SettingRow]], tried: dict[str, str]) -> str:
    lines: list[str] = []
    for title, rows in found.items():
        lines += ["", title, table([(row.name, row.value or "-", row.origin) for row in rows])]
        lines += [f"{row.name} will be {row.coming or 'empty'} from the next start on" for row in rows if row.coming]
    lines += [f"\n{title}: {problem or 'works'}" for title, problem in tried.items()]
    return "\n".join(lines).strip()
