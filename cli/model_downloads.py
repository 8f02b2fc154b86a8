"""Command `models download`: terms are shown and accepted, then weights are fetched and checked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import output
from cli.options import stoppable
from cli.output import Debug, Json, note, show
from cli.text import bytes_text, table

if TYPE_CHECKING:
    from cli.bytes_bar import BytesBar
    from engines.weights_table import WeightSet


def download(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Sets or groups, as sam2.1-hiera-large; `models list` shows them."),
    ] = None,
    sam2: Annotated[
        bool, typer.Option("--sam2", help="SAM 2.1 base-plus and EdgeTAM, for machines without a GPU.")
    ] = False,
    sam3: Annotated[bool, typer.Option("--sam3", help="SAM 3: masks from words. Ask its authors for access.")] = False,
    matanyone: Annotated[
        bool, typer.Option("--matanyone", help="MatAnyone and MatAnyone 2. Not for commercial use.")
    ] = False,
    videomama: Annotated[bool, typer.Option("--videomama", help="VideoMaMa. Not for commercial use.")] = False,
    cotracker: Annotated[
        bool, typer.Option("--cotracker", help="CoTracker 3, online and offline. Not for commercial use.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every set that there is.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read what is there already, and fetch anew what is damaged.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept-licence", "--yes", help="Accept the terms that are shown; for scripts.")
    ] = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Download weights of neural engines; what was cut off goes on where it was.

    A switch takes what its engines need by default; further sets are named, as in: models download sam2.1-hiera-large
    """
    from cli.bytes_bar import BytesBar
    from cli.model_rows import weights_rows, with_groups
    from engines import weights
    from engines.download import check_room
    from engines.weights_table import WEIGHTS

    switches = {"sam2": sam2, "sam3": sam3, "matanyone": matanyone, "videomama": videomama, "cotracker": cotracker}
    chosen = with_groups([*(names or []), *(name for name, wanted in switches.items() if wanted)])
    if everything:
        chosen = [entry.name for entry in WEIGHTS]
    if not chosen:
        _nothing_chosen()
    entries = [weights.get_set(name) for name in chosen]
    missing = [entry for entry in entries if weights.state(entry.name) != "ready"]
    _accept(missing, accept=accept)
    check_room(missing)
    with stoppable("stopping; once more to stop at once") as asked, BytesBar() as bar:
        for entry in entries:
            _fetch(entry, bar, asked, verify=verify)
    rows = weights_rows(chosen)
    show({"weights": rows}, lambda: table([(row["name"], row["state"], row["path"]) for row in rows]))


def _nothing_chosen() -> None:
    """Show what there is, and say that something has to be chosen.

    Raises:
        BadParameter: always.
    """
    from cli.model_rows import weights_rows, weights_text

    if not output.flags.json:
        print(weights_text(weights_rows()))
    raise typer.BadParameter("choose weights: name them, or give a switch as --sam2, or --all", param_hint="NAME")


def _accept(entries: list[WeightSet], *, accept: bool) -> None:
    """Show the terms that are not accepted yet, once each, and ask.

    Raises:
        EngineUnavailableError: there is nobody to ask.
        Abort: the user does not accept them.
    """
    from engines import weights
    from errors import EngineUnavailableError

    asked: dict[str, list[WeightSet]] = {}
    for entry in entries:
        if not weights.accepted(entry.name):
            asked.setdefault(entry.licence, []).append(entry)
    if asked and not accept and not (sys.stdin and sys.stdin.isatty()):
        names = ", ".join(entry.name for group in asked.values() for entry in group)
        terms = "; ".join(f"{licence}: {group[0].terms}" for licence, group in asked.items())
        raise EngineUnavailableError(f"{names} cannot be downloaded before you accept: {terms} Add --accept-licence")
    for licence, group in asked.items():
        note(f"{', '.join(entry.title for entry in group)}: {licence}. {group[0].terms}")
        note("".join(f"  read it at {page}\n" for page in dict.fromkeys(entry.page for entry in group)).rstrip())
        if not accept and not typer.confirm("Do you accept these terms?", err=True):
            raise typer.Abort
        for entry in group:
            weights.accept(entry.name)


def _fetch(entry: WeightSet, bar: BytesBar, asked: Any, *, verify: bool) -> None:
    """Fetch a set; with `verify`, what is there and damaged too."""
    from engines import weights
    from engines.download import download as fetch

    if verify and weights.state(entry.name) == "ready":
        bar.begin(f"{entry.name} (reading)")
        for path in weights.damaged(entry.name, bar):
            note(f"{path} is damaged and is fetched anew")
            path.unlink()
    if weights.state(entry.name) != "ready":
        if not sys.stderr.isatty():
            note(f"fetching {entry.name} ({bytes_text(entry.size)})")
        bar.begin(entry.name)
        fetch(entry.name, bar, asked)
