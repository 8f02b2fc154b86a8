"""Commands `models …`: what they print, fetch, ask and remove, and what they say when something is wrong."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.model_rows import one_by_one, with_groups
from engines import weights
from engines.weights_table import WEIGHTS
from tests.conftest import Answer, assert_error
from tests.hub_server import Hub
from tests.weights_bench import BIG, NAME, NC, SIZE, hub, models

__all__ = ["hub", "models"]
Cli = Callable[..., Answer]
ROOT = Path(__file__).resolve().parent.parent


class Terminal(io.StringIO):
    """A user at a keyboard."""

    def isatty(self) -> bool:
        return True


def states(answer: Answer) -> dict[str, str]:
    return {row["name"]: row["state"] for row in answer.json["weights"]}


@pytest.mark.parametrize("command", [["models"], ["models", "list"]])
def test_list_shows_engines_and_weights(cli: Cli, models: Path, command: list[str]) -> None:
    listed = cli(*command, "--json").json
    engines = {(row["job"], row["name"]): row for row in listed["engines"]}
    assert engines["segmenter", "grabcut"]["usable"] and not engines["segmenter", "sam2"]["usable"]
    assert "; run: ./start.sh " in engines["propagator", "sam2"]["obstacle"]
    assert [row["name"] for row in listed["weights"]] == [entry.name for entry in WEIGHTS]
    rows = {row["name"]: row for row in listed["weights"]}
    assert rows[NC]["accepted"] is False and rows[NC]["commercial"] is False and rows[NAME]["accepted"] is True
    assert {row["state"] for row in rows.values()} == {"missing"}
    text = cli(*command).out
    assert "cannot run yet" in text and "NOT for commercial use" in text and "base-plus" in text


def test_an_engine_can_run_with_another_model_that_is_there(cli: Cli, hub: Hub) -> None:
    cli("models", "download", NAME)
    row = next(row for row in cli("models", "--json").json["engines"] if row["name"] == "sam2")
    assert row["usable_with"] == {"model": "tiny"} and "base-plus" in row["obstacle"]
    assert "can run with model=tiny; else the weights" in cli("models").out


def test_download_verify_and_remove(cli: Cli, hub: Hub) -> None:
    answer = cli("models", "download", NAME, "--json")
    assert answer.code == 0 and states(answer) == {NAME: "ready"} and answer.err == f"fetching {NAME} (156.0 MB)\n"
    asked = len(hub.tokens)
    assert states(cli("models", "download", NAME, "--json")) == {NAME: "ready"} and len(hub.tokens) == asked
    assert cli("models", "verify").out == f"{NAME}  whole\n"
    removed = cli("models", "remove", NAME, "--yes", "--json").json
    assert removed["bytes"] > SIZE and [row["name"] for row in removed["removed"]] == [NAME]
    assert weights.state(NAME) == "missing" and "none of these" in cli("models", "remove", NAME).out
    assert cli("models", "verify").out == "no weights yet\n"


def test_damage_is_found_and_mended(cli: Cli, hub: Hub) -> None:
    cli("models", "download", NAME)
    path = weights.folder(NAME) / "model.safetensors"
    path.write_bytes(bytes(SIZE))
    answer = cli("models", "verify", "--json")
    assert answer.code == 5 and f"./start.sh download-models {NAME} --verify" in answer.json["error"]["message"]
    assert f"{path} is damaged" in answer.err
    assert cli("models", "download", NAME).code == 0 and path.read_bytes() == bytes(SIZE)
    assert "fetched anew" in cli("models", "download", NAME, "--verify").err
    assert path.read_bytes() == hub.files[BIG]


def test_weights_that_somebody_put_there_cannot_be_compared(cli: Cli, models: Path) -> None:
    place = models / NAME
    place.mkdir(parents=True)
    for file in ("config.json", "model.safetensors"):
        (place / file).write_bytes(b"x")
    assert "put there by hand" in cli("models", "verify", NAME).out
    assert states(cli("models", "verify", NAME, "--json")) == {NAME: "unknown"}


def test_nothing_chosen_shows_what_there_is(cli: Cli, models: Path) -> None:
    answer = cli("models", "download")
    assert answer.code == 2 and answer.err.count("\n") == 1 and "--sam2" in answer.err and "--all" in answer.err
    assert all(entry.name in answer.out for entry in WEIGHTS) and "323.0 MB" in answer.out
    assert cli("models", "download", "--json").json["error"]["exit_code"] == 2


def test_switches_take_the_default_sets_of_their_group(cli: Cli, models: Path) -> None:
    assert with_groups(["sam2"]) == ["edgetam", "sam2.1-hiera-base-plus"]
    assert with_groups(["matanyone", NAME, NAME]) == ["matanyone", "matanyone2", NAME]
    assert one_by_one(["matanyone"]) == ["matanyone"] and len(one_by_one(["sam2"])) == 5
    helped = cli("models", "download", "--help").out
    assert "base-plus" in helped and "sam2.1-hiera-large" in helped


def test_terms_are_shown_and_asked_about_once(
    cli: Cli, hub: Hub, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    answer = cli("models", "download", "--matanyone")
    assert answer.code == 130 and "S-Lab License 1.0" in answer.err and "paid work" in answer.err
    assert "https://huggingface.co/PeiqingYang/MatAnyone2" in answer.err
    assert hub.gets == [] and not weights.accepted(NC)
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    answer = cli("models", "download", "--matanyone")
    assert answer.code == 0 and answer.err.count("Do you accept") == 1
    assert weights.state(NC) == weights.state("matanyone") == "ready"
    weights.remove(NC)
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    assert cli("models", "download", NC).code == 0
    noted = json.loads((models / "licences.json").read_text())
    assert set(noted["accepted"]) == {"S-Lab License 1.0"} and noted["version"] == 1


def test_scripts_have_to_accept_by_a_switch(cli: Cli, hub: Hub) -> None:
    assert_error(cli("models", "download", NC), 5, NC, "S-Lab License 1.0", "paid work", "--accept-licence")
    assert hub.tokens == []
    answer = cli("models", "download", NC, "--accept-licence")
    assert answer.code == 0 and "S-Lab License 1.0" in answer.err and weights.accepted(NC)


def test_removal_asks_and_shows_sizes(cli: Cli, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("models", "download", NAME)
    refused = cli("models", "remove", NAME)
    assert refused.code == 3 and "--yes" in refused.err and "300." in refused.err
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert cli("models", "remove", NAME).code == 130 and weights.state(NAME) == "ready"
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert cli("models", "remove", "sam2").code == 0 and weights.state(NAME) == "missing"


def test_ctrl_c_stops_and_the_next_call_goes_on(cli: Cli, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.1)
    hub.hangs[BIG] = [150_000]

    def press() -> None:
        hub.hanging.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    answer = cli("models", "download", NAME)
    thread.join()
    assert answer.code == 130 and "the next download goes on from here" in answer.err
    assert states(cli("models", "--json"))[NAME] == "partial" and "partial, " in cli("models").out
    assert cli("models", "download", NAME).code == 0 and int(hub.ranges[-1][6:-1]) > 10_000


def test_what_does_not_fit_together_is_refused_before_any_of_it(
    cli: Cli, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engines.download.disk_free", lambda _: 1_000_000_000)
    answer = cli("models", "download", "sam2", "sam2.1-hiera-large")
    assert_error(answer, 6, "this download needs 1.3 GB", "SPLAZMATTE_MODELS_DIR")
    assert hub.tokens == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["models", "eat"], 2, ["eat"]),
        (["models", "download", "sam9"], 3, ["sam9", "sam2", "edgetam"]),
        (["models", "download", "../../etc"], 3, ["../../etc"]),
        (["models", "download", "--sam9"], 2, ["--sam9"]),
        (["models", "verify", "sam9"], 3, ["sam9"]),
        (["models", "verify", "edgetam"], 5, ["./start.sh download-models edgetam"]),
        (["models", "remove"], 2, ["NAME"]),
        (["models", "remove", "/etc"], 3, ["/etc"]),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_errors_are_one_line(cli: Cli, models: Path, arguments: list[str], code: int, words: list[str]) -> None:
    assert_error(cli(*arguments), code, *words)
    assert not models.exists()


def test_doctor_shows_the_state_of_weights(cli: Cli, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.devices.device_name", lambda: "cpu")  # imports torch
    cli("models", "download", NAME)
    (weights.folder("edgetam")).mkdir()
    report = cli("doctor", "--json").json
    assert report["weights"][NAME] == "ready" and report["engines"]["sam2"] == "ready"
    assert any("./start.sh download-models edgetam" in line for line in report["problems"])
    text = cli("doctor").out
    assert f"weights    1 of {len(WEIGHTS)} there; ready: {NAME}; partial: edgetam" in text


def test_the_script_takes_the_same_switches(models: Path) -> None:
    command = [sys.executable, "scripts/download_models.py", "--matanyone", "--json"]
    answer = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert answer.returncode == 5 and "matanyone, matanyone2" in json.loads(answer.stdout)["error"]["message"]
