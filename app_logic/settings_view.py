"""The settings as a page shows them: value, where it comes from, what would hold after a new start; no secrets."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from config import SECTIONS, Origin, Settings, get_settings, origin, section, shown, variable


@dataclass(frozen=True)
class SettingRow:
    """One setting."""

    name: str
    """The environment variable."""
    description: str
    value: str
    """That holds; of a secret only whether it is set."""
    default: str
    origin: Origin
    coming: str | None
    """The value from the next start on, where that is another one."""


def sections() -> dict[str, list[SettingRow]]:
    """Return {section: its settings}, as config.py has them in order."""
    now, coming = get_settings(), _fresh()
    found: dict[str, list[SettingRow]] = {title: [] for title in SECTIONS}
    for name, field in Settings.model_fields.items():
        value, new = getattr(now, name), getattr(coming, name) if coming else None
        found[section(name)].append(
            SettingRow(
                name=variable(name),
                description=field.description or "",
                value=shown(value),
                default=shown(field.default),
                origin=origin(name),
                coming=shown(new) if coming and new != value else None,
            )
        )
    return found


def _fresh() -> Settings | None:
    """Return the settings as they would be read now; None where something in them cannot be."""
    try:
        return Settings()
    except (ValidationError, OSError, UnicodeError):
        return None
