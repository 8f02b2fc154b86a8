"""Command `models`: the table of engines."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.output import Debug, Json, show
from errors import ParameterError


def models(
    action: Annotated[str, typer.Argument(help="list or download.")] = "list",
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """List the engines with their parameters and licences, or download the weights that they need."""
    from engines.registry import ENGINES

    if action not in ("list", "download"):
        raise ParameterError(f"models {action}: there is 'list' and 'download'")
    if action == "download":
        needed = sorted({name for spec in ENGINES for name in spec.weights})
        show({"needed": needed}, "nothing to download: every engine of this version is built in")
        return
    rows = [_row(spec) for spec in ENGINES]
    show({"engines": rows}, lambda: "\n".join(_text(row) for row in rows))


def _row(spec: Any) -> dict[str, Any]:
    from engines.registry import missing_packages

    return {
        "name": spec.name,
        "job": spec.job.value,
        "title": spec.title,
        "help": spec.help,
        "licence": spec.licence.name,
        "commercial": spec.licence.commercial,
        "missing": missing_packages(spec),
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


def _text(row: dict[str, Any]) -> str:
    lines = [f"{row['job']:<11}{row['name']:<9}{row['licence']:<12}{row['help']}"]
    for param in row["params"]:
        limits = "|".join(param["choices"]) or (
            f"{param['minimum']:g}..{param['maximum']:g} {param['unit']}".strip()
            if param["minimum"] is not None
            else ""
        )
        lines.append(f"    {param['name']}={param['default']}  {limits}  {param['help']}")
    return "\n".join(lines)
