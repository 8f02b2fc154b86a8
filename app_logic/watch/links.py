"""Where the page of a session is reached from other machines."""

from __future__ import annotations

import ipaddress
import re
import socket
from contextlib import suppress
from dataclasses import dataclass

from errors import ParameterError

PAGES = {"matting": "/", "tracking": "/tracking"}
_ANY = {"", "0.0.0.0", "::"}
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Address:
    """Where the web app listens."""

    host: str
    port: int


def check_lan_ip(value: str) -> None:
    """Refuse what is neither an address nor a name.

    Raises:
        ParameterError: with the name of the setting.
    """
    if value and not _is_address(value) and not _NAME.fullmatch(value):
        raise ParameterError(
            "SPLAZMATTE_LAN_IP must be an address or a name, as 192.168.1.20 or studio.lan: no scheme, no port"
        )


def session_link(address: Address, lan_ip: str, kind: str, session_id: str) -> str:
    """Return the address of a session's page; empty where other machines do not reach the app.

    Args:
        address: where the app listens.
        lan_ip: what to call this machine; empty for what is found.
        kind: of the session.
        session_id: of the session.
    """
    if is_loopback(address.host) or kind not in PAGES or not address.port:
        return ""
    name = lan_ip or (found_address() if address.host in _ANY else address.host)
    if not name:
        return ""
    return f"http://{f'[{name}]' if ':' in name else name}:{address.port}{PAGES[kind]}?session={session_id}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches `host`."""
    return host in ("localhost", "::1") or host.startswith("127.")


def found_address() -> str:
    """Return this machine's address in its network, as far as it has one; nothing is sent."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # of no machine anywhere: it only chooses the way out
        found = str(probe.getsockname()[0])
        return "" if is_loopback(found) or found == "0.0.0.0" else found
    return ""


def _is_address(value: str) -> bool:
    with suppress(ValueError):
        ipaddress.ip_address(value)
        return True
    return False
