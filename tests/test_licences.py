"""The licences' page names every dependency, and says what the installed packages say of themselves."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "THIRD_PARTY_LICENSES.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements() -> dict[str, list[str]]:
    groups = {"base": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    return {name: [re.split(r"[^\w.-]", line)[0] for line in lines] for name, lines in groups.items()}


def listed(group: str) -> dict[str, str]:
    """Package -> licence in the page's table of that group."""
    heading = {"base": "## Base:"}.get(group, f"## `{group}`:")
    section = PAGE.split(heading, 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|", section, re.M))


@pytest.mark.parametrize("group", requirements())
def test_every_dependency_is_listed_and_no_other(group: str) -> None:
    assert sorted(listed(group)) == sorted(requirements()[group])


def test_listed_licences_are_the_installed_ones() -> None:
    stated = {}
    for package in (name for names in requirements().values() for name in names):
        # the neural extra is not everywhere, and older metadata has no licence expression
        with suppress(importlib.metadata.PackageNotFoundError, KeyError):
            stated[package] = importlib.metadata.metadata(package)["License-Expression"]
    stated = {package: licence for package, licence in stated.items() if licence}
    page = {name: licence for group in requirements() for name, licence in listed(group).items()}
    assert {"av", "numpy", "pydantic"} <= stated.keys()
    assert {package: page[package] for package in stated} == stated


def test_own_licence_is_apache() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.strip().startswith("Apache License\n                           Version 2.0")
    assert "END OF TERMS AND CONDITIONS" in text
    assert PROJECT["license"] == "Apache-2.0"


def test_bundled_gpl_encoders_are_named() -> None:
    assert "x264 and x265 are under the GNU GPL" in PAGE
