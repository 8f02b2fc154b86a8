"""Weights: fetched from something that behaves like the hub, checked, gone on with, refused in one line."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

import engines.download as downloads
from config import ROOT, Settings
from engines import weights
from engines.download import download
from engines.weights_table import GROUPS, WEIGHTS
from errors import Cancelled, EngineFailedError, EngineUnavailableError, ParameterError, StorageError
from tests.hub_server import COMMIT, Hub
from tests.weights_bench import BIG, NAME, NC, SMALL, hub, models, refusal

__all__ = ["hub", "models"]


def test_the_table_is_sound() -> None:
    names = [entry.name for entry in WEIGHTS]
    assert len(set(names)) == len(names) and {"sam2", "sam3", "matanyone", "videomama", "cotracker"} == set(GROUPS)
    for entry in WEIGHTS:
        assert entry.size > 0 and entry.terms.endswith(".") and entry.repository.count("/") == 1
        assert all(not file.path.startswith("/") and ".." not in file.path for file in entry.files)


def test_a_download_is_whole_told_and_not_repeated(hub: Hub) -> None:
    assert weights.state(NAME) == "missing"
    told: list[tuple[int, int]] = []
    place = download(NAME, on_progress=lambda done, total: told.append((done, total)))
    assert weights.state(NAME) == "ready" and weights.find(NAME) == place
    assert (place / "model.safetensors").read_bytes() == hub.files[BIG]
    total = len(hub.files[BIG]) + len(hub.files[SMALL])
    assert told[-1] == (total, total) and [done for done, _ in told] == sorted(done for done, _ in told)
    assert weights.read_record(place).revision == COMMIT  # type: ignore[union-attr]
    assert {path.name for path in place.iterdir()} == {"config.json", "model.safetensors", ".made.json"}
    asked = len(hub.gets)
    download(NAME)
    assert len(hub.gets) == asked
    weights.verify(NAME)


def test_a_cut_connection_is_gone_on_with(hub: Hub) -> None:
    hub.cuts[BIG] = [120_000]
    download(NAME)
    assert weights.find(NAME).joinpath("model.safetensors").read_bytes() == hub.files[BIG]
    assert hub.gets.count(BIG) == 2 and any(entry.startswith("bytes=") for entry in hub.ranges)


def test_a_stopped_download_goes_on_where_it_was(hub: Hub) -> None:
    hub.cuts[BIG] = [200_000]
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        download(NAME, on_progress=lambda *_: None, should_stop=lambda: next(asked, True))
    assert weights.state(NAME) in ("missing", "partial")
    download(NAME)
    assert weights.state(NAME) == "ready"


def test_a_wrong_hash_is_refused_and_removed(hub: Hub) -> None:
    hub.spoiled[BIG] = bytes(len(hub.files[BIG]))
    assert "wrong hash" in refusal(EngineFailedError)
    assert weights.state(NAME) == "partial" and not (weights.folder(NAME) / "model.safetensors").exists()
    hub.spoiled.clear()
    download(NAME)


def test_a_wrong_small_file_is_refused(hub: Hub) -> None:
    hub.spoiled[SMALL] = b"x" * len(hub.files[SMALL])
    assert "wrong hash" in refusal(EngineFailedError)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (401, "GatedRepo", "hf auth login"),
        (403, "GatedRepo", "hf auth login"),
        (401, "", "hf auth login"),
        (403, "", "hf auth login"),
        (404, "RepoNotFound", "is not there"),
        (404, "EntryNotFound", "lacks a file"),
        (500, "", "try again later"),
    ],
)
def test_refusals_of_the_hub_say_what_to_do(hub: Hub, status: int, code: str, said: str) -> None:
    hub.status, hub.error_code = status, code
    assert said in refusal(EngineUnavailableError)
    assert weights.state(NAME) != "ready"


def test_gated_weights_name_the_page_with_the_terms(hub: Hub) -> None:
    weights.accept("sam3")
    hub.status, hub.error_code = 403, "GatedRepo"
    with pytest.raises(EngineUnavailableError, match=r"accept its terms at https://huggingface.co/facebook/sam3"):
        download("sam3")


def test_no_network_names_the_mirror(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "HF_ENDPOINT" in refusal(EngineUnavailableError)


def test_a_full_disk_is_told_before_anything_is_fetched(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "disk_free", lambda _: 1000)
    assert "SPLAZMATTE_MODELS_DIR" in refusal(StorageError)
    assert hub.gets == []


def test_two_at_once_fetch_once(hub: Hub) -> None:
    threads = [threading.Thread(target=download, args=(NAME,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert weights.state(NAME) == "ready" and hub.gets.count(BIG) == 1


def test_verify_finds_one_wrong_byte(hub: Hub) -> None:
    path = download(NAME) / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    assert weights.state(NAME) == "ready"
    with pytest.raises(EngineFailedError, match="damaged"):
        weights.verify(NAME)


def test_a_truncated_file_is_not_ready_and_the_command_is_named(hub: Hub) -> None:
    path = download(NAME) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert weights.state(NAME) == "partial"
    with pytest.raises(EngineUnavailableError, match=rf"\./start\.sh download-models {NAME}"):
        weights.find(NAME)
    download(NAME)
    weights.verify(NAME)


def test_files_that_somebody_put_there_count(hub: Hub) -> None:
    place = weights.folder(NAME)
    place.mkdir(parents=True)
    assert weights.state(NAME) == "partial"
    for file in ("config.json", "model.safetensors"):
        (place / file).write_bytes(b"x")
    assert weights.state(NAME) == "ready"


def test_removal_frees_the_disk(hub: Hub) -> None:
    download(NAME)
    assert weights.remove(NAME) >= len(hub.files[BIG])
    assert weights.state(NAME) == "missing" and weights.remove(NAME) == 0


def test_removal_of_a_link_leaves_what_it_leads_to(hub: Hub, tmp_path: Path) -> None:
    download(NAME).rename(tmp_path / "elsewhere")
    weights.folder(NAME).symlink_to(tmp_path / "elsewhere")
    assert weights.state(NAME) == "ready" and weights.remove(NAME) == 0 and weights.state(NAME) == "missing"
    assert (tmp_path / "elsewhere" / "model.safetensors").is_file()


def test_terms_are_accepted_before_a_download(hub: Hub, models: Path) -> None:
    assert weights.accepted(NAME) and not weights.accepted(NC)
    assert f"S-Lab License 1.0) are not accepted yet; run: ./start.sh download-models {NC}" in refusal(
        EngineUnavailableError, NC
    )
    assert hub.tokens == [] and not models.exists()
    weights.accept(NC)
    weights.accept(NAME)
    noted = json.loads((models / "licences.json").read_text())["accepted"]
    assert list(noted) == ["S-Lab License 1.0"] and noted["S-Lab License 1.0"]["when"].endswith("Z")
    assert weights.accepted("matanyone"), "the same terms"
    assert not weights.accepted("sam3") and not weights.accepted("cotracker3-online")
    download(NC)
    assert weights.state(NC) == "ready"


def test_terms_that_change_are_asked_about_again(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights.accept(NC)
    changed = tuple(replace(entry, terms=entry.terms + " And more.") for entry in WEIGHTS)
    monkeypatch.setattr(weights, "WEIGHTS", changed)
    assert not weights.accepted(NC)
    weights.accept(NC)
    assert weights.accepted(NC)


@pytest.mark.parametrize("content", ["", "{", '{"version": 1, "accepted": {"S-Lab License 1.0": true}}', "[]"])
def test_an_unreadable_list_of_licences_is_kept_and_asked_anew(models: Path, content: str) -> None:
    models.mkdir()
    (models / "licences.json").write_text(content)
    assert not weights.accepted(NC)
    assert [path.read_text() for path in models.glob("licences.json.unreadable-*")] == [content]
    weights.accept(NC)
    assert weights.accepted(NC)


def test_every_set_that_is_not_free_has_to_be_accepted(models: Path) -> None:
    assert {entry.name for entry in WEIGHTS if not weights.accepted(entry.name)} == {
        entry.name for entry in WEIGHTS if entry.gated or not entry.commercial
    }


def test_relative_folders_lie_in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", "weights/here")
    monkeypatch.setenv("SPLAZMATTE_SDKS_DIR", "~/sdks")
    settings = Settings()
    assert settings.models_path == ROOT / "weights" / "here" and settings.sdks_path == Path.home() / "sdks"


@pytest.mark.parametrize("name", ["../sam3", "", "sam2", "/etc"])
def test_names_that_are_none_are_refused(hub: Hub, name: str) -> None:
    for call in (weights.folder, weights.state, weights.remove, download):
        with pytest.raises(ParameterError):
            call(name)
