"""Project files that do not fit, are damaged or hostile: one clear reason each, and nothing left in the workspace."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atomic import discard
from errors import SplazMatteError
from matting_runner import run_matting
from projects import Wanted, import_project, show_project, write_export
from projects.manifest import MANIFEST, META, STATE
from tests import project_material as material
from tests.conftest import write_clip
from tests.project_material import Members, manifest, meta, nothing_left, state, stores
from tracking_runner import run_tracking

KEY = "session/masks/1/keyframes/000009.png"
SOURCE = "session/source.mp4"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", 12)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    """Return a project file of a finished matting session."""
    folder = tmp_path_factory.mktemp("good")
    session = material.matting(folder, clip)
    run_matting(session)
    write_export(session, Wanted(results=True), folder / "good.splazproject")
    return folder / "good.splazproject"


@pytest.fixture(scope="module")
def good_tracks(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    """Return a project file of a finished tracking session."""
    folder = tmp_path_factory.mktemp("tracks")
    session = material.tracking(folder, clip)
    run_tracking(session)
    write_export(session, Wanted(results=True), folder / "good.splazproject")
    return folder / "good.splazproject"


def refused(path: Path, workspace: Path, *words: str, **more: Any) -> None:
    """Check that a file is refused with one line that has all of `words`, and leaves nothing."""
    with pytest.raises(SplazMatteError) as caught:
        import_project(path, stores(workspace), **more)
    message = str(caught.value)
    assert all(word in message for word in words) and "\n" not in message, message
    assert nothing_left(workspace)


def added(name: str, data: bytes = b"x") -> Callable[[Members], Members]:
    return lambda members: {**members, name: data}


def without(name: str) -> Callable[[Members], Members]:
    return lambda members: {key: data for key, data in members.items() if key != name}


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">L4sLLBB", 13, b"IHDR", width, height, 8, 0) + bytes(40)


def first(data: Any) -> Any:
    return data["objects"][0]


SOUND_BUT_WRONG: dict[str, tuple[Callable[[Members], Members], str]] = {
    # names
    "a path upwards": (added("../evil.png"), "a file that no project has: '../evil.png'"),
    "a path upwards inside": (added("session/masks/1/keyframes/../../../../evil.png"), "no project has"),
    "an absolute path": (added("/etc/passwd"), "no project has: '/etc/passwd'"),
    "a drive": (added("C:\\evil.png"), "no project has"),
    "a lock": (added("session/.lock"), "no project has"),
    "a hidden file": (added("session/masks/1/keyframes/.000001.png"), "no project has"),
    "a stranger": (added("session/found/found.json"), "no project has"),
    "another state": (added("session/state.json.unreadable-0"), "no project has"),
    "a second source": (added("session/source.mov"), "its source is missing"),
    "tracks in a matting session": (added("session/raw_tracks.npy"), "no project has"),
    "a result that was not delivered": (added("results/webm/vp9.webm"), "results that it does not name"),
    "a result beyond its folder": (added("results/alpha/../../x.mp4"), "no project has"),
    "two files of a single one": (added("results/alpha/more.mp4"), "'alpha' is several files"),
    # what has to be there
    "no source": (without(SOURCE), "its source is missing"),
    "no state": (without(STATE), "its state"),
    "no facts": (without(META), "its facts"),
    "no keyframe": (without(KEY), f"{KEY} is missing"),
    "no deliverable": (without("results/alpha/alpha.mp4"), "'alpha' is there, but was not delivered"),
    # the manifest
    "a newer format": (manifest(lambda data: data.update(version=2)), "newer SplazMatte"),
    "an unknown kind": (manifest(lambda data: data.update(kind="roto\n")), "does not know: 'roto?'; update"),
    "no kind": (manifest(lambda data: data.pop("kind")), "project.json could not be read"),
    "a source that is said to be outside": (
        manifest(lambda data: data["source"].update(inside=False)), "its source is missing",
    ),
    # the state
    "a newer state": (state(lambda data: data.update(version=99)), "state.json was written by a newer SplazMatte"),
    "a state of nonsense": (added(STATE, b'{"version": 2, "id": 5}'), "state.json could not be read"),
    "a state that is none": (added(STATE, b"\xff\xfe\0"), "cannot be read"),
    "a deep state": (added(STATE, b"[" * 100_000), "cannot be read"),
    "a number of many digits": (added(STATE, b'{"version": 1' + b"0" * 5000 + b"}"), "cannot be read"),
    "a source elsewhere": (state(lambda data: data.update(source="../../x.mp4")), "named as a path"),
    "a source of another name": (state(lambda data: data.update(source="source.mkv")), "not the one that it names"),
    "a result elsewhere": (state(lambda data: data["delivered"].update(webm={"path": "../x", "mark": "a"})), "'webm'"),
    "a mark that is a link": (
        state(lambda data: data["delivered"]["alpha"].update(mark='" onerror="')), "what 'alpha' was made from",
    ),
    "an engine of another version": (
        state(lambda data: data["matter"].update(name="magic")), "what this version lacks: no matter named 'magic'",
    ),
    "a parameter of another version": (
        state(lambda data: data["matter"].update(params={"glow": 1})), "no parameter 'glow'",
    ),
    "a name of two lines": (state(lambda data: data.update(name="a\nb")), "its name: a name has 1 to 200"),
    "an object's name": (state(lambda data: first(data).update(name="\x1b[2J")), "a name in it"),
    "a colour that is code": (state(lambda data: first(data).update(colour="red;}")), "a colour in it is none"),
    "an object without number": (state(lambda data: first(data).update(id=-1)), "objects have wrong ids"),
    "objects of one number": (state(lambda data: data["objects"].append(first(data))), "objects have wrong ids"),
    "a rough mask elsewhere": (
        state(lambda data: first(data)["prompts"]["0"].update(base="../../../../x")), "named as a path",
    ),
    "a digest that is a path": (
        state(lambda data: first(data)["keyframes"]["9"].update(digest="../x")), "has no digest",
    ),
    "a frame that is not there": (
        state(lambda data: first(data)["prompts"].update({"12": {}})), "frames outside the clip",
    ),
    "a range that is not there": (state(lambda data: data.update(range=[0, 13])), "its range lies outside"),
    "a prompt beyond the picture": (
        state(lambda data: first(data)["prompts"]["0"]["points"][0].update(x=96)), "outside the picture",
    ),
    "not a number": (added(STATE, b'{"version": 2, "range": NaN}'), "out of range"),
    "infinity": (state(lambda data: first(data)["confidence"].update({"1": 1e308 * 10})), "out of range"),
    "work on billions of frames": (
        state(lambda data: data["alpha"].update(spans=[{"start": 0, "stop": 10**12, "mark": "x"}])), "work on frames",
    ),
    "work that overlaps": (
        state(lambda data: data["alpha"].update(spans=[{"start": 5, "stop": 9, "mark": "x"}] * 2)), "work on frames",
    ),
    # the video's facts
    "billions of frames": (meta(lambda data: data.update(frames=10**9)), "a number of frames that no video has"),
    "a huge picture": (meta(lambda data: data.update(width=10**6)), "a size"),
    "another size": (meta(lambda data: data.update(width=98)), "mask 0000"),
    "no rate": (meta(lambda data: data.update(rate="0")), "a frame rate"),
    "a rate that is none": (meta(lambda data: data.update(rate="1/0")), "meta.json could not be read"),
    "times of other frames": (meta(lambda data: data.update(times=[0, 1])), "times of other frames"),
    # pictures
    "a mask of another size": (added(KEY, png(96, 63)), "mask 000009.png is not of 96x64"),
    "a mask that is huge": (added(KEY, png(1 << 30, 1 << 30)), "is not of 96x64"),
    "a mask that is none": (added(KEY, b"GIF89a"), "is not of 96x64"),
    "a source that is no video": (added(SOURCE, b"text" * 100), "no video that can be read here: clip.mp4"),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND_BUT_WRONG)
def test_what_is_sound_but_wrong_is_refused(good: Path, tmp_path: Path, name: str) -> None:
    change, words = SOUND_BUT_WRONG[name]
    path = material.write(tmp_path / "p.splazproject", change(material.read(good)))
    refused(path, tmp_path / "there", words)


def tracks(change: Callable[[Any], Any]) -> Callable[[Members], Members]:
    """Return what changes the array of the tracks."""

    def edit(members: Members) -> Members:
        data = io.BytesIO()
        np.save(data, change(np.load(io.BytesIO(members["session/raw_tracks.npy"]))), allow_pickle=True)
        return {**members, "session/raw_tracks.npy": data.getvalue()}

    return edit


WRONG_TRACKS: dict[str, tuple[Callable[[Members], Members], str]] = {
    "fewer points": (tracks(lambda array: array[:, 1:]), "of other frames or points"),
    "another type": (tracks(lambda array: array.astype(np.float64)), "of other frames or points"),
    "objects": (tracks(lambda array: array.astype(object)), "raw_tracks.npy is no array"),
    "no array": (added("session/raw_tracks.npy", b"text"), "raw_tracks.npy is no array"),
    "a huge array": (
        added("session/raw_tracks.npy", b"\x93NUMPY\x01\0\x76\0"
              + b"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999, 2), }".ljust(117) + b"\n"),
        "raw_tracks.npy is no array",
    ),
    "an array less": (without("session/raw_confidence.npy"), "its tracks are missing"),
    "a track of nothing": (state(lambda data: data["tracked"].update({"77": "[]"})), "points that are not there"),
    "a key that is not there": (
        state(lambda data: data["points"][0]["keys"].update({"99": [1, 1]})), "frames outside the clip",
    ),
    "another workspace's session": (
        state(lambda data: data.update(carry={"session_id": "../x"})), "not a session's own",
    ),
    "masks in a tracking session": (added(KEY), "no project has"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_TRACKS)
def test_tracks_that_do_not_fit_are_refused(good_tracks: Path, tmp_path: Path, name: str) -> None:
    change, words = WRONG_TRACKS[name]
    path = material.write(tmp_path / "p.splazproject", change(material.read(good_tracks)))
    refused(path, tmp_path / "there", words)


def zipped(path: Path, members: Members, **more: Any) -> Path:
    """Write members with zipfile, as other programs would."""
    with zipfile.ZipFile(path, "w", **more) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_zips_that_others_made_are_refused(good: Path, tmp_path: Path) -> None:
    members, path = material.read(good), tmp_path / "p.splazproject"
    refused(zipped(path, members, compression=zipfile.ZIP_DEFLATED), tmp_path / "there", "packed again")
    bomb = {**members, STATE: bytes(50 << 20)}
    refused(zipped(path, bomb, compression=zipfile.ZIP_BZIP2), tmp_path / "there", "packed again")
    refused(zipped(path, {"readme.txt": b"hello"}), tmp_path / "there", "it has no project.json")
    refused(zipped(path, {"a/": b"", **members}), tmp_path / "there", "'a/' is packed")


def test_links_doubles_and_clashes_are_refused(good: Path, tmp_path: Path) -> None:
    members, path = material.read(good), tmp_path / "p.splazproject"
    link = zipfile.ZipInfo(KEY)
    link.external_attr = 0o120777 << 16
    extras: dict[str, zipfile.ZipInfo | str] = {"link": link, "twice": KEY, "case": KEY.upper()}
    for name, extra in extras.items():
        kept = members if name == "twice" else without(KEY)(members) if name == "link" else members
        zipped(path, kept)
        with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning) if name == "twice" else nullcontext():
            archive.writestr(extra, b"/etc/passwd")
        refused(path, tmp_path / "there", "a link or there twice")


def test_an_encrypted_zip_is_refused(good: Path, tmp_path: Path) -> None:
    data = bytearray(good.read_bytes())
    at = data.index(b"PK\1\2")
    data[at + 8] |= 1
    (tmp_path / "p.splazproject").write_bytes(data)
    refused(tmp_path / "p.splazproject", tmp_path / "there", "encrypted")


def test_more_files_than_any_project_are_refused_before_they_are_read(good: Path, tmp_path: Path) -> None:
    data = bytearray(good.read_bytes())
    struct.pack_into("<HL", data, len(data) - 12, 9, 90 << 20)
    (tmp_path / "p.splazproject").write_bytes(data)
    refused(tmp_path / "p.splazproject", tmp_path / "there", "more files than a project file may have")


def test_thousands_of_files_that_it_does_not_name_are_refused(good: Path, tmp_path: Path) -> None:
    many = material.read(good) | {f"session/masks/2/drafts/{index:06d}.png": b"" for index in range(5000)}
    path = material.write(tmp_path / "p.splazproject", many, seal=False)
    refused(path, tmp_path / "there", "'session/masks/2/drafts/000000.png' does not belong to it")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "p.splazproject is not a project file"),
        (b"not a zip", "is not a project file"),
        (b"PK\3\4", "is cut off"),
        (b"PK\3\4" + bytes(100) + b"PK\5\6" + bytes(18), "it has no project.json"),
        (b"PK\3\4" + bytes(100) + b"PK\5\6" + bytes(4) + b"\5\0\5\0\1\1\0\0\2\0\0\0\0\0", "is damaged or cut off"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "p.splazproject").write_bytes(content)
    refused(tmp_path / "p.splazproject", tmp_path / "there", words)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "absent", tmp_path / "there", "absent cannot be read: No such file")
    refused(tmp_path, tmp_path / "there", "cannot be read: Is a directory")


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused(good: Path, tmp_path: Path, part: float) -> None:
    data = good.read_bytes()
    (tmp_path / "p.splazproject").write_bytes(data[: int(len(data) * part)])
    refused(tmp_path / "p.splazproject", tmp_path / "there", "is cut off")


def test_a_byte_that_has_changed_is_found_wherever_it_is(good: Path, tmp_path: Path) -> None:
    data = good.read_bytes()
    with zipfile.ZipFile(good) as archive:
        places = {entry.filename: entry.header_offset + 30 + len(entry.filename) + 9 for entry in archive.infolist()}
    for name in (SOURCE, KEY, "session/alpha/000000-000011.mkv", "results/alpha/alpha.mp4"):
        harmed = bytearray(data)
        harmed[places[name]] ^= 1
        (tmp_path / "p.splazproject").write_bytes(harmed)
        refused(tmp_path / "p.splazproject", tmp_path / "there", "damaged")


def test_another_video_is_refused(good: Path, clip: Path, tmp_path: Path) -> None:
    refused(good, tmp_path / "there", "its source inside", source=clip)
    session = material.matting(tmp_path / "home", clip)
    write_export(session, Wanted(source=False), tmp_path / "r.splazproject")
    size = clip.stat().st_size
    refused(tmp_path / "r.splazproject", tmp_path / "there", f"needs its source 'clip.mp4' ({size} bytes)")
    refused(tmp_path / "r.splazproject", tmp_path / "there", "there is no file", source=tmp_path / "absent.mp4")
    refused(tmp_path / "r.splazproject", tmp_path / "there", "there is no file", source=tmp_path)
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes() + b"x")
    words = ("'other.mp4' is not the project's source 'clip.mp4'", f"{size + 1} bytes, not {size}")
    refused(tmp_path / "r.splazproject", tmp_path / "there", *words, source=other)
    other.write_bytes(clip.read_bytes()[:-1] + b"x")
    refused(tmp_path / "r.splazproject", tmp_path / "there", "its SHA-256 is", source=other)


def test_show_says_why_it_does_not_fit(good: Path, tmp_path: Path) -> None:
    members = material.state(lambda data: data["matter"].update(name="magic"))(material.read(good))
    shown = show_project(material.write(tmp_path / "p.splazproject", members))
    assert shown.manifest.name == "clip" and "no matter named 'magic'" in shown.obstacle
    assert show_project(good).obstacle == ""


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mangled_files_are_refused_or_read(good: Path, good_tracks: Path, tmp_path: Path, data: st.DataObject) -> None:
    """Whatever is done to the bytes, and to the JSON inside: an error for users, or a session; never a part of one."""
    path, there = tmp_path / "p.splazproject", tmp_path / "there"
    original = data.draw(st.sampled_from([good, good_tracks]))
    if data.draw(st.booleans()):
        raw = bytearray(original.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(raw) - 1) | st.integers(max(0, len(raw) - 9000), len(raw) - 1))
            piece = data.draw(st.binary(max_size=8))
            raw[at : at + data.draw(st.integers(0, 8))] = piece
        path.write_bytes(raw)
    else:
        members = material.read(original)
        name = data.draw(st.sampled_from([STATE, META, MANIFEST]))
        tree = json.loads(members[name])
        _mangle(tree, data)
        material.write(path, {**members, name: json.dumps(tree).encode()}, seal=name != MANIFEST)
    try:
        made = import_project(path, stores(there))
    except SplazMatteError as error:
        assert str(error) and nothing_left(there)
    else:
        assert made.session.source.is_file()
        stores(there)[made.kind].delete(made.session.state.id)
        for path in (there / "tracking_results").glob("*"):
            discard(path)


def _mangle(tree: Any, data: st.DataObject) -> None:
    """Put another value somewhere into a JSON tree."""
    while True:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(tree[key], dict | list) and tree[key] and data.draw(st.integers(0, 3)):
            tree = tree[key]
            continue
        strange: Any = (
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just([]) | st.just({})
        )
        tree[key] = data.draw(strange | st.sampled_from(["../x", "/etc/x", 10**30, -1, 1e300, "0/0", "\ud800"]))
        return
