"""What systemd is told: ready, still sampling, reloading, stopping (the protocol of sd_notify(3)).

Outside of a unit with Type=notify there is no socket, and nothing is said. Nothing here may hold up or end a tick:
a message that cannot be delivered at once is dropped, and the next one follows with the next sample.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping

from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger

log = get_logger(__name__)

START_SECONDS = 60
"""Beyond one interval, what a start may take before its first sample is stored, from its last sign of life on."""


class Notifier:
    """The state of the service, as its manager is told.

    READY is said once the port is open and a sample is stored; the watchdog is fed by nothing but a sample.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID as systemd sets them."""
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._watchdog = _watchdog(environ)
        self._interval = 0.0
        self._open = self._stored = self._ready = False
        self._said = ""
        self._deaf = RecurringFailure(
            log, "systemd notification failed", "systemd notification recovered", level=logging.WARNING
        )

    def opening(self, interval: float) -> None:
        """Everything is about to be opened; samples will come every `interval` seconds."""
        self._interval, self._open = interval, False
        if not self._ready:
            self._extend_start()

    def opened(self, patience: float) -> None:
        """The port answers and sampling has begun; a pause of `patience` seconds between two samples is none yet."""
        self._open = True
        if self._watchdog:
            # An interval longer than the unit's own time must not look like a hang.
            self._send(f"WATCHDOG_USEC={max(self._watchdog, round(patience * 1e6))}")
        if self._stored:
            self._say_ready()
        else:
            self._extend_start()

    def sampled(self, status: str, *, stored: bool) -> None:
        """A fresh sample is here; `stored` unless it waits for the database. `status` is one line for people."""
        self._stored = self._stored or stored
        if self._ready:
            self._send("WATCHDOG=1", *self._changed(status))
        elif self._stored and self._open:
            self._say_ready("WATCHDOG=1", *self._changed(status))
        else:
            # Samples come, so a restart would mend nothing and lose those that wait.
            self._extend_start()

    def stalled(self, status: str) -> None:
        """No sample has come for too long: a line for people, while the watchdog goes unfed."""
        if self._ready:
            self._send(*self._changed(status))

    def reloading(self) -> None:
        """The configuration is being read anew."""
        if self._ready:
            self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def kept(self) -> None:
        """The new configuration was refused, and all goes on as before."""
        if self._ready:
            self._send("READY=1")

    def stopping(self) -> None:
        """The end was asked for."""
        self._send("STOPPING=1", *self._changed("stopping"))

    def _say_ready(self, *more: str) -> None:
        self._ready = True
        self._send("READY=1", *more)

    def _extend_start(self) -> None:
        self._send(f"EXTEND_TIMEOUT_USEC={round((self._interval + START_SECONDS) * 1e6)}")

    def _changed(self, status: str) -> list[str]:
        line = " ".join(status.split())
        if line == self._said:
            return []
        self._said = line
        return [f"STATUS={line}"]

    def _send(self, *assignments: str) -> None:
        if self._address is None or not assignments:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto("\n".join(assignments).encode(), self._address)
        except OSError as error:
            self._deaf.failure(message=assignments[0], error=error)
        else:
            self._deaf.success()


def from_environment() -> Notifier:
    """The notifier of this process."""
    return Notifier(os.environ)


def _address(text: str) -> bytes | None:
    """A path, or an abstract name, which begins with a zero byte for the kernel and with @ in the environment."""
    if text.startswith("@"):
        return b"\0" + os.fsencode(text[1:])
    if text.startswith("/"):
        return os.fsencode(text)
    if text:
        log.warning("notify socket invalid", socket=text)
    return None


def _watchdog(environ: Mapping[str, str]) -> int:
    """Microseconds within which the manager wants to be told, 0 for no watchdog, or one that is not meant for us."""
    microseconds, meant = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or (meant and meant != str(os.getpid())):
        return 0
    return int(microseconds)
