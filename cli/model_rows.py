"""Engines and weights as `models` prints them, and which weights a name stands for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cli.text import bytes_text, table

if TYPE_CHECKING:
    from engines.spec import EngineSpec


def engine_rows() -> list[dict[str, Any]]:
    """Return the engines as --json prints them."""
    from engines.registry import ENGINES

    return [_engine_row(spec) for spec in ENGINES]


def _engine_row(spec: EngineSpec) -> dict[str, Any]:
    from engines.registry import missing_packages, obstacle, usable
    from engines.terms import forbidden_by

    params = usable(spec)
    return {
        "name": spec.name,
        "job": spec.job.value,
        "title": spec.title,
        "help": spec.help,
        "licence": spec.licence.name,
        "commercial": not forbidden_by(spec),
        "usable": params is not None,
        "usable_with": params,
        "obstacle": obstacle(spec),
        "missing": missing_packages(spec),
        "weights": sorted({*spec.weights, *spec.models.values()}),
        "params": [
            {
                "name": param.name,
                "default": param.default,
                "minimum": param.minimum,
                "maximum": param.maximum,
                "choices": list(param.choices),
                "unit": param.unit,
                "help": param.help,
            }
            for param in spec.params
        ],
    }


def engines_text(rows: list[dict[str, Any]]) -> str:
    """Return the engines for people."""
    return "\n".join(_engine_text(row) for row in rows)


def _engine_text(row: dict[str, Any]) -> str:
    licence = row["licence"] + ("" if row["commercial"] else ", not for commercial use")
    lines = [f"{row['job']:<11}{row['name']:<12}{row['title']} ({licence}): {row['help']}"]
    if row["obstacle"]:
        with_model = ", ".join(f"{key}={value}" for key, value in (row["usable_with"] or {}).items())
        lines.append(f"    {f'can run with {with_model}; else' if with_model else 'cannot run yet:'} {row['obstacle']}")
    for param in row["params"]:
        limits = "|".join(param["choices"]) or (
            f"{param['minimum']:g}..{param['maximum']:g} {param['unit']}".strip()
            if param["minimum"] is not None
            else ""
        )
        lines.append(f"    {param['name']}={param['default']}  {limits}  {param['help']}")
    return "\n".join(lines)


def weights_rows(names: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Return sets of weights as --json prints them; all if none is named."""
    from engines import weights
    from engines.weights_table import WEIGHTS

    chosen = [entry.name for entry in WEIGHTS] if names is None else names
    return [
        {
            "name": entry.name,
            "group": entry.group,
            "default": entry.default,
            "title": entry.title,
            "bytes": entry.size,
            "state": weights.state(entry.name),
            "held_bytes": weights.held_bytes(entry.name),
            "path": str(weights.folder(entry.name)),
            "licence": entry.licence,
            "terms": entry.terms,
            "commercial": entry.commercial,
            "gated": entry.gated,
            "accepted": weights.accepted(entry.name),
            "page": entry.page,
        }
        for entry in map(weights.get_set, chosen)
    ]


def weights_text(rows: list[dict[str, Any]]) -> str:
    """Return sets of weights for people."""
    return table(
        [
            (
                f"--{row['group']}" if row["default"] else "",
                row["name"],
                f"{bytes_text(row['bytes']):>8}",
                _state_text(row),
                row["licence"],
                "commercial use" if row["commercial"] else "NOT for commercial use",
            )
            for row in rows
        ]
    )


def _state_text(row: dict[str, Any]) -> str:
    return (
        f"partial, {min(1, row['held_bytes'] / row['bytes']):.0%}" if row["state"] == "partial" else str(row["state"])
    )


def with_groups(names: Iterable[str]) -> list[str]:
    """Return the sets to download for names of sets or groups: a group's default ones. A name of both is both.

    Raises:
        ParameterError: neither has that name.
    """
    return _expanded(names, lambda name: [*_group(name, default_only=True), *_set(name)])


def one_by_one(names: Iterable[str]) -> list[str]:
    """Return the sets for names of sets or groups: all of a group. A name of both is the set.

    Raises:
        ParameterError: neither has that name.
    """
    return _expanded(names, lambda name: _set(name) or _group(name))


def _set(name: str) -> list[str]:
    from engines.weights_table import WEIGHTS

    return [entry.name for entry in WEIGHTS if entry.name == name]


def _group(name: str, *, default_only: bool = False) -> list[str]:
    from engines.weights_table import WEIGHTS

    return [entry.name for entry in WEIGHTS if entry.group == name and (entry.default or not default_only)]


def _expanded(names: Iterable[str], sets: Any) -> list[str]:
    from engines.weights_table import GROUPS, WEIGHTS
    from errors import ParameterError

    found: dict[str, None] = {}
    for name in names:
        if not sets(name):
            known = ", ".join(dict.fromkeys([*GROUPS, *(entry.name for entry in WEIGHTS)]))
            raise ParameterError(f"there are no weights named '{name}'; there are: {known}")
        found |= dict.fromkeys(sets(name))
    return list(found)
