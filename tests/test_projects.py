"""Project files: a session comes out elsewhere as it went in, and goes on to the same bytes as at home."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import engines.registry
from app_logic.portable import parts
from config import get_settings
from engines import weights
from engines.registry import get_spec
from engines.spec import Job
from errors import Cancelled, ParameterError, SessionBusyError, SessionError, StorageError, StoreError
from matting_runner import Stage, run_matting
from projects import Wanted, import_project, plan_export, show_project, write_export
from projects.manifest import MANIFEST, STATE
from session_base import sidecar_path
from session_store import EngineChoice, FramePrompts, MattingSession, PointPrompt
from tests import project_material as material
from tests.clip_sessions import pixels
from tests.conftest import write_clip
from tests.fault_bench import needs_linux
from tests.project_material import nothing_left, stores
from tracking_runner import run_tracking
from tracking_session_store import RAW, Carry, TrackingSession, clean, removable

ROOT = Path(__file__).resolve().parent.parent
FRAMES = 12
STOP = 48
"""Questions whether to stop before a run is stopped in the middle of its masks."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "Kugel ö.mp4", FRAMES)


@pytest.fixture(scope="module")
def matted(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> MattingSession:
    """Return a finished matting session; tests only read it."""
    session = material.matting(tmp_path_factory.mktemp("matted"), clip)
    run_matting(session)
    return session


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> TrackingSession:
    """Return a finished tracking session; tests only read it."""
    session = material.tracking(tmp_path_factory.mktemp("tracked"), clip)
    run_tracking(session)
    return session


ID = re.compile(rb"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
"""A session's id, which sidecars name."""


def masks(session: MattingSession) -> dict[str, bytes]:
    return {str(path.relative_to(session.folder)): path.read_bytes() for path in session.folder.glob("masks/**/*.png")}


def results(session: MattingSession) -> dict[str, bytes]:
    found = [*session.folder.glob("*.mp4"), *session.folder.glob("*.sidecar.json"), *(session.folder / "png").iterdir()]
    return {path.name: ID.sub(b"ID", path.read_bytes()) for path in found}


def test_a_matting_session_comes_out_as_it_went_in(matted: MattingSession, tmp_path: Path) -> None:
    file = tmp_path / "a.splazproject"
    sent = write_export(matted, Wanted(results=True), file)
    made = import_project(file, stores(tmp_path / "there"))
    session = made.session
    assert (made.kind, made.notices, session.state.name) == ("matting", [], "Kugel ö")
    assert isinstance(session, MattingSession)
    assert session.state.id != matted.state.id and session.folder.parent == tmp_path / "there" / "sessions"
    assert pixels(session) == pixels(matted) and results(session) == results(matted)
    assert session.source.read_bytes() == matted.source.read_bytes()
    same = {"id", "created", "extracted", "last_run"}
    assert session.state.model_dump(exclude=same) == matted.state.model_dump(exclude=same)
    assert set(run_matting(session).seconds.values()) == {0.0}, "a run finds nothing to do, not even frames"
    assert sent.source.sha256 == json.loads(material.read(file)[MANIFEST])["source"]["sha256"]
    assert plan_export(matted, Wanted(results=True)).stream.size == file.stat().st_size


def test_a_tracking_session_comes_out_as_it_went_in(tracked: TrackingSession, tmp_path: Path) -> None:
    file = tmp_path / "a.splazproject"
    write_export(tracked, Wanted(results=True), file)
    made = import_project(file, stores(tmp_path / "there"), name="elsewhere")
    session = made.session
    assert isinstance(session, TrackingSession) and session.state.name == "elsewhere"
    for name in RAW:
        assert session.raw_path(name).read_bytes() == tracked.raw_path(name).read_bytes()
    assert {*session.state.delivered} == {"video", "csv", "ae-keyframes"}
    for name, result in session.state.delivered.items():
        assert session.state.id in result.path and tracked.state.id not in result.path
        here, home = session.results_dir / result.path, tracked.results_dir / tracked.state.delivered[name].path
        pairs = [(here / path.name, path) for path in home.iterdir()] if home.is_dir() else [(here, home)]
        pairs.append((sidecar_path(here), sidecar_path(home)))
        assert all(one.read_bytes() == other.read_bytes() for one, other in pairs)
    assert sorted(path.name for path in session.folder.iterdir() if path.name[0] != ".") == [
        "meta.json", "raw_confidence.npy", "raw_tracks.npy", "raw_visibility.npy", "source.mp4", "state.json",
    ]  # fmt: skip
    seconds = run_tracking(session).seconds
    assert seconds["track"] == seconds["deliver"] == 0


def test_a_run_that_is_cut_off_goes_on_elsewhere_to_the_same_bytes(
    tmp_path: Path, clip: Path, matted: MattingSession
) -> None:
    session = material.matting(tmp_path / "here", clip)
    asked = iter(range(1000))
    with pytest.raises(Cancelled):
        run_matting(session, should_stop=lambda: next(asked) > STOP)
    made = session.state.objects[0].propagated.count(0, FRAMES)
    assert 0 < made < FRAMES - 2 and not session.state.alpha.spans, "in the middle of the masks"
    write_export(session, Wanted(), tmp_path / "a.splazproject")
    there = import_project(tmp_path / "a.splazproject", stores(tmp_path / "there")).session
    run_matting(there)  # type: ignore[arg-type]
    run_matting(session)
    assert pixels(there) == pixels(session) == pixels(matted)  # type: ignore[arg-type]
    assert results(there) == results(session)  # type: ignore[arg-type]


def test_points_that_are_not_tracked_yet_are_tracked_elsewhere(
    tmp_path: Path, clip: Path, tracked: TrackingSession
) -> None:
    session = material.tracking(tmp_path / "here", clip)
    session.state.carry = Carry(session_id="20260101-000000-aaaaaa")
    session.save()
    write_export(session, Wanted(), tmp_path / "a.splazproject")
    there = import_project(tmp_path / "a.splazproject", stores(tmp_path / "there")).session
    assert isinstance(there, TrackingSession) and there.state.carry is None
    run_tracking(there)
    for name in RAW:
        assert there.raw_path(name).read_bytes() == tracked.raw_path(name).read_bytes()


@pytest.mark.parametrize(
    ("wanted", "absent"),
    [
        (Wanted(alpha=False), "session/alpha/"),
        (Wanted(masks=False), "/propagated/"),
        (Wanted(), "results/"),
        (Wanted(source=False), "session/source."),
    ],
)
def test_what_is_left_out_is_made_again(matted: MattingSession, tmp_path: Path, wanted: Wanted, absent: str) -> None:
    file = tmp_path / "a.splazproject"
    write_export(matted, wanted, file)
    assert not [name for name in material.read(file) if absent in name]
    source = None if wanted.source else matted.source
    session = import_project(file, stores(tmp_path / "there"), source=source).session
    assert isinstance(session, MattingSession)
    run_matting(session)
    assert pixels(session) == pixels(matted) and results(session) == results(matted)


def test_nothing_of_this_machine_goes_along(matted: MattingSession, tmp_path: Path) -> None:
    session = stores(matted.folder.parents[1])["matting"].duplicate(matted.state.id)
    session.state.last_run.status, session.state.last_run.error = "failed", "cannot write /home/me/x"
    session.save()
    for name in (".hidden", "left.partial", "notes.txt", "alpha/000099-000100.mkv.partial", "speeds.json"):
        (session.folder / name).write_text("secret")
    write_export(session, Wanted(results=True), tmp_path / "a.splazproject")
    raw = (tmp_path / "a.splazproject").read_bytes()
    for word in (str(matted.folder.parents[1]), "/home/me", "secret", 'seconds": {"', ".lock"):
        assert word.encode() not in raw
    names = material.read(tmp_path / "a.splazproject")
    assert not [name for name in names if name.startswith("/") or "\\" in name or ".." in name]
    assert json.loads(names[STATE])["last_run"] is None


def test_an_engine_of_another_version_makes_stale_what_it_made_and_nothing_else(
    matted: MattingSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_export(matted, Wanted(), tmp_path / "a.splazproject")
    newer = tuple(
        dataclasses.replace(spec, version=spec.version + 1) if spec.job is Job.MATTER else spec
        for spec in engines.registry.ENGINES
    )
    monkeypatch.setattr("engines.registry.ENGINES", newer)
    made = import_project(tmp_path / "a.splazproject", stores(tmp_path / "there"))
    version = get_spec(Job.MATTER, "guided").version
    assert made.notices == [
        f"'guided' has version {version} here, not {version - 1}: "
        "what it made counts as stale, and a run makes it again"
    ]
    result = run_matting(made.session)  # type: ignore[arg-type]
    assert result.seconds["keyframes"] == result.seconds["propagate"] == 0 and result.fps.keys() >= {"matte", "deliver"}


def test_other_weights_and_engines_that_cannot_run_are_told(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = material.matting(tmp_path / "here", clip)
    session.state.propagator = EngineChoice(name="sam2")
    session.state.matter = EngineChoice(name="matanyone")
    session.save()
    name = get_spec(Job.PROPAGATOR, "sam2").weights_for({})[0]
    record = weights.Record(
        repository="r", revision="1", files={"model.safetensors": weights.FileRecord(size=1, sha256="a" * 64)}
    )
    monkeypatch.setattr("engines.weights.read_record", lambda place: record if place.name == name else None)
    sent = write_export(session, Wanted(source=False), tmp_path / "a.splazproject")
    facts = {engine.job: engine for engine in sent.engines}
    assert facts["propagator"].weights[0].verified and not facts["matter"].weights[0].verified
    assert not facts["matter"].commercial
    record.files["model.safetensors"] = weights.FileRecord(size=1, sha256="b" * 64)
    shown = show_project(tmp_path / "a.splazproject")
    assert shown.obstacle == ""
    strange = material.manifest(lambda data: data["engines"][1]["params"].update(model="../x"))
    members = strange(material.read(tmp_path / "a.splazproject"))
    again = show_project(material.write(tmp_path / "b.splazproject", members))
    assert again.notices == shown.notices, "what the manifest says of parameters is only for people"
    text = "\n".join(shown.notices)
    for words in (f"the weights '{name}' are other ones here", "an engine cannot run here yet", "commercial use"):
        assert words in text


def test_a_newer_minor_version_is_told_and_older_states_are_migrated(matted: MattingSession, tmp_path: Path) -> None:
    write_export(matted, Wanted(), tmp_path / "a.splazproject")
    members = material.read(tmp_path / "a.splazproject")
    members = material.manifest(lambda data: data.update(splazmatte="0.99.0"))(members)
    members = material.state(lambda data: (data.update(version=1), data.pop("premultiplied")))(members)
    made = import_project(material.write(tmp_path / "b.splazproject", members), stores(tmp_path / "there"))
    assert "made by SplazMatte 0.99.0" in made.notices[0]
    assert json.loads((made.session.folder / "state.json").read_text())["version"] == 3


@pytest.mark.parametrize(("own", "setting"), [(True, False), (False, True), (False, False)])
def test_commercial_use_is_as_the_session_or_the_setting_says(
    matted: MattingSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: bool, setting: bool
) -> None:
    write_export(matted, Wanted(), tmp_path / "a.splazproject")
    members = material.read(tmp_path / "a.splazproject")
    path = material.write(
        tmp_path / "b.splazproject", material.state(lambda data: data.update(commercial=own))(members)
    )
    monkeypatch.setenv("SPLAZMATTE_COMMERCIAL", str(setting))
    get_settings.cache_clear()
    made = import_project(path, stores(tmp_path / "there")).session
    get_settings.cache_clear()
    assert made.state.commercial == (own or setting)


def test_the_digest_of_the_source_is_that_of_the_source(matted: MattingSession, tmp_path: Path) -> None:
    write_export(matted, Wanted(), tmp_path / "a.splazproject")
    told = material.state(lambda data: data.update(source_sha256="0" * 64))(material.read(tmp_path / "a.splazproject"))
    path = material.write(tmp_path / "b.splazproject", told)
    made = import_project(path, stores(tmp_path / "there")).session
    assert made.state.source_sha256 == hashlib.sha256(made.source.read_bytes()).hexdigest()


def test_the_page_says_what_each_part_takes(matted: MattingSession) -> None:
    side = SimpleNamespace(store=SimpleNamespace(open=lambda _: matted))
    found = parts(SimpleNamespace(side_of=lambda _: side), matted.state.id)  # type: ignore[arg-type]

    def taken(**wanted: bool) -> int:
        return sum(member.size for member in plan_export(matted, Wanted(**wanted)).stream.members[:-1])

    least = taken(source=False, masks=False, alpha=False)
    with_results = taken(source=False, masks=False, alpha=False, results=True)
    assert found.results > found.alpha > 0 and abs(with_results - least - found.results) < 300, "sidecars go with them"


def test_names_are_kept_where_they_are_free(matted: MattingSession, tmp_path: Path) -> None:
    write_export(matted, Wanted(alpha=False), tmp_path / "a.splazproject")
    there = stores(tmp_path / "there")
    names = [import_project(tmp_path / "a.splazproject", there).session.state.name for _ in range(3)]
    assert names == ["Kugel ö", "Kugel ö (imported)", "Kugel ö (imported 2)"]
    with pytest.raises(ParameterError, match="a name has"):
        import_project(tmp_path / "a.splazproject", there, name="a\nb")


def test_a_session_that_is_worked_on_is_not_exported(matted: MattingSession, tmp_path: Path) -> None:
    other = MattingSession.load(matted.folder)
    with matted.lock(), pytest.raises(SessionBusyError):
        write_export(other, Wanted(), tmp_path / "a.splazproject")
    assert not [*tmp_path.iterdir()]


def test_a_file_that_changes_while_it_is_exported_leaves_no_project(
    matted: MattingSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = stores(matted.folder.parents[1])["matting"].duplicate(matted.state.id)
    target = tmp_path / "a.splazproject"
    target.write_bytes(b"before")

    def harm(done: int, total: int) -> None:
        (session.alpha_dir / f"000000-{FRAMES - 1:06d}.mkv").write_bytes(b"other")

    with pytest.raises(SessionError, match="was changed or removed"):
        write_export(session, Wanted(), target, on_progress=harm)
    assert target.read_bytes() == b"before" and [*tmp_path.iterdir()] == [target]


def test_what_is_gone_is_said(tmp_path: Path, clip: Path) -> None:
    session = material.matting(tmp_path / "here", clip)
    (session.masks_dir(1, "keyframes") / "000009.png").unlink()
    with pytest.raises(StoreError, match=r"000009.png is gone; give that keyframe again"):
        plan_export(session, Wanted())
    session.source.unlink()
    with pytest.raises(SessionError, match="the source of session"):
        plan_export(session, Wanted())


def test_rough_masks_go_along(tmp_path: Path, clip: Path) -> None:
    session = material.matting(tmp_path / "here", clip)
    bases = session.masks_dir(1, "bases")
    bases.mkdir()
    (bases / f"{'a' * 16}.png").write_bytes((session.masks_dir(1, "keyframes") / "000009.png").read_bytes())
    session.state.objects[0].prompts[3] = FramePrompts(points=[PointPrompt(x=30, y=32)], base="a" * 16)
    session.save()
    write_export(session, Wanted(), tmp_path / "a.splazproject")
    there = import_project(tmp_path / "a.splazproject", stores(tmp_path / "there")).session
    run_matting(there, until=Stage.KEYFRAMES)  # type: ignore[arg-type]
    run_matting(session, until=Stage.KEYFRAMES)
    assert masks(there) == masks(session)  # type: ignore[arg-type]


def test_an_import_without_room_writes_nothing(
    matted: MattingSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_export(matted, Wanted(), tmp_path / "a.splazproject")
    monkeypatch.setattr("projects.importing.disk_free", lambda _: 1 << 20)
    with pytest.raises(StorageError, match=r"no room for the project: it needs 0\.27 GB, and 0\.00 GB is free"):
        import_project(tmp_path / "a.splazproject", stores(tmp_path / "there"))
    assert nothing_left(tmp_path / "there")


def test_results_that_find_no_place_take_the_session_back(
    tracked: TrackingSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_export(tracked, Wanted(results=True), tmp_path / "a.splazproject")
    move, moved = shutil.move, list[Path]()

    def full(found: Path, target: Path) -> None:
        if moved:
            raise OSError(errno.ENOSPC, "No space left on device")
        moved.append(Path(move(found, target)))

    monkeypatch.setattr("projects.placing.shutil.move", full)
    with pytest.raises(StorageError, match="the disk is full"):
        import_project(tmp_path / "a.splazproject", stores(tmp_path / "there"))
    assert moved and nothing_left(tmp_path / "there")


KILLS = """
import os, signal, sys
from pathlib import Path
from unittest.mock import patch
import cv2, numpy
from projects import import_project
from tests.project_material import stores
for place, moment, file in zip(*[iter(sys.argv[1:])] * 3):
    child = os.fork()
    if not child:
        with patch(moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL)):
            import_project(Path(file), stores(Path(place)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
"""
"""Imports that end as a power cut would end them: [workspace, function that is the end, project file] of each."""


@needs_linux
def test_an_import_that_is_killed_leaves_nothing_that_is_not_whole(
    matted: MattingSession, tracked: TrackingSession, tmp_path: Path
) -> None:
    write_export(matted, Wanted(), tmp_path / "m.splazproject")
    write_export(tracked, Wanted(results=True), tmp_path / "t.splazproject")
    runs = [
        (tmp_path / "masks", "projects.importing.check_mask", tmp_path / "m.splazproject"),
        (tmp_path / "state", "projects.importing.save_info", tmp_path / "m.splazproject"),
        (tmp_path / "results", "projects.importing.place_results", tmp_path / "t.splazproject"),
    ]
    arguments = [str(part) for row in runs for part in row]
    subprocess.run([sys.executable, "-c", KILLS, *arguments], check=True, cwd=ROOT)
    for place, *_ in runs[:2]:
        store = stores(place)["matting"]
        assert not [*store.ids()] and len(store.leftovers()) == 1
        store.sweep()
        assert nothing_left(place)

    store = stores(tmp_path / "results")["tracking"]
    session = store.open(next(store.ids()))
    assert isinstance(session, TrackingSession) and session.state.delivered == {}
    assert [path.name for path in removable(session)["leftovers"]] == ["results.partial"]
    clean(session)
    run_tracking(session)
    assert {*session.state.delivered} == {"video", "csv", "ae-keyframes"}


def test_memory_stays_flat(matted: MattingSession, tmp_path: Path) -> None:
    """Exports and shows a project whose source is 128 MB that takes no disk, in a process of its own."""
    copy = stores(matted.folder.parents[1])["matting"].duplicate(matted.state.id)
    os.truncate(copy.source, 128 << 20)
    code = """
import resource, sys
from pathlib import Path
from unittest.mock import patch
from errors import ProjectError
from projects import Wanted, import_project, write_export
from session_store import MattingSession
from tests.project_material import stores
session, target = MattingSession.load(Path(sys.argv[1])), Path(sys.argv[2]) / "a.splazproject"
write_export(session, Wanted(source=False), target)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
write_export(session, Wanted(), target)
with patch("projects.importing.settled_info", lambda source, info, name: info):
    made = import_project(target, stores(Path(sys.argv[2]) / "there")).session
assert made.source.stat().st_size == 128 << 20
print((peak() - before) // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, copy.folder, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 40
