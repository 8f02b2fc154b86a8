"""Typed settings: environment over `.env` over the defaults here. The one table of defaults."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import ParameterError

ROOT = Path(__file__).resolve().parent
VERSION = "0.1.0"


class Settings(BaseSettings):
    """What can be set from outside, each as SPLAZMATTE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="SPLAZMATTE_", env_file=ROOT / ".env", extra="ignore")

    workspace: Path = Field(ROOT / "workspace", description="Folder of sessions and results")
    models_dir: Path = Field(ROOT / "models", description="Folder of the neural engines' weights")
    sdks_dir: Path = Field(ROOT / "sdks", description="Folder of the authors' sources that some engines import")
    job_hang_seconds: float = Field(
        600, gt=0, description="Seconds without a frame after which a job of the queue counts as hanging and is ended"
    )
    job_attempts: int = Field(2, ge=1, description="Times that a job is tried when its process crashes or hangs")

    host: str = Field(
        "127.0.0.1", description="Address that the web app listens on; any but this machine's own needs PASSWORD"
    )
    port: int = Field(7870, ge=0, le=65535, description="Port of the web app")
    password: SecretStr = Field(SecretStr(""), description="Password that the web app asks for; empty for none")
    storage_secret: SecretStr = Field(
        SecretStr(""), description="Key that signs the web app's cookies; made and kept in the workspace if empty"
    )
    language: Literal["", "en", "zh"] = Field(
        "", description="Language of the web app: en or zh; empty follows the browser"
    )
    upload_limit_gb: float = Field(64, gt=0, description="Largest file that the web app takes, in GB")

    @property
    def workspace_dir(self) -> Path:
        """Return the workspace's absolute folder; a relative one lies in the project's folder."""
        return (ROOT / self.workspace.expanduser()).resolve()

    @property
    def models_path(self) -> Path:
        """Return the absolute folder of the weights; a relative one lies in the project's folder."""
        return (ROOT / self.models_dir.expanduser()).resolve()

    @property
    def sdks_path(self) -> Path:
        """Return the absolute folder of the authors' sources; a relative one lies in the project's folder."""
        return (ROOT / self.sdks_dir.expanduser()).resolve()

    @property
    def sessions_dir(self) -> Path:
        """Return the folder of the matting sessions."""
        return self.workspace_dir / "sessions"

    @property
    def tracking_sessions_dir(self) -> Path:
        """Return the folder of the tracking sessions."""
        return self.workspace_dir / "tracking_sessions"


@cache
def get_settings() -> Settings:
    """Return the settings, read once.

    Raises:
        ParameterError: a setting of the wrong type.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "SPLAZMATTE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ParameterError(f"setting {name}: {first['msg']}; see .env.example") from None


def env_example() -> str:
    """Return the text of `.env.example`, made from the settings."""
    lines = ["# Copy to .env and change what you need; environment variables win over it.", ""]
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, Path) and default.is_relative_to(ROOT):
            default = default.relative_to(ROOT).as_posix()
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        lines += [f"# {field.description}", f"# SPLAZMATTE_{name.upper()}={default}", ""]
    return "\n".join(lines)
