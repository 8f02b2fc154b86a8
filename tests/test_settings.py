"""Settings: where each comes from, what is shown of it, and that no secret ever is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from app_logic.settings_view import SettingRow, sections
from config import SECTIONS, Settings, get_settings, misnamed, origin, section, shown
from errors import ParameterError
from pages.texts.messages import in_chinese
from tests.conftest import Answer

SECRETS = [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the .env of this test."""
    path = tmp_path / ".env"
    monkeypatch.setitem(Settings.model_config, "env_file", path)
    get_settings.cache_clear()
    return path


def rows() -> dict[str, SettingRow]:
    return {row.name: row for found in sections().values() for row in found}


def test_every_setting_has_a_section_and_a_description() -> None:
    assert all(section(name) in SECTIONS and field.description for name, field in Settings.model_fields.items())
    assert sum(len(found) for found in sections().values()) == len(Settings.model_fields)


def test_whatever_sounds_secret_is_one() -> None:
    sounds = [
        name for name in Settings.model_fields if any(w in name for w in ("secret", "password", "key", "webhook"))
    ]
    assert len(SECRETS) >= 9 and sorted(sounds) == sorted(SECRETS)


def test_the_environment_wins_over_the_file_over_the_default(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPLAZMATTE_PORT", raising=False)
    assert (origin("port"), get_settings().port) == ("default", 7870)
    file.write_text("SPLAZMATTE_PORT=1234\nSPLAZMATTE_R2_BUCKET=mattes\n")
    get_settings.cache_clear()
    assert (origin("port"), get_settings().port, origin("r2_bucket")) == (".env", 1234, ".env")
    monkeypatch.setenv("SPLAZMATTE_PORT", "4321")
    get_settings.cache_clear()
    assert (origin("port"), get_settings().port) == ("environment", 4321)


def test_what_changes_in_the_file_is_announced(file: Path) -> None:
    assert rows()["SPLAZMATTE_LAN_IP"].coming is None
    file.write_text("SPLAZMATTE_LAN_IP=studio.local\nSPLAZMATTE_FEISHU_SECRET=geheim\n")
    found = rows()
    assert (found["SPLAZMATTE_LAN_IP"].value, found["SPLAZMATTE_LAN_IP"].coming) == ("", "studio.local")
    assert found["SPLAZMATTE_FEISHU_SECRET"].coming == "••••••"
    file.write_text("SPLAZMATTE_PORT=abc\n")
    assert all(row.coming is None for row in rows().values()), "what cannot be read is not shown"


def test_secrets_are_shown_nowhere(file: Path, cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("".join(f"SPLAZMATTE_{name.upper()}=top-{name}-1\n" for name in SECRETS))
    get_settings.cache_clear()
    assert "top-" not in repr(get_settings()) + str(rows())
    for answer in (cli("settings"), cli("settings", "--json"), cli("doctor")):
        assert answer.code == 0 and "top-" not in answer.out + answer.err
    monkeypatch.setenv("SPLAZMATTE_PORT", "no number")
    get_settings.cache_clear()
    with pytest.raises(ParameterError, match=r"setting SPLAZMATTE_PORT: .*see \.env\.example") as raised:
        get_settings()
    assert "top-" not in str(raised.value)


def test_values_are_shown_as_they_are_written() -> None:
    assert [shown(value) for value in (True, 600.0, 0.5, "", SecretStr(""), SecretStr("x"))] == [
        "true", "600", "0.5", "", "", "••••••",
    ]  # fmt: skip


def test_a_log_in_within_an_address_is_not_shown() -> None:
    assert shown("http://me:pw@host/x") == "http://••••••@host/x" and shown("https://a.b/c@d") == "https://a.b/c@d"


def test_the_command_lists_all_with_their_origin(cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLAZMATTE_METRICS", "true")
    get_settings.cache_clear()
    listed = {row["name"]: row for row in cli("settings", "--json").json["settings"]}
    assert len(listed) == len(Settings.model_fields)
    assert (listed["SPLAZMATTE_METRICS"]["value"], listed["SPLAZMATTE_METRICS"]["origin"]) == ("true", "environment")
    assert "SPLAZMATTE_METRICS" in cli("settings").out


def test_what_is_no_setting_is_told(
    file: Path, cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert misnamed() == []
    monkeypatch.setenv("SPLAZMATTE_NOTHING_LIKE_IT", "hush-1")
    file.write_bytes("\ufeffSPLAZMATTE_PORT=1234\r\nSPLAZMATTE_R2_BUKET=hush-2\r\nhush x\r\nA=1\r\nhush\r\n".encode())
    get_settings.cache_clear()
    told = [
        "line 3 of .env is not NAME=value and does nothing",
        "line 5 of .env is not NAME=value and does nothing",
        "SPLAZMATTE_NOTHING_LIKE_IT is no setting and does nothing; see .env.example",
        "SPLAZMATTE_R2_BUKET is no setting and does nothing; did you mean SPLAZMATTE_R2_BUCKET?",
    ]
    assert misnamed() == told and get_settings().port == 1234
    assert cli("settings", "--json").json["misnamed"] == told
    for answer in (cli("settings"), cli("doctor")):
        assert all(text in answer.out for text in told) and "hush" not in answer.out + answer.err
    assert "dotenv" not in "".join(capfd.readouterr()), "the library says it once for each reading, and not where"
    assert in_chinese(told[3]) == "SPLAZMATTE_R2_BUKET 不是设置项，不起作用；是否想写 SPLAZMATTE_R2_BUCKET？"


def test_a_file_that_cannot_be_read_is_one_line(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("SPLAZMATTE_PORT=1234\n", encoding="utf-16")  # what PowerShell writes
    with pytest.raises(ParameterError, match=r"^\.env is not UTF-8 text; save it as UTF-8$"):
        get_settings()
    assert misnamed() == [] and origin("port") == "default"

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(Settings, "__init__", refuse)
    with pytest.raises(ParameterError, match=r"^\.env cannot be read: Permission denied; "):
        get_settings()
