"""The authors' sources: fetched whole at their commits, once; what goes wrong is a line, never a failure."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None, reason="git is not installed")


def git(place: Path, *arguments: str) -> str:
    names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    done = subprocess.run(
        ["git", *arguments], cwd=place, capture_output=True, text=True, check=True, env={**os.environ, **names}
    )
    return done.stdout.strip()


def pins() -> list[tuple[str, str, str]]:
    """Return name, address and commit of each source."""
    sources = runpy.run_path(str(ROOT / "scripts" / "sdks.py"))["SOURCES"]
    return [(source.name, source.url, source.commit) for source in sources]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a repository of three commits, and the one in the middle: neither the newest, nor one with a name."""
    place = tmp_path_factory.mktemp("origin")
    git(place, "init", "--quiet", "-b", "main")
    for number in range(3):
        (place / "code.py").write_text(f"version = {number}\n")
        git(place, "add", ".")
        git(place, "commit", "--quiet", "-m", str(number))
    return place, git(place, "rev-parse", "HEAD~1")


class Bench:
    """A copy of the script whose sources are copies of a local repository, reached at the real addresses.

    Args:
        place: an empty folder.
        origin: the repository and the commit to fetch.
    """

    def __init__(self, place: Path, origin: tuple[Path, str]) -> None:
        self.sdks = place / "somewhere" / "sdks"
        self.origins: dict[str, Path] = {}
        text = (ROOT / "scripts" / "sdks.py").read_text()
        rules = [("protocol.file.allow", "always")]
        for name, url, commit in pins():
            self.origins[name] = place / "origins" / name
            shutil.copytree(origin[0], self.origins[name])
            text = text.replace(commit, origin[1])
            rules.append((f"url.{self.origins[name].as_uri()}.insteadOf", url))
        self.environment = {**os.environ, "SPLAZMATTE_SDKS_DIR": str(self.sdks), "GIT_CONFIG_COUNT": str(len(rules))}
        for number, (key, value) in enumerate(rules):
            self.environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        self.script = place / "project" / "scripts" / "sdks.py"
        self.script.parent.mkdir(parents=True)
        self.script.write_text(text)

    def run(self, *arguments: str, **environment: str) -> str:
        """Run the script; return the lines that it says. It never fails."""
        done = subprocess.run(
            [sys.executable, self.script, *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, ""), done
        return done.stderr

    def versions(self) -> list[str]:
        """Return what code is there."""
        return [path.read_text() for name in self.origins if (path := self.sdks / name / "code.py").exists()]


@pytest.fixture
def bench(tmp_path: Path, origin: tuple[Path, str]) -> Bench:
    return Bench(tmp_path, origin)


def test_sources_are_fetched_at_their_commits_and_once(bench: Bench) -> None:
    said = bench.run()
    assert bench.versions() == ["version = 1\n"] * 2
    assert said.count("\n") == 2 and said.count("not for commercial use") == 2
    assert git(bench.sdks / "matanyone", "rev-list", "--count", "HEAD") == "1", "it has the history, too"
    before = {path: path.stat().st_mtime_ns for path in bench.sdks.rglob("*")}
    begin = time.perf_counter()
    assert bench.run(PATH="") == "", "git is not needed to see that all is there"
    assert bench.run("--retry") == ""
    assert time.perf_counter() - begin < 2
    assert before == {path: path.stat().st_mtime_ns for path in bench.sdks.rglob("*")}


def test_without_network_it_says_one_line_and_tries_again_only_when_asked(bench: Bench) -> None:
    gone = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.proxy", "GIT_CONFIG_VALUE_0": "http://127.0.0.1:1"}
    lines = bench.run(**gone).splitlines()
    assert len(lines) == 2 and "MatAnyone and CoTracker are not there" in lines[1] and "./start.sh setup" in lines[1]
    assert bench.run() == "" and bench.versions() == []
    assert "./start.sh setup" in bench.run("--retry", **gone) and bench.run() == ""
    assert "./start.sh setup" not in bench.run("--retry") and len(bench.versions()) == 2
    assert not (bench.sdks / ".tried").exists() and sorted(p.name for p in bench.sdks.iterdir()) == sorted(
        bench.origins
    )


def test_without_git_it_says_so(bench: Bench) -> None:
    said = bench.run(PATH="")
    assert said.count("\n") == 1 and "git is not installed" in said and "./start.sh setup" in said
    assert bench.run(PATH="") == "" and bench.run() == ""


def test_one_repository_that_is_gone_does_not_keep_the_other_away(bench: Bench) -> None:
    shutil.rmtree(bench.origins["matanyone"] / ".git")
    git(bench.origins["matanyone"], "init", "--quiet")
    git(bench.origins["matanyone"], "commit", "--quiet", "--allow-empty", "-m", "another history")
    said = bench.run()
    assert "the sources of MatAnyone are not there" in said.splitlines()[-1]
    assert bench.versions() == ["version = 1\n"] and bench.run() == ""


def test_another_commit_is_moved_to_ours_unless_there_are_changes(bench: Bench) -> None:
    bench.run()
    place = bench.sdks / "matanyone"
    git(place, "fetch", "--quiet", str(bench.origins["matanyone"]), "main")
    git(place, "checkout", "--quiet", "-b", "mine", "FETCH_HEAD")
    (place / "code.py").write_text("mine\n")
    assert "changes of your own" in bench.run("--retry") and (place / "code.py").read_text() == "mine\n"
    assert bench.run() == ""
    git(place, "checkout", "--quiet", "code.py")
    assert bench.versions()[0] == "version = 2\n"
    assert "./start.sh setup" not in bench.run("--retry") and bench.versions()[0] == "version = 1\n"
    assert git(place, "rev-parse", "--verify", "mine"), "a branch of the user's was lost"


def test_sources_without_git_are_left_alone(bench: Bench) -> None:
    for name in bench.origins:
        (bench.sdks / name).mkdir(parents=True)
        (bench.sdks / name / "code.py").write_text("by hand\n")
    assert bench.run("--retry") == "" and bench.versions() == ["by hand\n"] * 2


def test_an_empty_folder_or_a_broken_repository_never_leads_to_the_one_around_it(bench: Bench) -> None:
    bench.sdks.mkdir(parents=True)
    git(bench.sdks, "init", "--quiet")
    (bench.sdks / "matanyone").mkdir()
    (bench.sdks / "co-tracker" / ".git").mkdir(parents=True)
    said = bench.run(GIT_DIR=str(bench.sdks / ".git"), GIT_WORK_TREE=str(bench.sdks))
    assert "CoTracker are not there" in said and bench.versions() == ["version = 1\n"]
    assert not (bench.sdks / "code.py").exists()
    assert git(bench.sdks, "rev-list", "--all") == ""


def test_what_a_killed_run_left_is_made_anew(bench: Bench) -> None:
    left = bench.sdks / ".matanyone.partial"
    left.mkdir(parents=True)
    (left / "half").write_text("")
    bench.run()
    assert len(bench.versions()) == 2 and not left.exists() and not (bench.sdks / "matanyone" / "half").exists()


def test_a_folder_that_cannot_be_written_is_said(bench: Bench) -> None:
    bench.sdks.parent.mkdir()
    bench.sdks.write_text("a file")
    assert "./start.sh setup" in bench.run().splitlines()[-2]


@pytest.mark.parametrize(
    "line", ["SPLAZMATTE_SDKS_DIR={}", 'export SPLAZMATTE_SDKS_DIR="{}"', "splazmatte_sdks_dir={} "]
)
def test_the_folder_may_be_set_in_the_env_file(bench: Bench, line: str, tmp_path: Path) -> None:
    bench.environment.pop("SPLAZMATTE_SDKS_DIR")
    bench.sdks = tmp_path / "from file"
    (bench.script.parent.parent / ".env").write_text(f"# x\nSPLAZMATTE_PORT=1\n{line.format(bench.sdks)}\n")
    bench.run()
    assert len(bench.versions()) == 2


def test_engines_find_their_sources_under_these_names() -> None:
    from engines.registry import ENGINES

    assert {name for spec in ENGINES for name in spec.sources} <= {name for name, _, _ in pins()}
    assert all(len(commit) == 40 for _, _, commit in pins())
