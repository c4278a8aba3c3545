"""Validation of the Host header: protection against DNS rebinding."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Sequence
from fnmatch import fnmatchcase


class AllowedHosts:
    """Set of host names under which the endpoint serves its page and API.

    IP addresses, localhost and the names of this machine are always allowed.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        """Initialize the set, and start to resolve the full name of this machine.

        Args:
            patterns: shell patterns of additional host names.
        """
        self._patterns = tuple(pattern.lower() for pattern in patterns)
        hostname = socket.gethostname().lower()
        self._own_names = {"localhost", hostname, hostname.partition(".")[0]}
        # A resolver that does not respond must not delay the start.
        threading.Thread(target=self._resolve_full_name, name="host name", daemon=True).start()

    def allows(self, header: str) -> bool:
        """Return True if the host in a Host header is allowed.

        An empty header is allowed: DNS rebinding needs a browser, and browsers always send the header.
        """
        name = _host_name(header)
        if not name or name in self._own_names or _is_ip_address(name):
            return True
        return any(fnmatchcase(name, pattern) for pattern in self._patterns)

    def _resolve_full_name(self) -> None:
        self._own_names.add(socket.getfqdn().lower())


def _host_name(header: str) -> str:
    """Return the host of a Host header in lower case, without port, brackets and trailing dot."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].rstrip(".")


def _is_ip_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
