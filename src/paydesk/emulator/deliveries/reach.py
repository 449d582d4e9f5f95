"""Who may be delivered to: this machine, and nobody else unless the server was told so."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_this_machine(url: str) -> bool:
    """Whether a URL's host is this machine, told from the URL alone: no name is looked up."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
        if host == "localhost":
            return True
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
