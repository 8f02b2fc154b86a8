"""The web app: settings, services, the guard, pages, serving. Start it with `./start.sh app` or `python app.py`."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app_logic.checks import refuse_wrong, warn_of_misnamed
from config import VERSION, Settings, get_settings, usable_workspace
from errors import ParameterError, SplazMatteError, storage_errors
from log import LOG, to_console, to_file

if TYPE_CHECKING:
    from app_logic.services import Services
    from pages.web.login import Logins


def main() -> int:
    """Run the app until it is told to end; return its exit code."""
    parser = argparse.ArgumentParser(prog="app.py", description="SplazMatte's web app")
    parser.add_argument("--host", help="address to listen on; any but this machine's own needs SPLAZMATTE_PASSWORD")
    parser.add_argument("--port", type=int, help="port to listen on")
    parser.add_argument("--no-browser", action="store_true", help="do not open the page in a browser")
    arguments = parser.parse_args()
    try:
        settings = get_settings()
        host = arguments.host or settings.host
        port = settings.port if arguments.port is None else arguments.port
        port = check(host, port, settings)
        refuse_wrong()
        with to_console(), to_file(usable_workspace(make=True) / "logs", "app"):
            warn_of_misnamed()
            serve(host, port, settings, show=not arguments.no_browser)
    except SplazMatteError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def check(host: str, port: int, settings: Settings) -> int:
    """Refuse what would be open to strangers, or cannot be listened on; return the port, for 0 one that is free.

    Raises:
        ParameterError: no password on an address that others reach, or an address that is not to be had.
    """
    if not is_loopback(host) and not settings.password.get_secret_value():
        raise ParameterError(f"others can reach {host}: set SPLAZMATTE_PASSWORD, or listen on 127.0.0.1")
    if not 0 <= port <= 65535:
        raise ParameterError(f"there is no port {port}; choose one of 1 to 65535: --port")
    try:
        kind, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind) as probe:
            if os.name != "nt":  # there it would let two apps share the port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except (OSError, OverflowError) as error:
        raise ParameterError(f"cannot listen on {host}, port {port}: {error}; choose another: --port") from None


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches `host`."""
    return host in ("localhost", "::1") or host.startswith("127.")


def serve(host: str, port: int, settings: Settings, *, show: bool) -> None:
    """Serve until told to end."""
    workspace = settings.workspace_dir
    secret = settings.storage_secret.get_secret_value() or kept_secret(workspace)
    os.environ.setdefault("NICEGUI_STORAGE_PATH", str(workspace / ".browsers"))

    from nicegui import app, ui

    from app_logic.services import Services
    from app_logic.watch.links import Address
    from pages.web.security import LOOPBACK, Guard

    services = Services(workspace, Address(host, port))
    register(services, settings)
    app.on_startup(services.start)
    app.on_shutdown(services.close)
    hosts = LOOPBACK | {host} if is_loopback(host) else None
    build = app.build_middleware_stack  # NiceGUI puts middleware of its own before all that is added
    app.build_middleware_stack = lambda: Guard(build(), hosts, logins(settings, secret))  # type: ignore[method-assign]
    named = "localhost" if is_loopback(host) else host
    print(f"SplazMatte: http://{named}:{port} (Ctrl-C ends it)", flush=True)
    LOG.info("the web app starts", version=VERSION, host=host, port=port, pid=os.getpid())
    app.on_shutdown(lambda: LOG.info("the web app ends"))
    ui.run(
        host=host, port=port, title="SplazMatte", dark=None, reload=False, show=show, storage_secret=secret,
        show_welcome_message=False, session_middleware_kwargs={"same_site": "lax"}, favicon="🎬",
        timeout_graceful_shutdown=3, server_header=False, log_config=None,
    )  # fmt: skip


def register(services: Services, settings: Settings) -> None:
    """Add the pages and everything that they load."""
    from nicegui import app

    from app_logic.uploads import Uploads
    from pages import matting, models, tracking
    from pages import settings as settings_page
    from pages.web import files, media, portable, watch

    uploads = Uploads(services.workspace, int(settings.upload_limit_gb * 1e9))
    uploads.sweep()
    app.add_static_files("/static", Path(__file__).parent / "pages" / "static", max_cache_age=0)
    media.register(services)
    media.register_tracks(services)
    files.register(services, uploads)
    portable.register(services)
    watch.register(services)
    matting.register(services)
    tracking.register(services)
    models.register(services)
    settings_page.register(services)


def logins(settings: Settings, secret: str) -> Logins | None:
    """Return who may enter; None where no password is set."""
    from pages.web.login import Logins

    password = settings.password.get_secret_value()
    return Logins(password, secret) if password else None


def kept_secret(workspace: Path) -> str:
    """Return the key that signs cookies: made once, readable for its owner only.

    Raises:
        StorageError: the workspace is not writable.
    """
    path = workspace / ".storage_secret"
    with storage_errors(path):
        workspace.mkdir(parents=True, exist_ok=True)
        if not path.exists() or not path.read_text().strip():
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(32))
        return path.read_text().strip()


if __name__ == "__main__":
    sys.exit(main())
