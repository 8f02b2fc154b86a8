"""Typed settings: environment over `.env` over the defaults here. The one table of defaults."""

from __future__ import annotations

import logging
import os
import re
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from dotenv.parser import Binding, parse_stream
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import ParameterError, storage_errors

ROOT = Path(__file__).resolve().parent
VERSION = "0.1.0"
PREFIX = "SPLAZMATTE_"
Origin = Literal["default", ".env", "environment"]
logging.getLogger("dotenv.main").setLevel(logging.ERROR)  # what it warns of with each reading, `misnamed` tells

FOLDERS, JOBS, WEB, CLOUD, R2, OSS, FEISHU, WATCHING = SECTIONS = (
    "Folders",
    "Jobs",
    "Web app",
    "Cloud storage",
    "Cloudflare R2, or another store that speaks S3",
    "Aliyun OSS",
    "Feishu",
    "Logs and metrics",
)
"""What the settings are grouped by, in `.env.example`, README and on the page."""


def _setting(default: Any, section: str, description: str, **limits: Any) -> Any:
    return Field(default, description=description, json_schema_extra={"section": section}, **limits)


def _secret(section: str, description: str) -> Any:
    return _setting(SecretStr(""), section, description)


class Settings(BaseSettings):
    """What can be set from outside, each as SPLAZMATTE_<NAME>; secrets are SecretStr and shown nowhere."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=ROOT / ".env", extra="ignore")

    workspace: Path = _setting(ROOT / "workspace", FOLDERS, "Folder of sessions and results")
    models_dir: Path = _setting(ROOT / "models", FOLDERS, "Folder of the neural engines' weights")
    sdks_dir: Path = _setting(ROOT / "sdks", FOLDERS, "Folder of the authors' sources that some engines import")

    job_hang_seconds: float = _setting(
        600, JOBS, "Seconds without a frame after which a job of the queue counts as hanging and is ended", gt=0
    )
    job_attempts: int = _setting(2, JOBS, "Times that a job is tried when its process crashes or hangs", ge=1)
    commercial: bool = _setting(
        False, JOBS, "true leaves out engines whose weights or code forbid commercial use, in new sessions"
    )

    host: str = _setting(
        "127.0.0.1", WEB, "Address that the web app listens on; any but this machine's own needs PASSWORD"
    )
    port: int = _setting(7870, WEB, "Port of the web app", ge=0, le=65535)
    password: SecretStr = _secret(WEB, "Password that the web app asks for; empty for none")
    storage_secret: SecretStr = _secret(
        WEB, "Key that signs the web app's cookies; made and kept in the workspace if empty"
    )
    language: Literal["", "en", "zh"] = _setting(
        "", WEB, "Language of the web app and of Feishu's cards: en or zh; empty follows the browser"
    )
    upload_limit_gb: float = _setting(64, WEB, "Largest file that the web app takes, in GB", gt=0)
    lan_ip: str = _setting("", WEB, "Address or name that links to the web app have; empty for the one that is found")

    storage_backend: Literal["", "r2", "oss"] = _setting(
        "", CLOUD, "Where results are uploaded to: r2, oss, or empty for nowhere"
    )
    storage_auto: bool = _setting(False, CLOUD, "true uploads the results of every job that is done")
    storage_link_hours: float = _setting(
        72,
        CLOUD,
        "Hours that a signed link holds, at most 168; links of a public domain hold for ever",
        gt=0,
        le=168,
    )

    r2_endpoint: str = _setting("", R2, "Address of the store, as https://<account>.r2.cloudflarestorage.com")
    r2_bucket: str = _setting("", R2, "Bucket")
    r2_access_key_id: SecretStr = _secret(R2, "Access key's id")
    r2_secret_access_key: SecretStr = _secret(R2, "Access key's secret")
    r2_cdn_domain: str = _setting("", R2, "Public domain of the bucket, for links that need no signature")
    r2_prefix: str = _setting("splazmatte", R2, "What every key begins with")

    oss_endpoint: str = _setting("", OSS, "Address of the region, as https://oss-cn-hangzhou.aliyuncs.com")
    oss_bucket: str = _setting("", OSS, "Bucket")
    oss_access_key_id: SecretStr = _secret(OSS, "Access key's id")
    oss_access_key_secret: SecretStr = _secret(OSS, "Access key's secret")
    oss_cdn_domain: str = _setting("", OSS, "Public domain of the bucket, for links that need no signature")
    oss_prefix: str = _setting("splazmatte", OSS, "What every key begins with")

    feishu_webhook_url: SecretStr = _secret(
        FEISHU, "Webhook of a group's custom bot, told of jobs that start, end and fail; empty for none"
    )
    feishu_secret: SecretStr = _secret(FEISHU, "The bot's signing secret, where it has one")
    feishu_app_id: str = _setting("", FEISHU, "Id of an app that may upload pictures, for thumbnails on the cards")
    feishu_app_secret: SecretStr = _secret(FEISHU, "That app's secret")

    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", WATCHING, "What goes into workspace/logs: debug, info, warning or error"
    )
    metrics: bool = _setting(False, WATCHING, "true serves Prometheus metrics at /metrics")

    @property
    def workspace_dir(self) -> Path:
        """Return the workspace's absolute folder; a relative one lies in the project's folder."""
        return Path(os.path.realpath(ROOT / self.workspace.expanduser()))  # resolve() fails where links go in a circle

    @property
    def models_path(self) -> Path:
        """Return the absolute folder of the weights; a relative one lies in the project's folder."""
        return (ROOT / self.models_dir.expanduser()).resolve()

    @property
    def sdks_path(self) -> Path:
        """Return the absolute folder of the authors' sources; a relative one lies in the project's folder."""
        return (ROOT / self.sdks_dir.expanduser()).resolve()


