"""Fetch the authors' sources that some engines import into `sdks/`, each at one commit; a no-op when they are there.

Standard library only. Nothing here is a failure: without git or a network the other engines work, and `just setup`
tries again. They are not part of SplazMatte: their licences forbid commercial use.

    python scripts/sdks.py            try once; after a failure stay silent until the next --retry
    python scripts/sdks.py --retry    try again
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTING = "SPLAZMATTE_SDKS_DIR"
START = "start.bat" if os.name == "nt" else "./start.sh"
STAMP = ".tried"
ASK_SECONDS = 30
"""To find out whether the server can be reached at all."""
FETCH_SECONDS = 1800
SLOW = ("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=20")
"""A transfer that slower than this (bytes a second, seconds) has stalled."""

ELSEWHERE = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX"}
"""Variables that would send git to another repository than the folder's."""


@dataclass(frozen=True)
class Source:
    """A repository and the commit that the engines were proved with."""

    name: str
    """Folder below `sdks/`."""
    title: str
    url: str
    commit: str
    licence: str


SOURCES = (
    Source(
        "matanyone",
        "MatAnyone",
        "https://github.com/pq-yang/MatAnyone",
        "e5ddc534c1fff9bb9e54cf476095d29071b7cb4f",
        "S-Lab License 1.0",
    ),
    Source(
        "co-tracker",
        "CoTracker",
        "https://github.com/facebookresearch/co-tracker",
        "82e02e8029753ad4ef13cf06be7f4fc5facdda4d",
        "CC-BY-NC 4.0",
    ),
)


class CannotFetchError(Exception):
    """Why a source is not there, in a few words."""


class NoServerError(CannotFetchError):
    """The same, and the other sources will fare no better."""


def main() -> int:
    """Run the command line; return 0."""
    fetch_all(retry="--retry" in sys.argv[1:])
    return 0


def fetch_all(*, retry: bool) -> None:
    """Fetch what is missing, or what is at another commit than ours.

    Args:
        retry: try again what has failed before.
    """
    folder = sdks_folder()
    stamp = folder / STAMP
    wanted = [source for source in SOURCES if not is_there(folder / source.name, source)]
    if not wanted or (not retry and stamp.is_file() and stamp.read_text() == digest(wanted)):
        return
    failed: list[Source] = []
    reason = ""
    for source in wanted:
        try:
            fetch(folder / source.name, source)
        except NoServerError as error:
            failed, reason = [*failed, *wanted[wanted.index(source) :]], str(error)
            break
        except (CannotFetchError, OSError) as error:
            failed, reason = [*failed, source], str(error)
    if failed:
        titles = " and ".join(each.title for each in failed)
        say(f"the sources of {titles} are not there ({reason}); to try again: {START} setup")
    remember(stamp, failed)


def sdks_folder() -> Path:
    """Return the folder of the sources: from the environment, else from `.env`, else `sdks/`."""
    if value := os.environ.get(SETTING):
        return Path(value)
    try:
        lines = (ROOT / ".env").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.removeprefix("export ").partition("=")
        if name.strip().upper() == SETTING and value.strip():
            return Path(value.strip().strip("'\""))
    return ROOT / "sdks"


def is_there(place: Path, source: Source) -> bool:
    """Tell whether a folder holds that commit, or sources that somebody put there without git."""
    if not (place / ".git").exists():
        return place.is_dir() and any(place.iterdir())
    return head(place / ".git") == source.commit


def head(git: Path) -> str:
    """Return the commit that a repository is at, without starting git; empty where it is at none."""
    try:
        text = (git / "HEAD").read_text().strip()
        if not text.startswith("ref: "):
            return text
        name = text.removeprefix("ref: ")
        if (git / name).is_file():
            return (git / name).read_text().strip()
        packed = [line.split(" ") for line in (git / "packed-refs").read_text().splitlines()]
        return next((line[0] for line in packed if line[-1] == name), "")
    except OSError:
        return ""


def fetch(place: Path, source: Source) -> None:
    """Bring a folder to the source's commit.

    Raises:
        CannotFetchError: no git, no network, no such commit, or changes of the user's own in the folder.
        OSError: the folder cannot be written.
    """
    if shutil.which("git") is None:
        raise NoServerError("git is not installed")
    say(f"fetching the sources of {source.title} ({source.licence}: not for commercial use) into {place}")
    try:
        git(place.parent, "ls-remote", source.url, "HEAD", seconds=ASK_SECONDS)
    except CannotFetchError as error:
        raise NoServerError(str(error)) from None
    if (place / ".git").exists():
        if git(place, "status", "--porcelain").strip():
            raise CannotFetchError(f"{place} has changes of your own at another commit; move it away")
        check_out(place, source)
        return
    # Whole or not at all, whatever ends this program.
    partial = place.with_name(f".{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        git(partial, "init", "--quiet", "--template=")
        check_out(partial, source)
        if place.exists():
            place.rmdir()  # it is empty
        partial.rename(place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_out(place: Path, source: Source) -> None:
    """Fetch the one commit into a repository and go to it."""
    git(place, "fetch", "--quiet", "--depth", "1", source.url, source.commit, seconds=FETCH_SECONDS)
    git(place, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", source.commit)


def git(place: Path, *arguments: str, seconds: float = 120) -> str:
    """Run git in a folder and return what it prints; it never asks for anything.

    Raises:
        CannotFetchError: it failed, or took too long.
    """
    place.mkdir(parents=True, exist_ok=True)
    # A hook of git's own, or a folder that is no repository after all, must not lead to the repository around it.
    rest = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    quiet = {**rest, "GIT_TERMINAL_PROMPT": "0", "GCM_INTERACTIVE": "never", "LC_ALL": "C"}
    quiet["GIT_CEILING_DIRECTORIES"] = str(place.resolve().parent)
    command = ["git", *SLOW, "-c", "init.defaultBranch=main", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=place,
            env=quiet,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise CannotFetchError(f"no answer within {seconds:g} s") from None
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.startswith(("fatal: ", "error: "))]
        raise CannotFetchError((lines or [f"git {arguments[0]} failed"])[0].partition(": ")[2] or lines[0]) from None
    return done.stdout


def remember(stamp: Path, failed: list[Source]) -> None:
    """Note what could not be fetched, so that only a --retry tries it again; best effort."""
    try:
        if failed:
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.write_text(digest(failed))
        else:
            stamp.unlink(missing_ok=True)
    except OSError as error:
        say(f"{stamp} cannot be written ({error.strerror}): this is tried again every time")


def digest(sources: list[Source]) -> str:
    """Return what stands for sources at their commits."""
    return hashlib.sha256(repr(sources).encode()).hexdigest()


def say(text: str) -> None:
    """Tell the user, on one line."""
    print(f"set-up: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
