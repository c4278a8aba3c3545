"""Notifications to systemd (sd_notify(3)): ready, watchdog, status, reloading and stopping."""

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
"""Seconds by which a notification extends systemd's start timeout, in addition to one sampling interval."""


class Notifier:
    """Sender of the service state to systemd; without NOTIFY_SOCKET it does nothing.

    READY is sent once the port is open and a sample is taken. Only samples reset the watchdog. Sending never blocks:
    a message that cannot be delivered at once is dropped.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, which systemd sets."""
        self._address = _socket_address(environ.get("NOTIFY_SOCKET", ""))
        self._watchdog = _watchdog_microseconds(environ)
        self._interval = 0.0
        self._open = False
        self._sampled = False
        self._ready = False
        self._last_status = ""
        self._send_failure = RecurringFailure(
            log, "systemd notification failed", "systemd notification recovered", level=logging.WARNING
        )

    def opening(self, interval: float) -> None:
        """Extend systemd's start timeout while the daemon opens its resources; do nothing after READY.

        Args:
            interval: sampling interval in seconds.
        """
        self._interval = interval
        self._open = False
        if not self._ready:
            self._extend_start()

    def opened(self, patience: float) -> None:
        """Set the watchdog timeout now that the port is open; send READY if a sample is taken.

        Args:
            patience: smallest watchdog timeout in seconds: the age of the newest sample at which sampling counts
                as stopped.
        """
        self._open = True
        if self._watchdog:
            # A sampling interval longer than the unit's watchdog time must not look like a hang.
            self._send(f"WATCHDOG_USEC={max(self._watchdog, round(patience * 1e6))}")
        if self._sampled:
            self._send_ready()
        else:
            self._extend_start()

    def sampled(self, status: str) -> None:
        """Reset the watchdog and update the status; until READY can be sent, extend the start timeout instead.

        Args:
            status: state of the daemon in one line, which `systemctl status` shows.
        """
        self._sampled = True
        if self._ready:
            self._send("WATCHDOG=1", *self._changed_status(status))
        elif self._open:
            self._send_ready("WATCHDOG=1", *self._changed_status(status))
        else:
            self._extend_start()

    def stalled(self, status: str) -> None:
        """Show in `systemctl status` that samples have stopped; the watchdog is not reset."""
        if self._ready:
            self._send(*self._changed_status(status))

    def reloading(self) -> None:
        """Notify systemd that a configuration reload has started."""
        if self._ready:
            self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reload_failed(self) -> None:
        """Notify that the daemon rejected a new configuration and continues with the previous one."""
        if self._ready:
            self._send("READY=1")

    def stopping(self) -> None:
        """Notify that the daemon is stopping."""
        self._send("STOPPING=1", *self._changed_status("stopping"))

    def _send_ready(self, *more: str) -> None:
        self._ready = True
        self._send("READY=1", *more)

    def _extend_start(self) -> None:
        self._send(f"EXTEND_TIMEOUT_USEC={round((self._interval + START_SECONDS) * 1e6)}")

    def _changed_status(self, status: str) -> list[str]:
        line = " ".join(status.split())
        if line == self._last_status:
            return []
        self._last_status = line
        return [f"STATUS={line}"]

    def _send(self, *assignments: str) -> None:
        if self._address is None or not assignments:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto("\n".join(assignments).encode(), self._address)
        except OSError as error:
            self._send_failure.failure(message=assignments[0], error=error)
        else:
            self._send_failure.success()


def from_environment() -> Notifier:
    """Return a notifier for the systemd variables in the environment of this process."""
    return Notifier(os.environ)


def _socket_address(text: str) -> bytes | None:
    """Return the address of a socket path or of an abstract socket (`@` becomes a zero byte); None for other text."""
    if text.startswith("@"):
        return b"\0" + os.fsencode(text[1:])
    if text.startswith("/"):
        return os.fsencode(text)
    if text:
        log.warning("notify socket invalid", socket=text)
    return None


def _watchdog_microseconds(environ: Mapping[str, str]) -> int:
    """Return the watchdog timeout in microseconds; 0 if no watchdog is set for this process."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    process = environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or (process and process != str(os.getpid())):
        return 0
    return int(microseconds)
