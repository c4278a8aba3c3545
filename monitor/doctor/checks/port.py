"""Checks of the HTTP endpoint: response, owner of the port, exposure to other hosts."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config.web_section import is_loopback
from monitor.doctor.context import DaemonProcess, DoctorContext
from monitor.doctor.fixes import reload_daemon, restart_daemon, show_log
from monitor.doctor.results import failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.queries.port_probe import PROBE_ADDRESSES, PortProbe, Response, probe_port

OWN_METRIC = b"monitor_build_info"
OWN_SERVER = "monitor"
"""Value of the Server header in responses of monitor."""


def check_port(context: DoctorContext) -> Iterator[CheckResult]:
    """Probe the configured address; if a process listens there, also check the exposure to other hosts."""
    host, port = context.config.web.address
    probe = probe_port(PROBE_ADDRESSES.get(host, host), port)
    yield assess_port(f"{host}:{port}", probe, context.daemon)
    if probe.listening:
        yield assess_exposure(host, probe.metrics)


def assess_port(address: str, probe: PortProbe, daemon: DaemonProcess) -> CheckResult:
    """Check that the daemon listens on the configured address and responds without an error.

    Args:
        address: configured address as host:port.
        probe: result of the probe.
        daemon: process that holds the daemon's lock on the database.
    """
    if not probe.listening:
        if not daemon.running:
            return skipped(CheckId.PORT, f"nothing listens on {address}, and no daemon is known to run")
        fix = f"look for web.listen in the log; after a change of the configuration, {reload_daemon()}"
        return failed(CheckId.PORT, f"nothing listens on {address}, although the daemon runs", fix)
    if not _is_own(probe, daemon):
        program = "another program" if probe.pid is None else f"another program (process {probe.pid})"
        message = f"{program} listens on {address}: {probe.healthy}"
        return failed(CheckId.PORT, message, "end it, or set web.listen to a free port")
    return _assess_own(address, probe, daemon)


def _is_own(probe: PortProbe, daemon: DaemonProcess) -> bool:
    """Return True if the listener is monitor: recognised by its metrics, its Server header or the daemon's PID."""
    identified = OWN_METRIC in probe.metrics.body or OWN_SERVER in (probe.healthy.server, probe.metrics.server)
    return identified or (probe.pid is not None and probe.pid == daemon.pid)


def _assess_own(address: str, probe: PortProbe, daemon: DaemonProcess) -> CheckResult:
    healthy = probe.healthy
    if not healthy.code:
        message = f"{address} accepts connections: {healthy}"
        return failed(CheckId.PORT, message, restart_daemon())
    protocol = "HTTPS" if healthy.secure else "HTTP"
    message = f"{address} responds over {protocol}: /-/healthy {healthy}, /metrics {probe.metrics}"
    if healthy.code == 503:
        return failed(CheckId.PORT, f"{message}: no recent sample", show_log())
    if daemon.running is False:
        fix = "find its configuration with `ps -ef | grep monitor`, and pass it with --config"
        return warning(CheckId.PORT, f"{message}; that daemon runs on another database", fix)
    if healthy.code >= 500 or probe.metrics.code >= 500:
        return failed(CheckId.PORT, message, f"{show_log()}; it has the traceback")
    return ok(CheckId.PORT, message)


def assess_exposure(host: str, metrics: Response) -> CheckResult:
    """Return a warning if other hosts can read /metrics over plain HTTP without a password, otherwise ok.

    Args:
        host: configured host name or address.
        metrics: response to GET /metrics without a password.
    """
    if is_loopback(host):
        return ok(CheckId.EXPOSURE, f"{host}: this machine only")
    if metrics.code == 200 and not metrics.secure:
        fix = "set web.listen to 127.0.0.1, or use TLS and a password (web.config_file)"
        return warning(CheckId.EXPOSURE, f"{host}: readable for other hosts, unencrypted and without password", fix)
    encryption = "encrypted" if metrics.secure else "unencrypted"
    return ok(CheckId.EXPOSURE, f"{host}: reachable for other hosts, {encryption}, /metrics {metrics}")