def usable_workspace(*, make: bool = False) -> Path:
    """Return the workspace, which may be still to be made.

    Args:
        make: whether it is made now.

    Raises:
        StorageError: no folder can be there: a file is, its name is too long, or it may not be looked at or made.
    """
    path = get_settings().workspace_dir
    with storage_errors(path):
        if make:
            path.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            os.scandir(path).close()
    return path


@cache
def get_settings() -> Settings:
    """Return the settings, read once.

    Raises:
        ParameterError: a setting of the wrong type, or a .env that cannot be read.
    """
    try:
        return Settings()
    except UnicodeError:
        raise ParameterError(".env is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ParameterError(f".env cannot be read: {error.strerror}; let it be read, or move it away") from None
    except ValidationError as error:
        first = error.errors()[0]
        name = variable("_".join(str(part) for part in first["loc"]))
        raise ParameterError(f"setting {name}: {first['msg']}; see .env.example") from None


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def section(name: str) -> str:
    """Return the section that a setting belongs to."""
    extra = Settings.model_fields[name].json_schema_extra
    return str(extra["section"]) if isinstance(extra, dict) else ""


def origin(name: str) -> Origin:
    """Return where a setting's value comes from."""
    if any(key.upper() == variable(name) for key in os.environ):
        return "environment"
    return ".env" if variable(name) in (str(line.key).upper() for line in _file_lines()) else "default"


def misnamed() -> list[str]:
    """Return what is meant as a setting and does nothing, in the environment and in .env: a line for each."""
    lines = _file_lines()
    broken = [line for line in lines if line.error or (line.key and line.value is None)]
    found = [f"line {line.original.line} of .env is not NAME=value and does nothing" for line in broken]
    known = {name.upper(): variable(name) for name in Settings.model_fields}
    for name in dict.fromkeys([*sorted(os.environ), *(line.key or "" for line in lines)]):
        meant = name.upper().removeprefix(PREFIX)
        if re.fullmatch(rf"{PREFIX}\w+", name, re.IGNORECASE) and meant not in known:
            near = get_close_matches(meant, known, n=1)
            hint = f"did you mean {known[near[0]]}?" if near else "see .env.example"
            found.append(f"{name} is no setting and does nothing; {hint}")
    return found


def _file_lines() -> list[Binding]:
    """Return the lines of .env; none where it cannot be read."""
    file = Settings.model_config.get("env_file")
    with suppress(OSError, UnicodeError):
        if isinstance(file, Path) and file.is_file():
            with file.open(encoding="utf-8") as stream:
                return list(parse_stream(stream))
    return []


def shown(value: object) -> str:
    """Return a setting's value as people may see it: of a secret only whether it is set, of an address no log-in."""
    if isinstance(value, SecretStr):
        return "••••••" if value.get_secret_value() else ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Path) and value.is_relative_to(ROOT):
        return value.relative_to(ROOT).as_posix()
    return f"{value:g}" if isinstance(value, float) else re.sub(r"//[^/\s]*@", "//••••••@", str(value))


def env_example() -> str:
    """Return the text of `.env.example`, made from the settings."""
    lines = ["# Copy to .env and change what you need; environment variables win over it.", ""]
    for title in SECTIONS:
        lines += [f"## {title}", ""]
        for name, field in Settings.model_fields.items():
            if section(name) == title:
                lines += [f"# {field.description}", f"# {variable(name)}={shown(field.default)}", ""]
    return "\n".join(lines)
