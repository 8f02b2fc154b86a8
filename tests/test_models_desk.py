"""Weights as the page of models handles them: one download after the other, stopped, gone on with, checked, removed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from app_logic.engine_menu import engine_menus, first_params
from app_logic.errands import WINDOW, Line
from app_logic.model_texts import GROUPS, SETS
from app_logic.models import ModelsDesk
from engines import weights
from engines.spec import Job
from engines.weights_table import GROUPS as TABLE_GROUPS
from engines.weights_table import WEIGHTS
from errors import Cancelled, EngineFailedError, EngineUnavailableError, ParameterError
from tests.app_process import wait_for
from tests.hub_server import Hub
from tests.models_bench import FREE, NC, big, local_hub, row

pytest.importorskip("huggingface_hub", reason="neural engines are not installed: just setup")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with local_hub(tmp_path, monkeypatch, 300_000) as made:
        yield made


@pytest.fixture
def desk(hub: Hub) -> Iterator[ModelsDesk]:
    made = ModelsDesk()
    yield made
    hub.released.set()
    made.close()


def idle(desk: ModelsDesk, name: str) -> None:
    wait_for(lambda: row(desk, name).download is None and row(desk, name).check is None, what=f"{name} to be done with")


def put_by_hand(name: str) -> None:
    for file in weights.get_set(name).files:
        path = weights.folder(name) / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 1000)


def test_every_set_and_group_is_explained() -> None:
    assert set(SETS) == {entry.name for entry in WEIGHTS} and set(GROUPS) == set(TABLE_GROUPS)


def test_a_set_is_downloaded_checked_and_removed(desk: ModelsDesk, hub: Hub) -> None:
    before = row(desk, FREE)
    assert (before.state, before.held, before.needed, before.accepted) == ("missing", 0, before.entry.size, True)
    assert ("SAM 2.1", "segmenter") in before.engines and ("SAM 2.1", "propagator") in before.engines
    desk.download(FREE)
    idle(desk, FREE)
    after = row(desk, FREE)
    assert (after.state, after.needed, after.problem) == ("ready", 0, "") and after.held > 300_000
    desk.verify(FREE)
    wait_for(lambda: row(desk, FREE).checked == "whole")
    assert desk.remove(FREE) > 300_000
    assert (row(desk, FREE).state, row(desk, FREE).checked) == ("missing", "")


def test_terms_are_accepted_before_anything_is_fetched(desk: ModelsDesk, hub: Hub) -> None:
    assert not row(desk, NC).accepted
    with pytest.raises(EngineUnavailableError, match="accept"):
        desk.download(NC)
    assert hub.gets == [] and row(desk, NC).download is None
    desk.accept(NC)
    desk.download(NC)
    idle(desk, NC)
    assert row(desk, NC).state == "ready" and ModelsDesk().rows()[0].accepted


def test_a_stopped_download_goes_on_where_it_was(desk: ModelsDesk, hub: Hub) -> None:
    hub.hangs[big(FREE)] = [200_000]
    desk.download(FREE)
    assert hub.hanging.wait(20)
    desk.stop(FREE)
    download = row(desk, FREE).download
    assert download is None or download.state == "stopping"
    hub.released.set()
    idle(desk, FREE)
    found = row(desk, FREE)
    assert (found.state, found.problem) == ("partial", ""), "a wish to stop is no error"
    assert found.needed < found.entry.size
    desk.download(FREE)
    idle(desk, FREE)
    assert row(desk, FREE).state == "ready"
    assert (weights.folder(FREE) / "model.safetensors").read_bytes() == hub.files[big(FREE)]


def test_one_download_at_a_time_and_the_others_wait(desk: ModelsDesk, hub: Hub) -> None:
    desk.accept(NC)
    hub.hangs[big(FREE)] = [100_000]
    desk.download(FREE)
    desk.download(NC)
    desk.download(NC)
    assert hub.hanging.wait(20)
    first, second = row(desk, FREE).download, row(desk, NC).download
    assert first is not None and first.state == "running" and second is not None and second.state == "waiting"
    assert not any(key.startswith("PeiqingYang") for key in hub.gets)
    for name in (FREE, NC):
        with pytest.raises(EngineUnavailableError, match="stop that or wait"):
            desk.remove(name)
    hub.released.set()
    for name in (FREE, NC):
        idle(desk, name)
        assert row(desk, name).state == "ready"


def test_what_waits_can_be_taken_out_of_the_line(desk: ModelsDesk, hub: Hub) -> None:
    desk.accept(NC)
    hub.hangs[big(FREE)] = [100_000]
    desk.download(FREE)
    desk.download(NC)
    desk.stop(NC)
    assert row(desk, NC).download is None
    hub.released.set()
    idle(desk, FREE)
    assert row(desk, NC).state == "missing"


def test_a_wrong_hash_is_told_until_the_next_try(desk: ModelsDesk, hub: Hub) -> None:
    hub.spoiled[big(FREE)] = bytes(300_000)
    desk.download(FREE)
    wait_for(lambda: row(desk, FREE).problem)
    assert "wrong hash" in row(desk, FREE).problem and row(desk, FREE).state == "partial"
    hub.spoiled.clear()
    desk.download(FREE)
    assert row(desk, FREE).problem == ""
    idle(desk, FREE)
    assert row(desk, FREE).state == "ready"


def test_gated_weights_say_where_access_is_had(desk: ModelsDesk, hub: Hub) -> None:
    hub.status, hub.error_code = 403, "GatedRepo"
    desk.accept("sam3")
    desk.download("sam3")
    wait_for(lambda: row(desk, "sam3").problem)
    assert "https://huggingface.co/facebook/sam3" in row(desk, "sam3").problem
    assert "hf auth login" in row(desk, "sam3").problem


def test_one_wrong_byte_is_found(desk: ModelsDesk, hub: Hub) -> None:
    desk.download(FREE)
    idle(desk, FREE)
    path = weights.folder(FREE) / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)
    desk.verify(FREE)
    wait_for(lambda: row(desk, FREE).problem)
    assert "damaged" in row(desk, FREE).problem and row(desk, FREE).checked == ""


def test_files_put_there_by_hand_are_ready_and_not_called_whole(desk: ModelsDesk, hub: Hub) -> None:
    put_by_hand(FREE)
    assert row(desk, FREE).state == "ready"
    desk.verify(FREE)
    wait_for(lambda: row(desk, FREE).checked)
    assert row(desk, FREE).checked == "unknown"


def test_what_is_not_there_is_not_verified_and_no_other_name_is_taken(desk: ModelsDesk) -> None:
    with pytest.raises(EngineUnavailableError):
        desk.verify(FREE)
    for call in (desk.accept, desk.download, desk.verify, desk.remove):
        with pytest.raises(ParameterError):
            call("../sam3")


def test_a_full_disk_is_told_before(desk: ModelsDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert row(desk, FREE).fits
    monkeypatch.setattr("app_logic.models.disk_free", lambda _: 156_000_000)
    assert not row(desk, FREE).fits, "0.5 GB of the disk stays free"


def test_the_place_is_told_without_secrets(desk: ModelsDesk, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    found = desk.place()
    assert Path(found.folder) == weights.folder(FREE).parent and found.free > 0 and not found.offline
    assert (found.hub, found.is_mirror) == (hub.address, True)
    assert found.missing == sum(entry.size for entry in WEIGHTS)
    monkeypatch.setenv("HF_ENDPOINT", "https://user:secret@mirror.example/hub")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert desk.place().hub == "https://mirror.example" and desk.place().offline
    monkeypatch.delenv("HF_ENDPOINT")
    assert (desk.place().hub, desk.place().is_mirror) == ("huggingface.co", False)


def test_the_end_of_the_app_stops_a_download_that_goes_on_at_the_next_start(desk: ModelsDesk, hub: Hub) -> None:
    hub.hangs[big(FREE)] = [200_000]
    desk.download(FREE)
    assert hub.hanging.wait(20)
    hub.released.set()
    desk.close()
    desk.download(FREE)
    assert row(desk, FREE).download is None, "nothing begins any more"
    again = ModelsDesk()
    again.download(FREE)
    idle(again, FREE)
    assert row(again, FREE).state == "ready"


# The line itself, with work that a test holds in its hand.


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_speed_and_time_left_are_those_of_the_last_seconds() -> None:
    clock, begun, over = Clock(), Event(), Event()

    def work(name: str, tell: object, stop: object) -> None:
        for second, done in enumerate((0, 10, 20, 30)):
            clock.now = float(second)
            tell(done, 100)  # type: ignore[operator]
        for second in range(4, 24):
            clock.now = float(second)
            tell(30 + 2 * (second - 3), 100)  # type: ignore[operator]
        begun.set()
        over.wait(20)

    ended: list[str] = []
    line = Line("test", work, lambda name, problem: ended.append(name), clock)
    line.add("a")
    assert begun.wait(20)
    found = line.find("a")
    assert found is not None and (found.done, found.total, found.fraction) == (70, 100, 0.7)
    assert found.speed == pytest.approx(2) and found.seconds_left == pytest.approx(15)
    clock.now += 3 * WINDOW
    stalled = line.find("a")
    assert stalled is not None and stalled.speed < 1, "a download that stands still is not shown as fast"
    over.set()
    wait_for(lambda: ended)


def test_an_errand_that_fails_does_not_hold_up_the_next() -> None:
    told: dict[str, str | None] = {}

    def work(name: str, tell: object, stop: object) -> None:
        if name == "bad":
            raise EngineFailedError("it is bad")
        if name == "stopped":
            raise Cancelled("stopped")
        if name == "disk":
            raise OSError(28, "No space left on device")

    line = Line("test", work, told.__setitem__)
    for name in ("bad", "stopped", "disk", "good"):
        line.add(name)
    wait_for(lambda: len(told) == 4)
    assert told == {"bad": "it is bad", "stopped": None, "disk": "[Errno 28] No space left on device", "good": ""}


# Menus of engines.


def test_menus_follow_the_disk(desk: ModelsDesk, hub: Hub) -> None:
    entry = next(found for found in engine_menus()[Job.SEGMENTER] if found.name == "sam2")
    assert entry.lacks_weights and "./start.sh download-models" in entry.obstacle
    assert entry.blocked_models == {"edgetam", "tiny", "small", "base-plus", "large"}
    assert first_params(Job.SEGMENTER, "sam2") == {}
    desk.download(FREE)
    idle(desk, FREE)
    for job in (Job.SEGMENTER, Job.PROPAGATOR):
        entry = next(found for found in engine_menus()[job] if found.name == "sam2")
        assert entry.obstacle == "" and "tiny" not in entry.blocked_models and "large" in entry.blocked_models
        assert first_params(job, "sam2") == {"model": "tiny"}
    assert os.environ["HF_ENDPOINT"] == hub.address
