"""What is up is deleted again, on R2 and OSS alike: whole, after faults, and never what is another session's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from errors import ParameterError, SessionBusyError, SessionNotFoundError, StoreError, UploadError
from integrations.ledger import FILE_NAME, Begun, Ledger
from pages.texts.messages import in_chinese
from results.cloud import key_of, links, upload_results
from results.uploaded import delete_before_session, delete_uploads, is_own, uploads_of
from session_store import MattingSession, SessionStore
from tests.cloud_bench import Cloud, Quick, delivered_session, noise, set_to, settled
from tests.faulty import Fault, error

BROKEN = Fault("PUT part 4", answer=error(507, "InsufficientStorage"), after=("PUT part 1", "PUT part 2", "PUT part 3"))


@pytest.fixture
def store(workspace: Path) -> SessionStore:
    return SessionStore(workspace / "sessions")


@pytest.fixture
def session(store: SessionStore, tmp_path: Path) -> MattingSession:
    """Return a session that has delivered; its name has an odd space."""
    return delivered_session(store, tmp_path / "镜头　1.mp4")


def begin(session: MattingSession, cloud: Cloud) -> str:
    """Begin an upload of five parts that is cut in the fourth, and return its key."""
    (session.folder / "alpha.mp4").write_bytes(noise(110_000))
    cloud.store.faults.append(replace(BROKEN))
    with pytest.raises(UploadError, match="full"):
        upload_results(session, ["alpha"])
    settled()
    assert cloud.open_uploads() == 1
    (key,) = Ledger(session.folder).read().begun
    return key


def test_all_that_is_up_is_deleted_and_forgotten(cloud: Cloud, session: MattingSession) -> None:
    keys = [made.key for made in upload_results(session)]
    assert cloud.there(keys) == set(keys) and len(keys) == 3
    gone = delete_uploads(session.folder)
    assert [(up.format, up.key) for up in gone] == list(zip(("alpha", "alpha.sidecar.json", "png"), keys, strict=True))
    assert cloud.there(keys) == set() and links(session) == [] == uploads_of(session.folder)
    assert cloud.store.count("DELETE") == 3 and (session.folder / "alpha.mp4").exists()
    assert delete_uploads(session.folder) == [] and cloud.store.count("DELETE") == 3
    assert {made.key for made in upload_results(session)} == cloud.there(keys) == set(keys)


def test_a_format_goes_with_its_sidecar_and_the_rest_stays(cloud: Cloud, session: MattingSession) -> None:
    alpha, sidecar, png = (made.key for made in upload_results(session))
    delete_uploads(session.folder, ["alpha", "webm"])
    assert cloud.there((alpha, sidecar, png)) == {png} == {link.key for link in links(session)}


def test_parts_of_an_upload_that_was_begun_go(cloud: Cloud, session: MattingSession) -> None:
    key = begin(session, cloud)
    (up,) = uploads_of(session.folder)
    assert (up.format, up.key, up.size, up.name) == ("alpha", key, None, key.rpartition("/")[2])
    assert delete_uploads(session.folder, ["png"]) == [] and cloud.open_uploads() == 1
    delete_uploads(session.folder, ["alpha"])
    assert cloud.open_uploads() == 0 and Ledger(session.folder).read().begun == {}


def test_what_was_completed_without_an_answer_goes_too(cloud: Cloud, session: MattingSession) -> None:
    (key, *_) = (made.key for made in upload_results(session, ["alpha"]))
    ledger = Ledger(session.folder)
    place = ledger.read().done[key].place
    ledger.forget(key, place)
    ledger.begin(key, Begun(upload_id="0123456789abcdef", identity="1", part_size=1, place=place))
    delete_uploads(session.folder)
    assert cloud.there([key]) == set() and not uploads_of(session.folder)


@pytest.mark.parametrize("answer", [None, error(404, "NoSuchKey")], ids=["204", "404"])
def test_what_is_not_there_any_more_is_no_error(cloud: Cloud, session: MattingSession, answer: Any) -> None:
    key = begin(session, cloud)
    for made in upload_results(session, ["png"]):
        cloud.bucket.delete(made.key)
    cloud.end_uploads()
    cloud.store.faults.append(Fault("DELETE", times=2, answer=answer))
    assert {up.key for up in delete_uploads(session.folder)} >= {key} and uploads_of(session.folder) == []


def test_what_was_cut_in_the_middle_is_gone_on_with(cloud: Cloud, session: MattingSession) -> None:
    first, *rest = (made.key for made in upload_results(session))
    cloud.store.faults += [Fault("DELETE"), Fault("DELETE", times=99, answer=error(403, "AccessDenied"))]
    with pytest.raises(UploadError, match="let it read, write and delete there"):
        delete_uploads(session.folder)
    assert cloud.there([first, *rest]) == set(rest) == {up.key for up in uploads_of(session.folder)}
    cloud.store.faults.clear()
    cloud.store.seen.clear()
    delete_uploads(session.folder)
    assert cloud.store.seen == ["DELETE"] * 2 and cloud.there(rest) == set()


@pytest.mark.parametrize("what", ["DELETE", "abort"])
@pytest.mark.parametrize("passing", [{"cut": -1}, {"answer": error(503, "SlowDown")}], ids=str)
def test_what_passes_is_tried_again(cloud: Cloud, session: MattingSession, what: str, passing: dict[str, Any]) -> None:
    begin(session, cloud)
    cloud.store.faults.append(Fault(what, **passing))
    delete_uploads(session.folder)
    assert cloud.store.count(what) == 2 and cloud.open_uploads() == 0 and uploads_of(session.folder) == []


def test_a_store_out_of_reach_or_closed_is_said_and_nothing_is_forgotten(cloud: Cloud, session: MattingSession) -> None:
    key = begin(session, cloud)
    cloud.store.faults.append(Fault(".*", times=99, cut=-1))
    with pytest.raises(UploadError, match=r"failed 3 times \(no connection to .*\); try again later$") as caught:
        delete_uploads(session.folder, retry=Quick(tries=3))
    assert "kept" not in str(caught.value) and "secret words" not in str(caught.value)
    cloud.store.faults[:] = [Fault("abort", times=99, answer=error(403, "AccessDenied"))]
    with pytest.raises(UploadError, match="let it read, write and delete there"):
        delete_uploads(session.folder)
    assert [up.key for up in uploads_of(session.folder)] == [key]


def test_a_copy_never_deletes_what_is_its_originals(cloud: Cloud, session: MattingSession, store: SessionStore) -> None:
    keys = [made.key for made in upload_results(session)]
    copy = store.duplicate(session.state.id)
    cloud.store.seen.clear()
    assert delete_uploads(copy.folder) == [] == uploads_of(copy.folder)
    store.delete(copy.state.id, delete_before_session)
    assert cloud.store.seen == [] and cloud.there(keys) == set(keys)


def test_a_hostile_ledger_makes_nobody_delete_elsewhere(cloud: Cloud, session: MattingSession) -> None:
    path, own = session.folder / FILE_NAME, session.state.id
    upload_results(session, ["png"])
    (made,) = json.loads(path.read_text())["done"].values()
    others = [
        "pre/fix/20200101-000000-aaaaaa/a.mp4",
        f"{own}/../b/c.mp4",
        f"x/{own}/..",
        f"pre/fix/{own}/x/y.mp4",
        own,
        "",
    ]
    done = {key: made | {"key": key} for key in (*others, f"{own}/", f"/{own}/a", f"{own}/a\n", f"{own}/{'k' * 2000}")}
    begun = {key: {"upload_id": "1", "identity": "1", "part_size": 1, "place": made["place"]} for key in others}
    path.write_text(json.dumps({"version": 1, "done": done, "begun": begun}))
    cloud.store.seen.clear()
    assert links(session) == [] == uploads_of(session.folder) == delete_uploads(session.folder)
    assert cloud.store.seen == [] and len(Ledger(session.folder).read().done) == len(done)


@pytest.mark.parametrize(
    ("key", "owner", "own"),
    [
        ("pre/fix/a-1/x.mp4", "a-1", True),
        ("a-1/球　 #1 50%.mp4", "a-1", True),
        ("pre/fix/a-1/x.mp4", "fix", False),
        ("pre/fix/a-1/x.mp4", "pre", False),
        ("a-1/a-2/x.mp4", "a-1", False),
        ("pre//a-1/x.mp4", "a-1", False),
        ("pre/./a-1/x.mp4", "a-1", False),
    ],
)
def test_keys_are_own_by_their_last_folder_alone(key: str, owner: str, own: bool) -> None:
    assert is_own(key, owner) is own


def test_every_key_that_is_made_is_own() -> None:
    for name in ("..", ".mp4", "a/b\\c\x00.mp4", "x" * 700 + ".mp4", "球" * 300 + ".mov"):
        assert is_own(key_of("p" * 200, "s" * 64, name), "s" * 64) is (name != "..")


def test_what_is_in_another_bucket_stays_there_and_noted(
    cloud: Cloud, session: MattingSession, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = cloud.bucket.settings.backend.upper()
    keys = [made.key for made in upload_results(session)]
    set_to(monkeypatch, **{f"{kind}_BUCKET": "another-one"})
    cloud.store.seen.clear()
    assert delete_uploads(session.folder) == [] and cloud.store.seen == []
    with pytest.raises(UploadError, match=rf"stays, .*: {len(keys)} of them are in another bucket") as caught:
        store.delete(session.state.id, delete_before_session)
    assert session.folder.exists() and "另一个存储桶" in in_chinese(str(caught.value))
    set_to(monkeypatch, **{f"{kind}_BUCKET": "results"})
    assert [up.key for up in uploads_of(session.folder)] == keys and cloud.there(keys) == set(keys)


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 1, "done": {"a": 3}}', '{"version": 1, "begun": 7}'])
def test_notes_that_cannot_be_read_are_no_notes_of_nothing(cloud: Cloud, session: MattingSession, content: str) -> None:
    upload_results(session)
    (session.folder / FILE_NAME).write_text(content)
    cloud.store.seen.clear()
    for _ in range(2):
        with pytest.raises(
            StoreError, match=f"delete what is under pre/fix/{session.state.id}/ in the store's console"
        ):
            delete_uploads(session.folder)
    with pytest.raises(StoreError, match=r"^session \S+ stays, .* delete it without them$") as caught:
        delete_before_session(session.folder)
    assert "session" not in in_chinese(str(caught.value)) and cloud.store.seen == []


def test_notes_of_a_newer_version_are_left_alone(cloud: Cloud, session: MattingSession) -> None:
    (session.folder / FILE_NAME).write_text('{"version": 9}')
    with pytest.raises(StoreError, match="newer"):
        delete_uploads(session.folder)
    assert (session.folder / FILE_NAME).read_text() == '{"version": 9}'


def test_without_a_store_nothing_is_deleted(
    cloud: Cloud, session: MattingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_results(session)
    set_to(monkeypatch, STORAGE_BACKEND="")
    assert uploads_of(session.folder) == []
    with pytest.raises(ParameterError, match="no cloud store is set"):
        delete_uploads(session.folder)


def test_no_upload_of_the_session_runs_meanwhile(cloud: Cloud, session: MattingSession, store: SessionStore) -> None:
    upload_results(session)
    cloud.store.seen.clear()
    with session.lock(), pytest.raises(SessionBusyError, match="being worked on"):
        delete_uploads(session.folder)
    with session.lock(), pytest.raises(SessionBusyError):
        store.delete(session.state.id, delete_before_session)
    with pytest.raises(SessionNotFoundError):
        delete_uploads(store.root / "20200101-000000-aaaaaa")
    assert cloud.store.seen == [] and len(uploads_of(session.folder)) == 3


def test_a_session_for_commercial_use_deletes_what_it_does_not_hand_out(cloud: Cloud, session: MattingSession) -> None:
    keys = [made.key for made in upload_results(session)]
    session.state.commercial = True
    session.save()
    assert links(session) == [] and [up.key for up in uploads_of(session.folder)] == keys
    delete_uploads(session.folder)
    assert cloud.there(keys) == set()


def test_a_session_whose_state_cannot_be_read_is_deleted_with_its_uploads(
    cloud: Cloud, session: MattingSession, store: SessionStore
) -> None:
    keys = [made.key for made in upload_results(session)]
    (session.folder / "state.json").write_text("{")
    store.delete(session.state.id, delete_before_session)
    assert cloud.there(keys) == set() and not session.folder.exists()


def test_links_tell_what_is_not_the_local_result_any_more(cloud: Cloud, session: MattingSession) -> None:
    upload_results(session)
    assert [link.current for link in links(session)] == [True] * 3
    (session.folder / "alpha.mp4").write_bytes(b"made anew")
    (session.folder / "png" / "000001.png").write_bytes(b"one more")
    assert {link.format for link in links(session) if link.current} == {"alpha.sidecar.json"}
    upload_results(session, ["alpha"])
    assert {link.format for link in links(session) if not link.current} == {"png"}
    (session.folder / "alpha.mp4").unlink()
    del session.state.delivered["png"]
    assert [link.current for link in links(session)] == [False] * 3
