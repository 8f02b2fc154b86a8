"""project.json: what a project file says of itself. Versioned and migrated as all our JSON is."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, Field

from errors import ProjectError
from json_store import JsonStore, Migration

SUFFIX = ".splazproject"
MANIFEST, STATE, META = "project.json", "session/state.json", "session/meta.json"
MIGRATIONS: dict[int, Migration] = {}
"""From each version of project.json to the next; see json_store."""

_LONGEST = 1 << 20
"""Characters of a text: marks of a track with many keys are long."""
_MOST_NUMBER = 2**53
_HASH = r"^[0-9a-f]{64}$"


class FileFacts(BaseModel):
    """A file by content."""

    size: int = Field(ge=0)
    sha256: str = Field(pattern=_HASH)


class SourceFacts(FileFacts):
    """The video."""

    name: str
    """What its user calls it."""
    inside: bool
    """Whether it is in the project file; otherwise it has to be given to the import."""


class WeightFacts(BaseModel):
    """Weights of an engine as they were on the machine that the project comes from."""

    name: str
    repository: str = ""
    revision: str = ""
    files: dict[str, str] = {}
    """{path: SHA-256}, as far as they are known."""
    verified: bool = False
    """Whether those hashes were compared when the weights were downloaded; not where somebody put the files there."""


class EngineFacts(BaseModel):
    """An engine that the session uses."""

    job: str
    name: str
    version: int
    params: dict[str, int | float | bool | str] = {}
    """All of them, defaults included."""
    licence: str
    commercial: bool
    """Whether its licence allows commercial use."""
    weights: list[WeightFacts] = []


class Manifest(BaseModel):
    """What a project file says of itself."""

    splazmatte: str
    """The version that made it."""
    kind: str
    """Of the session: matting or tracking."""
    name: str
    exported: datetime
    source: SourceFacts
    engines: list[EngineFacts]
    results: dict[str, bool] = {}
    """{format: whether it is a folder} of the deliverables that are inside."""
    members: dict[str, FileFacts]
    """Every other file of the project file."""


def quoted(text: str) -> str:
    """Return a text from a project file as a message may have it: short, in one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:80])


def wrong(what: str) -> ProjectError:
    """Return the error for what SplazMatte itself never writes."""
    return ProjectError(f"the project file is damaged, or was changed by hand: {what}")


def check_json(raw: bytes, name: str) -> None:
    """Look at every number and text of a JSON file before anything else reads it.

    Raises:
        ProjectError: it is none, or has numbers or texts that a session never has.
    """
    try:
        waiting = [json.loads(raw)]
    except (ValueError, RecursionError) as error:
        raise wrong(f"{name} cannot be read ({quoted(str(error))})") from None
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str):
            if len(item) > _LONGEST or any("\ud800" <= letter <= "\udfff" for letter in item):
                raise wrong(f"{name} has a text that no file can have")
        elif isinstance(item, int | float) and not -_MOST_NUMBER <= item <= _MOST_NUMBER:
            raise wrong(f"{name} has a number that is out of range")


def manifest_store() -> JsonStore[Manifest]:
    """Return what encodes and decodes manifests; it is no file of ours."""
    return JsonStore(Path(MANIFEST), Manifest, MIGRATIONS)
