"""By which names this machine may be asked: a page from elsewhere must not reach it by a name of its own choice."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Sequence
from fnmatch import fnmatchcase


class AllowedHosts:
    """Addresses, localhost, this machine's own names, and those that the configuration allows."""

    def __init__(self, allowed: Sequence[str]) -> None:
        """Takes shell patterns."""
        self._allowed = tuple(pattern.lower() for pattern in allowed)
        name = socket.gethostname().lower()
        self._own = {"localhost", name, name.partition(".")[0]}
        # The full name may have to be asked for, from a resolver that does not answer.
        threading.Thread(target=self._learn, name="host name", daemon=True).start()

    def _learn(self) -> None:
        self._own.add(socket.getfqdn().lower())

    def known(self, header: str) -> bool:
        """Whether a Host header names one of them. Without one it is no browser that asks, and none to be misled."""
        name = _name(header)
        if not name or name in self._own or _is_address(name):
            return True
        return any(fnmatchcase(name, pattern) for pattern in self._allowed)


def _name(header: str) -> str:
    """Without the port, brackets and the last dot."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
