"""A workspace that cannot be one: each command says so in one line that names the setting, with exit code 6."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import app
from config import get_settings
from errors import StorageError, storage_errors
from pages.texts.messages import in_chinese
from tests.conftest import Answer

Cli = Callable[..., Answer]
ID = "20000101-000000-aaaaaa"
IN_THE_WAY = "is in the way of a folder; remove it or set SPLAZMATTE_WORKSPACE"


@pytest.fixture(params=["a file", "below a file", "a long name"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli) -> Iterator[str]:
    """Set a workspace that cannot be made; return what is said of it."""
    (tmp_path / "file").write_text("mine")
    path, said = {
        "a file": (tmp_path / "file", f"{tmp_path / 'file'} {IN_THE_WAY}"),
        "below a file": (tmp_path / "file" / "a" / "b", f"{tmp_path / 'file'} {IN_THE_WAY}"),
        "a long name": (tmp_path / ("a" * 300), "the name is too long; set SPLAZMATTE_WORKSPACE to another place"),
    }[request.param]
    monkeypatch.setenv("SPLAZMATTE_WORKSPACE", str(path))
    get_settings.cache_clear()
    yield said
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("command", [
    ["list"], ["matte", "CLIP", "--points", "0:+30,30"], ["track", "CLIP", "--points", "0:30,30"], ["run", ID],
    ["run-queue"], ["queue", "list"], ["queue", "add", ID], ["clean", "--yes"], ["clean", "--logs"],
    ["session", "clean", "--yes"], ["session", "delete", ID, "--yes"], ["bundle", ID], ["estimate", ID],
], ids=lambda command: " ".join(command[:2]))  # fmt: skip
def test_every_command_says_so(cli: Cli, place: str, small_clip: Path, command: list[str]) -> None:
    answer = cli(*[str(small_clip) if word == "CLIP" else word for word in command])
    assert answer.code == 6
    (line,) = answer.err.splitlines()
    assert line.startswith("error: ")
    assert line.endswith(place)


def test_doctor_lists_it(cli: Cli, place: str) -> None:
    answer = cli("doctor", "--json")
    assert answer.code == 0
    assert any(problem.endswith(place) for problem in answer.json["problems"])


def test_the_web_app_says_so(place: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["app.py", "--port", "0", "--no-browser"])
    assert app.main() == 6
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert line.endswith(place)


def test_links_that_go_in_a_circle(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        try:
            (tmp_path / name).symlink_to(tmp_path / other)
        except OSError:
            pytest.skip("this system makes no links")
    monkeypatch.setenv("SPLAZMATTE_WORKSPACE", str(tmp_path / "a"))
    get_settings.cache_clear()
    answer = cli("list")
    assert (answer.code, answer.err.count("\n")) == (6, 1)
    assert "SPLAZMATTE_WORKSPACE" in answer.err


def test_a_folder_that_cannot_be_made_and_what_is_no_such_error(tmp_path: Path) -> None:
    """/proc and the like refuse folders with ENOENT; a file that was deleted meanwhile is nobody's disk."""
    said = "its folder cannot be made; set SPLAZMATTE_WORKSPACE"
    with pytest.raises(StorageError, match=said) as caught, storage_errors(tmp_path / "a" / "b"):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(tmp_path / "a"))
    assert in_chinese(str(caught.value)).endswith("：无法创建其所在文件夹；请将 SPLAZMATTE_WORKSPACE 设为其他位置")
    with pytest.raises(FileNotFoundError), storage_errors(tmp_path / "a"):
        (tmp_path / "a" / "lock").read_bytes()
    with pytest.raises(FileExistsError), storage_errors(tmp_path / "a"):
        tmp_path.mkdir()


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        (errno.ENOSPC, "the disk is full; free space or set --out"),
        (errno.EROFS, "the disk is read-only; set --out to another place"),
        (errno.EACCES, "no permission to write there; set --out to another place"),
    ],
)
def test_space_is_asked_for_only_where_it_helps(tmp_path: Path, code: int, cure: str) -> None:
    with pytest.raises(StorageError, match=f"{cure}$"), storage_errors(tmp_path, "--out"):
        raise OSError(code, "the system's words")
