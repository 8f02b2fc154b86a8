"""Downloads on bad networks, bad disks and bad servers: gone on with, or refused in one line; never taken for whole."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import engines.download as downloads
from engines import hub as hub_protocol
from engines import weights
from engines.download import download
from errors import Cancelled, EngineFailedError, EngineUnavailableError, ParameterError, StorageError
from tests.hub_server import COMMIT, Hub
from tests.weights_bench import BIG, NAME, SIZE, SMALL, hub, models, refusal

__all__ = ["hub", "models"]
ROOT = Path(__file__).resolve().parent.parent


def fetched() -> bytes:
    return (weights.find(NAME) / "model.safetensors").read_bytes()


def test_connections_cut_again_and_again_still_bring_the_file(hub: Hub) -> None:
    hub.cuts[BIG] = list(range(20_000, 100_000, 10_000))
    told: list[int] = []
    download(NAME, on_progress=lambda done, _: told.append(done))
    assert fetched() == hub.files[BIG] and hub.gets.count(BIG) > downloads.TRIES
    assert told == sorted(set(told)) and told[-1] == SIZE + len(hub.files[SMALL])


def test_connections_that_bring_nothing_new_end_in_an_error_and_what_came_stays(hub: Hub) -> None:
    hub.cuts[BIG] = [50_000] * 20
    assert "goes on from there" in refusal(EngineUnavailableError)
    assert hub.gets.count(BIG) == downloads.TRIES + 1
    hub.cuts.clear()
    download(NAME)
    assert fetched() == hub.files[BIG] and hub.ranges[-1] == "bytes=50000-"


def test_a_server_that_ignores_ranges_is_begun_anew_and_progress_never_goes_back(hub: Hub) -> None:
    hub.ranges_ignored, hub.cuts[BIG] = True, [200_000, 100_000]
    told: list[int] = []
    download(NAME, on_progress=lambda done, _: told.append(done))
    assert fetched() == hub.files[BIG] and told == sorted(set(told))


def test_a_stop_keeps_what_came(hub: Hub) -> None:
    seen: list[int] = []
    with pytest.raises(Cancelled, match="goes on from here"):
        download(NAME, lambda done, _: seen.append(done), lambda: bool(seen) and seen[-1] > SIZE // 3)
    have = max(path.stat().st_size for path in weights.folder(NAME).glob("*.partial"))
    assert weights.state(NAME) == "partial" and have > SIZE // 4
    download(NAME)
    assert hub.ranges[-1] == f"bytes={have}-" and fetched() == hub.files[BIG]
    assert not list(weights.folder(NAME).glob("*.partial"))


def test_a_part_of_another_version_is_not_gone_on_with(hub: Hub) -> None:
    hub.cuts[BIG] = [100_000] * 20
    refusal(EngineUnavailableError)
    hub.files[BIG] = hub.files[BIG][::-1]
    hub.cuts.clear()
    download(NAME)
    assert hub.ranges[-1] == "" and fetched() == hub.files[BIG]


def test_a_silent_server_is_given_up_after_a_time(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.05)
    hub.hangs[BIG] = [60_000]
    download(NAME)
    assert hub.ranges[-1] == "bytes=60000-" and fetched() == hub.files[BIG]


def test_a_server_that_hangs_is_an_error(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.02)
    hub.hangs = {BIG: [0] * 20, SMALL: [0] * 20}
    assert "check the network" in refusal(EngineUnavailableError)


def test_a_connection_that_is_refused_midway(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub is asked for facts, then nobody listens any more: tried again, then an error that can be gone on with."""
    tries: list[int] = []

    def leave(*_: object) -> None:
        tries.append(len(tries))
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9" if len(tries) <= 2 else hub.address)

    monkeypatch.setattr(downloads, "_pause", leave)
    hub.cuts[BIG] = [70_000]
    download(NAME)
    assert len(tries) == 3 and hub.ranges[-1] == "bytes=70000-" and fetched() == hub.files[BIG]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_hub_is_asked_again(hub: Hub, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(downloads, "_pause", lambda seconds, _: pauses.append(seconds))
    hub.answers = [(status, {"Retry-After": "7"})]
    download(NAME)
    hub.answers = [(status, {"Retry-After": "100000"})] * 2
    weights.remove(NAME)
    assert f"answers {status}" in refusal(EngineUnavailableError)
    assert pauses == [7, hub_protocol.MAX_WAIT]


@pytest.mark.parametrize("sent", [b"", b"short", bytes(SIZE - 1)], ids=len)
def test_a_body_that_is_shorter_than_announced_is_refused(hub: Hub, sent: bytes) -> None:
    """With the right Content-Length of its own: no connection was cut, and no further bytes come."""
    hub.spoiled[BIG] = sent
    assert "ends after" in refusal(EngineFailedError)
    assert weights.state(NAME) == "partial"


def test_a_body_that_is_longer_than_announced_is_refused(hub: Hub) -> None:
    hub.spoiled[BIG] = hub.files[BIG] + b"more"
    assert "longer than announced" in refusal(EngineFailedError)
    hub.spoiled.clear()
    download(NAME)
    assert fetched() == hub.files[BIG]


def test_sizes_that_are_not_told_are_not_needed(hub: Hub) -> None:
    hub.lengths_unknown, hub.cuts[SMALL] = True, [5]
    download(NAME)
    assert (weights.find(NAME) / "config.json").read_bytes() == hub.files[SMALL]


def test_a_repository_that_has_moved_is_followed(hub: Hub) -> None:
    hub.files["moved/here/config.json"] = hub.files[SMALL]
    hub.answers = [(307, {"Location": "/moved/here/resolve/main/config.json"})]
    download(NAME)
    assert fetched() == hub.files[BIG]


def test_all_files_are_of_one_commit(hub: Hub) -> None:
    download(NAME)
    assert hub.revisions[0] == "main" and set(hub.revisions[1:]) == {COMMIT}


def test_the_token_goes_to_the_hub_and_not_to_where_it_redirects(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    download(NAME)
    by_host = {address.removeprefix("http://"): set() for address in (hub.address, hub.cdn)}  # type: ignore[var-annotated]
    for host, token in hub.tokens:
        by_host[host].add(token)
    assert list(by_host.values()) == [{"Bearer hf_secret"}, {""}]


@pytest.mark.parametrize("address", ["hf-mirror.com", "ftp://mirror", "http://", "https:///path", "mirror:443"])
def test_a_mirror_that_is_no_address_is_refused(hub: Hub, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    assert "HF_ENDPOINT" in refusal(ParameterError)


def test_offline_mode_is_respected(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in refusal(EngineUnavailableError)
    assert hub.tokens == []


def test_a_damaged_part_is_noticed_at_the_end(hub: Hub) -> None:
    hub.cuts[BIG] = [100_000] * 20
    refusal(EngineUnavailableError)
    hub.cuts.clear()
    part = next(path for path in weights.folder(NAME).glob("model*.partial"))
    part.write_bytes(bytes(part.stat().st_size))
    assert "wrong hash" in refusal(EngineFailedError)
    download(NAME)
    assert fetched() == hub.files[BIG]


def test_a_part_that_is_too_long_is_begun_anew(hub: Hub) -> None:
    hub.cuts[BIG] = [100_000] * 20
    refusal(EngineUnavailableError)
    hub.cuts.clear()
    next(weights.folder(NAME).glob("model*.partial")).write_bytes(bytes(SIZE + 1))
    download(NAME)
    assert fetched() == hub.files[BIG]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts a small disk with the given options."""
    place = tmp_path / "models"

    def mount(options: str) -> Path:
        place.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("needs the right to mount a small tmpfs (root on Linux)")
        return place

    yield mount
    subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


def test_a_disk_that_fills_up_midway_keeps_what_came(
    hub: Hub, disk: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = disk("size=200k")
    monkeypatch.setattr(downloads, "disk_free", lambda _: 10**12)
    said = refusal(StorageError)
    assert "the disk is full" in said and "SPLAZMATTE_MODELS_DIR" in said
    subprocess.run(["mount", "-o", "remount,size=1m", str(place)], check=True)
    download(NAME)
    assert fetched() == hub.files[BIG] and int(hub.ranges[-1][6:-1]) > 100_000


def test_a_read_only_disk_says_so(hub: Hub, disk: Callable[[str], Path]) -> None:
    disk("ro")
    assert "read-only" in refusal(StorageError)
    with pytest.raises(StorageError, match=r"read-only.*SPLAZMATTE_MODELS_DIR"):
        weights.accept("sam3")


def test_any_other_refusal_of_the_disk_is_one_line(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(downloads, "commit_file", broken)
    assert "Input/output error" in refusal(StorageError)


@pytest.mark.parametrize("where", ["models", f"models/{NAME}"])
def test_a_file_in_the_place_of_a_folder_is_named(hub: Hub, models: Path, where: str) -> None:
    path = models.parent / where
    path.parent.mkdir(exist_ok=True)
    path.write_text("not a folder")
    assert str(path) in refusal(StorageError)
    assert weights.state(NAME) != "ready" and weights.remove(NAME) == 0 and path.read_text() == "not a folder"


def test_a_folder_in_the_place_of_a_file_is_named(hub: Hub) -> None:
    (weights.folder(NAME) / "model.safetensors" / "x").mkdir(parents=True)
    assert weights.state(NAME) == "partial"
    assert "model.safetensors" in refusal(StorageError)


def test_a_process_that_is_killed_leaves_what_came(hub: Hub, models: Path) -> None:
    """A real process and SIGKILL, while the server is silent in the middle of the large file."""
    hub.hangs[BIG] = [180_000]
    code = f"from engines.download import download; download({NAME!r})"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ)) as process:
        assert hub.hanging.wait(30)
        while sum(path.stat().st_size for path in models.glob(f"{NAME}/model*.partial")) < 100_000:
            assert process.poll() is None
        process.kill()
    have = next(models.glob(f"{NAME}/model*.partial")).stat().st_size
    download(NAME)
    assert hub.ranges[-1] == f"bytes={have}-" and fetched() == hub.files[BIG]
    weights.verify(NAME)


def test_two_processes_fetch_once(hub: Hub) -> None:
    code = f"from engines.download import download; download({NAME!r})"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ)) as process:
        download(NAME)
        assert process.wait() == 0
    assert hub.gets.count(BIG) == 1 and fetched() == hub.files[BIG]


def test_who_waits_for_another_download_can_stop(hub: Hub) -> None:
    with weights.lock(NAME):
        with pytest.raises(Cancelled):
            download(NAME, should_stop=lambda: True)
        weights.folder(NAME).mkdir(parents=True)
        with pytest.raises(EngineUnavailableError, match="is being downloaded"):
            weights.remove(NAME)
