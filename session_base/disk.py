"""What sessions of all kinds take on the disk, and what writers that were killed have left there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from atomic import PARTIAL
from json_store import SET_ASIDE


def tree_bytes(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 where there is none."""
    if path.is_dir() and not path.is_symlink():
        return sum(size for _, size in files(path, ()))
    with suppress(FileNotFoundError):
        return path.lstat().st_size
    return 0


def files(folder: Path | str, parts: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield (names from the first folder down, bytes) of every file; what vanishes meanwhile is left out."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.is_dir(follow_symlinks=False):
                    yield from files(entry.path, (*parts, entry.name))
                else:
                    yield (*parts, entry.name), entry.stat(follow_symlinks=False).st_size


def sizes(found: dict[str, list[Path]]) -> dict[str, int]:
    """Return {part: bytes} of what `removable` has found."""
    return {part: sum(map(tree_bytes, paths)) for part, paths in found.items()}


def set_aside(folder: Path) -> list[Path]:
    """Return the unreadable files that were set aside in `folder`: they are for a person to look at."""
    return sorted(folder.glob(f"*{SET_ASIDE}*"))


def leftovers(folder: Path) -> Iterator[Path]:
    """Yield what killed writers had begun; a deliverable that was being replaced, and has not been, is not among it."""
    with os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if entry.name.endswith(PARTIAL):
                replaced = entry.name.removesuffix(f".old{PARTIAL}")
                if replaced == entry.name or (folder / replaced).exists():
                    yield path
            elif entry.is_dir(follow_symlinks=False):
                yield from leftovers(path)


def clip_length(folder: Path) -> int:
    """Return the number of frames that the runner has noted in meta.json; 0 where it cannot be told."""
    try:
        return int(json.loads((folder / "meta.json").read_bytes())["frames"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
