"""Zips made while they are sent: of known size, the same bytes every time, in flat memory, never silently short."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import SessionError, StorageError
from results import Result, bundled, zipped
from session_base.names import distinct, key, safe
from zip_stream import ZipStream, data_member, file_member, save

ROOT = Path(__file__).resolve().parent.parent
STAMP = 1_700_000_001


def write(path: Path, data: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (STAMP, STAMP))
    return path


def names(stream: ZipStream) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(b"".join(stream))) as archive:
        assert archive.testzip() is None
        return archive.namelist()


@pytest.mark.parametrize("limit", [(1 << 31) - 1, 1000, 10])
def test_the_size_is_known_and_the_bytes_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limit)  # with a low one small files need what large ones do
    members = [file_member(f"ö {size}.bin", write(tmp_path / str(size), bytes(size))) for size in (0, 1, 950, 3000)]
    stream = ZipStream([*members, data_member("点.json", b"{}", 0.0)])
    data = b"".join(stream)
    assert len(data) == stream.size and data == b"".join(stream)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert [entry.file_size for entry in archive.infolist()] == [0, 1, 950, 3000, 2]
        assert archive.infolist()[0].date_time == (2023, 11, 14, 22, 13, 20)
        assert archive.infolist()[4].date_time[0] == 1980


def test_many_files_need_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    for count in (3, 4):
        stream = ZipStream(data_member(str(index), b"", 0.0) for index in range(count))
        assert len(b"".join(stream)) == stream.size


@pytest.mark.parametrize("change", ["longer", "shorter", "other", "gone"])
def test_a_file_that_changes_breaks_the_stream(tmp_path: Path, change: str) -> None:
    first, second = write(tmp_path / "a", b"first"), write(tmp_path / "b", b"second")
    pieces = iter(ZipStream([file_member("a", first), file_member("b", second)]))
    got = next(pieces)
    if change == "gone":
        second.unlink()
    else:
        write(second, {"longer": b"second and more", "shorter": b"sec", "other": b"SECOND"}[change])
        os.utime(second, ns=(1, 1))
    with pytest.raises(SessionError, match="b was changed or removed"):
        for piece in pieces:
            got += piece
    assert not zipfile.is_zipfile(io.BytesIO(got))


def test_a_file_that_grows_while_it_is_read_breaks_the_stream(tmp_path: Path) -> None:
    path = write(tmp_path / "a", bytes(3 << 20))
    pieces = iter(ZipStream([file_member("a", path)]))
    next(pieces)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(SessionError, match="a was changed"):
        list(pieces)


def test_what_fails_leaves_the_file_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, target = write(tmp_path / "in" / "a"), write(tmp_path / "out.zip", b"before")
    stream = ZipStream([file_member("a", path)])
    path.unlink()
    with pytest.raises(SessionError):
        save(stream, target)
    monkeypatch.setattr("zip_stream.disk_free", lambda _: 10)
    with pytest.raises(StorageError, match="the disk is full"):
        save(ZipStream([data_member("a", b"x", 0.0)]), target)
    assert target.read_bytes() == b"before" and {path.name for path in tmp_path.iterdir()} == {"in", "out.zip"}


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Sends 192 MB that takes no disk; a process of its own, as other tests' memory would be counted too."""
    code = """
import resource, sys
from pathlib import Path
from zip_stream import ZipStream, file_member
path = Path(sys.argv[1])
with path.open("wb") as file:
    file.truncate(192 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
stream = ZipStream([file_member("a", path)])
assert sum(map(len, stream)) == stream.size
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "sparse"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 32


def result(path: Path, name: str) -> Result:
    return Result(path, name, Path(name).stem)


def test_one_session_keeps_its_names(tmp_path: Path) -> None:
    folder = tmp_path / "png"
    for index in (1, 0):
        write(folder / f"{index:06d}.png")
    (folder / "sub").mkdir()
    chosen = [result(write(tmp_path / "a.mp4"), "Kugel ö_alpha.mp4"), result(folder, "Kugel ö_png")]
    assert names(zipped(chosen)) == ["Kugel ö_alpha.mp4", "Kugel ö_png/000000.png", "Kugel ö_png/000001.png"]


def test_sessions_of_one_video_get_folders_of_their_own(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    sessions = [
        ("Shot", [result(path, "shot_alpha.mp4")]),
        ("shot", [result(path, "SHOT_alpha.mp4"), result(path, "shot_json.json")]),
        ("other", [result(path, "other_alpha.mp4")]),
        ("CON", [result(path, "shot_alpha.mp4")]),
        ("../..", [result(path, "shot_alpha.mp4")]),
    ]
    assert names(bundled(sessions)) == [
        "Shot/shot_alpha.mp4",
        "shot (2)/SHOT_alpha.mp4",
        "shot (2)/shot_json.json",
        "other_alpha.mp4",
        "_CON/shot_alpha.mp4",
        ".._/shot_alpha.mp4",
    ]


@pytest.mark.parametrize(
    ("given_name", "wanted"),
    [
        ("plain name.mp4", "plain name.mp4"),
        ("a/b\\c:d", "a_b_c_d"),
        ("nul.txt", "_nul.txt"),
        ("COM¹", "_COM¹"),
        ("dots...", "dots"),
        ("..", "file"),
        ("", "file"),
        ("line\nbreak\x00", "line_break_"),
        ("\ud800x", "_x"),
        ("e\u0301.mov", "\u00e9.mov"),
    ],
)
def test_names_fit_every_system(given_name: str, wanted: str) -> None:
    assert safe(given_name) == wanted


@settings(max_examples=150)
@given(st.lists(st.text(max_size=300), max_size=6))
def test_any_names_become_distinct_and_safe(given_names: list[str]) -> None:
    taken: set[str] = set()
    for given_name in given_names:
        name = distinct(safe(given_name), taken)
        assert name not in ("", ".", "..") and not set(name) & set('<>:"/\\|?*\n\0') and len(name.encode()) <= 200
        assert name == name.rstrip(". ") and key(name) not in taken
        taken.add(key(name))
