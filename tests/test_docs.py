"""The documents say what the code says: recipes, commands, engines, formats, settings, errors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

import run
from cli.output import EXIT_CODES
from config import Settings, env_example, shown, variable
from engines.registry import ENGINES
from errors import SplazMatteError
from pages.texts.chinese import CHINESE
from pipeline.formats import FORMATS
from tracking_export import TRACK_FORMATS

ROOT = Path(__file__).resolve().parent.parent
GUIDES = {
    "README.md": {},
    "README.zh.md": {
        "Recipes": "快捷命令", "Commands": "命令", "Engines": "引擎", "Formats": "格式", "Settings": "设置",
    },
}  # fmt: skip
"""The guides, with the headings of those that are not English."""
DOCUMENTS = [ROOT / name for name in (*GUIDES, "CONTRIBUTING.md")] + sorted((ROOT / "docs").glob("*.md"))
guides = pytest.mark.parametrize("guide", GUIDES)


def rows(guide: str, heading: str) -> list[list[str]]:
    """Return the cells of the rows that begin with code, of the tables under a heading of a guide."""
    found = GUIDES[guide].get(heading, heading)
    section = (ROOT / guide).read_text(encoding="utf-8").split(f"\n## {found}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def table(guide: str, heading: str) -> dict[str, list[str]]:
    """Return {first cell's first word: the other cells} of those rows."""
    return {cells[0].strip("`").split()[0]: cells[1:] for cells in rows(guide, heading)}


def recipes() -> dict[str, str]:
    """Return {recipe: body} of the justfile's public recipes."""
    text = (ROOT / "justfile").read_text()
    found = re.findall(r"^([a-z][a-z-]*)(?: [^:=\n]*)?:[^=\n]*\n((?:    .*\n?)+)", text, re.MULTILINE)
    return {name: body for name, body in found if name != "default"}


@guides
def test_guides_have_every_recipe(guide: str) -> None:
    assert set(table(guide, "Recipes")) == set(recipes())


def test_recipes_are_those_that_users_know() -> None:
    assert set(recipes()) >= {
        "setup", "install-deps", "app", "app-port", "download-models", "list", "run", "run-queue", "device", "check",
        "test", "bench", "demo", "clean", "clean-logs", "version",
    }  # fmt: skip


def commands() -> set[str]:
    """Return the names of the commands, and of the groups of commands."""
    groups = {str(group.name) for group in run.app.registered_groups}
    return groups | {str(command.name) for command in run.app.registered_commands}


@guides
def test_guides_have_every_command(guide: str) -> None:
    documented = table(guide, "Commands")
    assert set(documented) == commands()
    for group in run.app.registered_groups:
        assert group.typer_instance is not None
        members = group.typer_instance.registered_commands
        names = {command.name or getattr(command.callback, "__name__", "") for command in members}
        assert names <= set(re.findall(r"`([a-z-]+)`", documented[str(group.name)][0]))


def test_recipes_call_commands_that_exist() -> None:
    called = {match for body in recipes().values() for match in re.findall(r"run\.py ([a-z-]+)", body)}
    assert called and called - {"--version"} <= commands()


def test_guides_have_the_exit_codes() -> None:
    assert " ".join(EXIT_CODES.split()) in " ".join((ROOT / "README.md").read_text().split())
    documented = {int(code) for code in re.findall(r"(?:^|·\s+)(\d+) ", EXIT_CODES)}
    chinese = re.search(r"^退出码：(.*)$", (ROOT / "README.zh.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert chinese and {int(code) for code in re.findall(r"(?:^|· )(\d+) ", chinese[1])} == documented

    def codes(kind: type[SplazMatteError]) -> set[int]:
        return {kind.exit_code}.union(*(codes(child) for child in kind.__subclasses__()))

    assert codes(SplazMatteError) <= documented


def test_the_error_tree_is_drawn_whole() -> None:
    drawing = (ROOT / "errors.py").read_text().split('"""', 2)[1]

    def names(kind: type[SplazMatteError]) -> set[str]:
        return {kind.__name__}.union(*(names(child) for child in kind.__subclasses__()))

    assert names(SplazMatteError) == set(re.findall(r"\b([A-Z]\w*Error|Cancelled)\b", drawing))


@guides
def test_guides_have_every_engine_with_its_parameters(guide: str) -> None:
    found = rows(guide, "Engines")
    assert [(cells[0].strip("`"), cells[1]) for cells in found] == [(spec.name, spec.job.value) for spec in ENGINES]
    for spec, (_, _, params, licence) in zip(ENGINES, found, strict=True):
        assert licence == spec.licence.name
        assert re.findall(r"`(\w+)=([^`]*)`", params) == [(p.name, str(p.default)) for p in spec.params]


@guides
def test_guides_have_every_format(guide: str) -> None:
    files = {name: cells[0].strip("`/") for name, cells in table(guide, "Formats").items()}
    assert files == {spec.name: spec.file_name for spec in FORMATS.values()}


@guides
def test_guides_have_every_setting_with_its_default_and_what_it_does(guide: str) -> None:
    says = (lambda text: text) if guide == "README.md" else CHINESE.__getitem__
    fields = Settings.model_fields.items()
    assert [(cells[0], cells[1]) for cells in rows(guide, "Settings")] == [
        (f"`{variable(name)}`", f"`{shown(field.default)}`" if shown(field.default) else "") for name, field in fields
    ]
    assert [cells[2] for cells in rows(guide, "Settings")] == [says(str(field.description)) for _, field in fields]


def test_guides_are_alike() -> None:
    """Both have the same sections, pictures and blocks of commands, as far as these are not words."""
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in GUIDES)
    for pattern in (r"^#+ ", r"^!\[", r"^```", r"^\| `"):
        assert len(re.findall(pattern, english, re.M)) == len(re.findall(pattern, chinese, re.M)), pattern


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_only_commands_recipes_and_settings_that_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert set(re.findall(r"\brun\.py ([a-z][a-z-]*)", text)) <= commands() | {"serve"}
    ran = re.findall(r"(?:^|`|&& )(?:\./start\.sh|start\.bat|just) ([a-z][a-z-]*)", text, re.MULTILINE)
    assert set(ran) <= set(recipes())
    named = set(re.findall(r"SPLAZMATTE_([A-Z0-9_]*[A-Z0-9])\b", text))
    assert {name.lower() for name in named} <= {*Settings.model_fields, "r2", "oss"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_options_in_documents_exist(document: Path) -> None:
    """Every --option of a `run.py COMMAND …` in a block of commands is one of that command's."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S)
    for line in "\n".join(blocks).splitlines():
        match = re.search(r"run\.py ([a-z][a-z-]*)(?: ([a-z]+))?(.*?)(?:  +#.*|\|.*)?$", line)
        if match:
            known = options(match[1], match[2] or "")
            assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", match[3])) <= known, line


def options(command: str, member: str) -> set[str]:
    """Return the options of a command, or of a member of a group of commands."""
    found: Any = typer.main.get_command(run.app).commands[command]  # type: ignore[attr-defined]
    found = getattr(found, "commands", {}).get(member, found)
    return {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


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
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (document.parent / link).exists(), f"{document.name}: {link}"
        own = {anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
        assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= own, document.name


def anchor(heading: str) -> str:
    """Return the anchor that a heading gets on the pages of code hosts."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
