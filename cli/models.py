"""Commands `models …`: the engines, and the weights that the neural ones need."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.model_downloads import download
from cli.output import Debug, Json, note, show
from cli.sessions import Yes, confirm
from cli.text import bytes_text, table
from machine import RECIPES

app = typer.Typer(
    help="Engines with their parameters and licences, and the weights of the neural ones; alone it lists them.",
    invoke_without_command=True,
)
app.command("download")(download)
Names = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="Sets or groups of weights; `models list` shows them.")
]


@app.callback()
def models(context: typer.Context, json_output: Json = False, debug: Debug = False) -> None:
    """List what there is where no command is named."""
    if context.invoked_subcommand is None:
        list_models()


@app.command("list")
def list_models(json_output: Json = False, debug: Debug = False) -> None:
    """List the engines, whether they can run here, their parameters and licences, and the weights with their state."""
    from cli.model_rows import engine_rows, engines_text, weights_rows, weights_text

    engines, weights = engine_rows(), weights_rows()
    show(
        {"engines": engines, "weights": weights},
        lambda: f"{engines_text(engines)}\n\nWeights (models download NAME):\n{weights_text(weights)}",
    )


@app.command()
def verify(names: Names = None, json_output: Json = False, debug: Debug = False) -> None:
    """Read weights and compare them with what was downloaded; all that are there if none is named."""
    from cli.bytes_bar import BytesBar
    from cli.model_rows import one_by_one
    from engines import weights
    from engines.weights_table import WEIGHTS
    from errors import EngineFailedError

    chosen = one_by_one(names) if names else [entry.name for entry in WEIGHTS if weights.state(entry.name) == "ready"]
    rows, damaged = [], []
    with BytesBar() as bar:
        for name in chosen:
            bar.begin(name)
            for path in weights.damaged(name, bar):
                note(f"{path} is damaged")
                damaged.append(name)
            rows.append({"name": name, "state": "whole" if weights.is_known(name) else "unknown"})
    if damaged:
        which = " ".join(dict.fromkeys(damaged))
        raise EngineFailedError(
            f"files have changed since the download; run: {RECIPES} download-models {which} --verify"
        )
    texts = {"whole": "whole", "unknown": "put there by hand: nothing to compare it with"}
    show({"weights": rows}, lambda: table([(row["name"], texts[row["state"]]) for row in rows]) or "no weights yet")


@app.command()
def remove(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME", help="Sets or groups of weights; `models list` shows them."),
    ],
    yes: Yes = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Remove weights from the disk; shows their size and asks first."""
    from cli.model_rows import one_by_one
    from engines import weights

    sizes = {name: weights.held_bytes(name) for name in one_by_one(names) if weights.state(name) != "missing"}
    total = bytes_text(sum(sizes.values()))
    if sizes:
        note(table([(name, bytes_text(size), str(weights.folder(name))) for name, size in sizes.items()]))
        confirm(f"Remove {', '.join(sizes)} ({total})?", yes=yes)
    freed = {name: weights.remove(name) for name in sizes}
    rows = [{"name": name, "bytes": size} for name, size in freed.items()]
    text = f"removed {', '.join(freed)} ({bytes_text(sum(freed.values()))})" if freed else "none of these is there"
    show({"removed": rows, "bytes": sum(freed.values())}, text)
