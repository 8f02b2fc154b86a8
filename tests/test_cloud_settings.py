"""What is wrong with the settings of the cloud store is said in one line that names the variable, and no secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from config import Settings
from errors import ParameterError
from integrations.cloud_settings import CloudSettings, cloud_settings
from pages.texts.messages import in_chinese

ROOT = Path(__file__).resolve().parent.parent
SECRET = "TopSecret/Value+1"
GOOD = {
    "r2_endpoint": "https://abc.r2.cloudflarestorage.com",
    "r2_bucket": "my-results",
    "r2_access_key_id": "KeyId1234",
    "r2_secret_access_key": SECRET,
    "oss_endpoint": "https://oss-cn-hangzhou.aliyuncs.com",
    "oss_bucket": "my-results",
    "oss_access_key_id": "KeyId1234",
    "oss_access_key_secret": SECRET,
}


def settings(backend: str, **changes: str) -> Settings:
    """Return settings that nothing outside has a part in."""
    values: dict[str, object] = {"storage_backend": backend, **GOOD, **changes}
    secret = {name: SecretStr(str(value)) for name, value in values.items() if "key" in name}
    return Settings.model_construct(**{**values, **secret})  # type: ignore[arg-type]


def checked(backend: str, **changes: str) -> CloudSettings:
    found = cloud_settings(settings(backend, **changes))
    assert found is not None
    return found


def test_no_backend_is_no_store_whatever_else_is_set() -> None:
    assert cloud_settings(settings("", r2_endpoint="nonsense")) is None


@pytest.mark.parametrize("backend", ["r2", "oss"])
def test_good_settings_are_taken(backend: str) -> None:
    found = checked(backend)
    assert (found.backend, found.bucket, found.prefix, found.link_seconds) == (
        backend,
        "my-results",
        "splazmatte",
        259200,
    )
    assert found.secret.get_secret_value() == SECRET and SECRET not in repr(found)
    for prefix, kept in (("", ""), ("a/b/", "a/b"), ("Aufträge 1", "Aufträge 1")):
        assert checked(backend, **{f"{backend}_prefix": prefix}).prefix == kept
    for domain in ("cdn.example.com", "https://cdn.example.com/"):
        assert checked(backend, **{f"{backend}_cdn_domain": domain}).domain == "https://cdn.example.com"
    assert checked(backend, **{f"{backend}_endpoint": "http://127.0.0.1:9000/"}).endpoint == "http://127.0.0.1:9000"


BAD = [
    *(("endpoint", text) for text in (
        "", "  ", "abc.r2.cloudflarestorage.com", "ftp://host", "https://", "https://host/bucket", "https://host?x=1",
        "https://me:pass@host", "https://ho st", "https://host:port", "https://[::1", "https://host#x",
        "https://my-results.oss-cn-hangzhou.aliyuncs.com",
    )),
    *(("bucket", text) for text in ("", "ab", "Upper", "with space", "a/b", "-a-b", "a..b", "x" * 64, "../etc")),
    *(("prefix", text) for text in (
        "/lead", "a//b", "../up", "a/../b", "./a", "a\\b", "a\nb", "x" * 201, "///", "\x00",
    )),
    *(("cdn_domain", text) for text in ("https://cdn/path", "ftp://cdn", "a b", "https://u:p@cdn", "javascript://x y")),
]  # fmt: skip


@pytest.mark.parametrize("backend", ["r2", "oss"])
@pytest.mark.parametrize(("part", "text"), BAD, ids=[f"{part} {text[:30]!r}" for part, text in BAD])
def test_bad_settings_are_named(backend: str, part: str, text: str) -> None:
    with pytest.raises(ParameterError, match=f"^SPLAZMATTE_{backend.upper()}_{part.upper()} ") as caught:
        checked(backend, **{f"{backend}_{part}": text})
    message = str(caught.value)
    assert "\n" not in message and SECRET not in message and in_chinese(message) != message


@pytest.mark.parametrize(
    "name", ["r2_access_key_id", "r2_secret_access_key", "oss_access_key_id", "oss_access_key_secret"]
)
@pytest.mark.parametrize("text", ["", " ", "Half a Key", "Kéy1234", "key\n1234", "k" * 300])
def test_bad_keys_are_named_and_never_said(name: str, text: str) -> None:
    with pytest.raises(ParameterError, match=f"^SPLAZMATTE_{name.upper()} ") as caught:
        checked(name.partition("_")[0], **{name: text})
    message = str(caught.value)
    assert (not text.strip() or text not in message) and in_chinese(message) != message


@pytest.mark.parametrize("command", [["app.py", "--port", "0", "--no-browser"], ["run.py", "run-queue"]])
def test_the_app_and_the_queue_say_so_before_they_begin(command: list[str], tmp_path: Path) -> None:
    environment = {
        "PATH": "/usr/bin:/bin", "SPLAZMATTE_WORKSPACE": str(tmp_path), "SPLAZMATTE_STORAGE_BACKEND": "r2",
        "SPLAZMATTE_R2_ENDPOINT": "https://h", "SPLAZMATTE_R2_SECRET_ACCESS_KEY": SECRET,
    }  # fmt: skip
    answer = subprocess.run(
        [sys.executable, *command], check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 3 and answer.stdout == ""
    assert answer.stderr == "error: SPLAZMATTE_R2_BUCKET is not set; SPLAZMATTE_STORAGE_BACKEND=r2 needs it\n"
