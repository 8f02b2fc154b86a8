"""The documents say what the code says: recipes, commands, engines, formats, settings, errors."""

from __future__ import annotations

import re
from pathlib import Path

import run
from cli.output import EXIT_CODES
from config import env_example
from engines.registry import ENGINES
from errors import SplazMatteError
from pipeline.formats import FORMATS
from tracking_export import TRACK_FORMATS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
NOT_COMMANDS = {"scripts/setup.py", "-m"}


def table(heading: str) -> dict[str, list[str]]:
    """Return {first cell's first word: the other cells} of the table under a heading of README."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {cells[0].strip("`").split()[0]: cells[1:] for cells in rows}


def recipes() -> dict[str, str]:
    """Return {recipe: body} of the justfile's public recipes."""
    text = (ROOT / "justfile").read_text()
    found = re.findall(r"^([a-z][a-z-]*)(?: [^:=\n]*)?:[^=\n]*\n((?:    .*\n?)+)", text, re.MULTILINE)
    return {name: body for name, body in found if name != "default"}


def test_readme_has_every_recipe() -> None:
    assert set(table("Recipes")) == set(recipes())


def test_recipes_are_those_that_users_know() -> None:
    assert set(recipes()) >= {
        "setup", "install-deps", "app", "app-port", "download-models", "list", "run", "run-queue", "device", "check",
        "test", "bench", "demo", "clean", "clean-logs", "version",
    }  # fmt: skip


def commands() -> set[str]:
    """Return the names of the commands, and of the groups of commands."""
    groups = {str(group.name) for group in run.app.registered_groups}
    return groups | {str(command.name) for command in run.app.registered_commands}


def test_readme_has_every_command() -> None:
    rows = table("Commands")
    assert set(rows) == commands()
    for group in run.app.registered_groups:
        assert group.typer_instance is not None
        members = group.typer_instance.registered_commands
        names = {command.name or getattr(command.callback, "__name__", "") for command in members}
        assert names <= set(re.findall(r"`([a-z-]+)`", rows[str(group.name)][0]))


def test_recipes_call_commands_that_exist() -> None:
    called = {match for body in recipes().values() for match in re.findall(r"run\.py ([a-z-]+)", body)}
    assert called and called - {"--version"} <= commands()


def test_readme_has_the_exit_codes() -> None:
    assert " ".join(EXIT_CODES.split()) in " ".join(README.split())
    documented = {int(code) for code in re.findall(r"(?:^|·\s+)(\d+) ", EXIT_CODES)}

    def codes(kind: type[SplazMatteError]) -> set[int]:
        return {kind.exit_code}.union(*(codes(child) for child in kind.__subclasses__()))

    assert codes(SplazMatteError) <= documented


def test_the_error_tree_is_drawn_whole() -> None:
    drawing = (ROOT / "errors.py").read_text().split('"""', 2)[1]

    def names(kind: type[SplazMatteError]) -> set[str]:
        return {kind.__name__}.union(*(names(child) for child in kind.__subclasses__()))

    assert names(SplazMatteError) == set(re.findall(r"\b([A-Z]\w*Error|Cancelled)\b", drawing))


def test_readme_has_every_engine_with_its_parameters() -> None:
    section = README.split("\n## Engines\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    assert [(cells[0].strip("`"), cells[1]) for cells in rows] == [(spec.name, spec.job.value) for spec in ENGINES]
    for spec, (_, _, params, licence) in zip(ENGINES, rows, strict=True):
        assert licence == spec.licence.name
        assert re.findall(r"`(\w+)=([^`]*)`", params) == [(p.name, str(p.default)) for p in spec.params]


def test_readme_has_every_format() -> None:
    files = {name: cells[0].strip("`/") for name, cells in table("Formats").items()}
    assert files == {spec.name: spec.file_name for spec in FORMATS.values()}


def test_tracking_page_has_every_track_format() -> None:
    page = (ROOT / "docs" / "tracking.md").read_text()
    section = page.split("\n## Formats\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    assert {cells[0].strip("`"): cells[1].strip("`") for cells in rows} == {
        row.name: row.file_name for row in TRACK_FORMATS.values()
    }
    able = re.search(r"Corner pins and similarities go into (.*?);", section)
    assert able and set(re.findall(r"`([a-z-]+)`", able[1])) == {
        row.name for row in TRACK_FORMATS.values() if row.corner_pin and row.similarity
    }
    drawn = {cells[0].strip("`") for cells in rows if "a line is drawn across" in cells[4]}
    assert drawn == {row.name for row in TRACK_FORMATS.values() if not row.gaps}


def test_env_example_is_made_from_the_settings() -> None:
    assert (ROOT / ".env.example").read_text() == env_example()


def test_nothing_names_a_package_index() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock and "--index" not in lock


def test_links_in_documents_lead_somewhere() -> None:
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / link).exists(), f"{document.name}: {link}"
