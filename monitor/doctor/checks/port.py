"""What answers at web.listen."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

import psutil

from monitor.doctor.context import Daemon, Evidence
from monitor.doctor.results import Result, failed, ok, skipped, warning

PATIENCE = 2.0
"""Seconds for all that is asked."""

REFUSED, NOT_HTTP, NO_ANSWER = "refused", "not HTTP", f"no answer within {PATIENCE:g} s"

LARGEST = 4 * 2**20
"""Bytes of an answer that are read."""

OURS = b"monitor_build_info"
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - asked about, not bound
"""What to ask for that which listens at every address."""


@dataclass(frozen=True)
class Answer:
    """`code` of HTTP, 0 where there was none; `why` there was none."""

    code: int
    body: bytes = b""
    server: str = ""
    secure: bool = False
    why: str = ""


@dataclass(frozen=True)
class Seen:
    """What was found at an address: the answers to two questions, whether anything listens, and which process.

    `holder` is None where that is not to be known.
    """

    listening: bool
    healthy: Answer
    metrics: Answer
    holder: int | None


def port(evidence: Evidence) -> Iterator[Result]:
    """Asks /-/healthy and /metrics, and judges what comes back."""
    host, number = evidence.config.web.address
    name = f"{host}:{number}"
    seen = look(ANYWHERE.get(host, host), number)
    yield judge_port(name, seen, evidence.daemon)
    if seen.listening:
        yield judge_exposure(host, seen.metrics)


def look(host: str, number: int) -> Seen:
    """Asks, within `PATIENCE` seconds in all."""
    end = time.monotonic() + PATIENCE
    healthy = _ask(host, number, "/-/healthy", end)
    if healthy.why == REFUSED:
        return Seen(False, healthy, healthy, None)
    metrics = _ask(host, number, "/metrics", end, secure=healthy.secure) if healthy.code else healthy
    return Seen(True, healthy, metrics, _listener(number))


def _ask(host: str, number: int, path: str, end: float, *, secure: bool = False) -> Answer:
    """The answer over HTTP, or over TLS where that is what is spoken there, whosever certificate it is."""
    found = _asked(host, number, path, end, secure=secure)
    not_plain = found.why == NOT_HTTP or (found.code == 400 and b"HTTPS" in found.body)
    if not secure and not_plain:
        over_tls = _asked(host, number, path, end, secure=True)
        return over_tls if over_tls.code else found
    return found


def _asked(host: str, number: int, path: str, end: float, *, secure: bool) -> Answer:
    left = max(0.1, end - time.monotonic())
    connection: http.client.HTTPConnection
    if secure:
        # Only whether it answers is asked; nothing is believed that it says, and nothing is told to it.
        unverified = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(host, number, timeout=left, context=unverified)
    else:
        connection = http.client.HTTPConnection(host, number, timeout=left)
    # The time-out of a socket is for each piece of an answer: one that comes drop by drop would go on for ever.
    over = threading.Event()
    ending = threading.Timer(left, _hang_up, (connection, over))
    ending.start()
    with closing(connection):
        found = _heard(connection, path, secure=secure)
        ending.cancel()
    return Answer(0, why=NO_ANSWER) if over.is_set() else found


def _heard(connection: http.client.HTTPConnection, path: str, *, secure: bool) -> Answer:
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return Answer(response.status, response.read(LARGEST), response.getheader("Server", ""), secure)
    except ConnectionRefusedError:
        return Answer(0, why=REFUSED)
    except TimeoutError:
        return Answer(0, why=NO_ANSWER)
    except (http.client.HTTPException, ConnectionError, ssl.SSLError):
        return Answer(0, why=NOT_HTTP)
    except OSError as error:
        return Answer(0, why=error.strerror or str(error))


def _hang_up(connection: http.client.HTTPConnection, over: threading.Event) -> None:
    over.set()
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _listener(number: int) -> int | None:
    """The process that listens there, as far as this user may know."""
    try:
        found = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return None
    listening = (c.pid for c in found if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == number)
    return next((pid for pid in listening if pid), None)


def judge_port(name: str, seen: Seen, daemon: Daemon) -> Result:
    """Whether the daemon answers at its address.

    Args:
        name: of the address.
        seen: there.
        daemon: of this database.
    """
    if not seen.listening:
        if not daemon.running:
            return skipped("port", f"nothing listens on {name}, and no daemon is known to run")
        mend = "see its log for web.listen; after a change of the configuration: systemctl reload monitor"
        return failed("port", f"nothing listens on {name}, though the daemon runs", mend)
    if not _is_ours(seen, daemon):
        who = "another program" if seen.holder is None else f"another program (process {seen.holder})"
        said = seen.healthy.why or f"answers {seen.healthy.code}"
        return failed("port", f"{who} holds {name}: {said}", "end it, or set web.listen to a free port")
    return _judge_ours(name, seen, daemon)


def _is_ours(seen: Seen, daemon: Daemon) -> bool:
    ours = OURS in seen.metrics.body or "monitor" in (seen.healthy.server, seen.metrics.server)
    # One that asks for a password may not say who it is.
    return ours or (seen.holder is not None and seen.holder == daemon.process)


def _judge_ours(name: str, seen: Seen, daemon: Daemon) -> Result:
    over = "HTTPS" if seen.healthy.secure else "HTTP"
    codes = f"/-/healthy {seen.healthy.code or seen.healthy.why}, /metrics {seen.metrics.code or seen.metrics.why}"
    told = f"{name} answers over {over}: {codes}"
    if not seen.healthy.code:
        return failed(
            "port", f"{name} takes connections: {seen.healthy.why}", "restart it: systemctl restart monitor"
        )
    if seen.healthy.code == 503:
        return failed("port", f"{told}: no sample for too long", "see why in its log: journalctl -u monitor -n 50")
    if daemon.running is False:
        mend = "see which configuration it runs with: ps -ef | grep monitor; and name that one with --config"
        return warning("port", f"{told}; that daemon runs on another database", mend)
    if seen.healthy.code >= 500 or seen.metrics.code >= 500:
        return failed("port", told, "see the traceback in its log: journalctl -u monitor -n 50")
    return ok("port", told)


def judge_exposure(host: str, metrics: Answer) -> Result:
    """Whether others can read it unasked."""
    if _is_loopback(host):
        return ok("exposure", f"{host}: this machine only")
    if metrics.code == 200 and not metrics.secure:
        mend = "bind it to 127.0.0.1 (web.listen), or put TLS and a password before it"
        return warning("exposure", f"{host}: every host that reaches it reads it, unencrypted", mend)
    how = "encrypted" if metrics.secure else "not encrypted"
    return ok("exposure", f"{host}: other hosts reach it, {how}, /metrics answers {metrics.code or metrics.why}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
