"""Service checks: process and systemd unit of the daemon."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping

import psutil

from monitor.doctor.checks.permissions import user_name
from monitor.doctor.context import DoctorContext
from monitor.doctor.fixes import leave_root, start_daemon
from monitor.doctor.results import failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.system.formatting import format_count
from monitor.system.service.unit import NAME, has_systemd

PROPERTIES = (
    "LoadState", "ActiveState", "SubState", "UnitFileState", "NRestarts", "WatchdogUSec", "MainPID", "Result", "User",
    "IPAddressDeny", "IPAddressAllow",
)  # fmt: skip
"""Properties of the unit that the check reads."""

SYSTEMCTL_TIMEOUT = 1.5
"""Timeout of systemctl in seconds."""

MANY_RESTARTS = 3

WRITE_UNIT = "write the unit again: `sudo monitor install-service`"


def check_daemon(context: DoctorContext) -> Iterator[CheckResult]:
    """Check that a daemon runs on this database, and check its user and its state."""
    daemon = context.daemon
    if daemon.running is None:
        yield skipped(CheckId.DAEMON, f"unknown whether a daemon runs: {daemon.reason}")
        return
    if not daemon.running:
        used = context.records is not None and context.records.overview.last_sample is not None
        result = failed if used else warning
        yield result(CheckId.DAEMON, "no daemon runs on this database", start_daemon())
        return
    yield _assess_process(context)


def _assess_process(context: DoctorContext) -> CheckResult:
    """Check that the daemon is not stopped by a signal, and runs as the owner of its directory, not as root."""
    pid = context.daemon.pid
    if pid is None:
        return skipped(CheckId.DAEMON, "running; its process is not known here")
    try:
        process = psutil.Process(pid)
        user = process.uids().effective
        parent = process.ppid()
        state = process.status()
    except psutil.Error:
        return skipped(CheckId.DAEMON, f"running as process {pid}, which is not visible from here")
    owner = context.directory.stat().st_uid if context.directory else user
    manager = "under systemd" if parent == 1 and has_systemd() else "not under systemd"
    message = f"process {pid}, user {user_name(user)}, {manager}"
    if state == psutil.STATUS_STOPPED:
        return failed(CheckId.DAEMON, f"{message}: stopped by a signal (SIGSTOP)", f"continue it: `kill -CONT {pid}`")
    if user not in (0, owner):
        fix = f"run `chown -R {user} {context.directory}`, then restart the daemon"
        return failed(CheckId.DAEMON, f"{message}; its directory is owned by {user_name(owner)}", fix)
    if user == 0:
        return warning(CheckId.DAEMON, f"{message}: it does not need to run as root", leave_root())
    return ok(CheckId.DAEMON, message)


def check_unit(context: DoctorContext) -> Iterator[CheckResult]:
    """Check the systemd unit: loaded, active, enabled, with a watchdog and fewer than MANY_RESTARTS restarts.

    If `web.listen` is no loopback address, the address filter of the unit must allow other hosts.
    """
    if not has_systemd():
        yield skipped(CheckId.SERVICE, "systemd is not the init system of this machine")
        return
    try:
        yield assess_unit(_unit_properties(), local_only=context.config.stays_local)
    except (OSError, subprocess.SubprocessError) as error:
        yield skipped(CheckId.SERVICE, f"systemctl failed: {error}")


def _unit_properties() -> dict[str, str]:
    completed = subprocess.run(  # noqa: S603 - constant arguments
        ["systemctl", "show", NAME, f"--property={','.join(PROPERTIES)}"],  # noqa: S607 - its directory differs
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=SYSTEMCTL_TIMEOUT,
    )
    return dict(line.split("=", 1) for line in completed.stdout.splitlines() if "=" in line)


def assess_unit(properties: Mapping[str, str], *, local_only: bool = True) -> CheckResult:
    """Return a failure if the unit is not loaded or not active; skipped if it is not installed.

    An active unit with many restarts, not enabled or without a watchdog gets a warning.

    Args:
        properties: properties that `systemctl show` prints, keyed by name.
        local_only: True if the daemon needs connections with this host only.
    """
    if properties.get("LoadState") == "not-found":
        return skipped(CheckId.SERVICE, "not installed; to install it, run `sudo monitor install-service`")
    active = properties.get("ActiveState", "unknown")
    state = f"{NAME} {active} ({properties.get('SubState', '')})"
    restarts = int(properties.get("NRestarts") or 0)
    message = (
        f"{state}, {_enabled(properties)}, {format_count(restarts, 'restart')}, watchdog {_watchdog(properties)}"
    )
    if properties.get("LoadState") != "loaded":
        return failed(CheckId.SERVICE, f"{message}: {properties.get('LoadState')}", WRITE_UNIT)
    if active != "active":
        result = properties.get("Result", "success")
        detail = "" if result == "success" else f"; last result {result}"
        fix = f"run `systemctl start {NAME}`; for the reason, `journalctl -u {NAME} -n 50`"
        return failed(CheckId.SERVICE, f"{message}{detail}", fix)
    if not local_only and _filters_addresses(properties):
        return warning(CheckId.SERVICE, f"{message}: its address filter allows no other host", WRITE_UNIT)
    return _assess_active_unit(message, properties, restarts)


def _assess_active_unit(message: str, properties: Mapping[str, str], restarts: int) -> CheckResult:
    if restarts >= MANY_RESTARTS:
        fix = f"look for what ends it: `journalctl -u {NAME} -p warning`"
        return warning(CheckId.SERVICE, message, fix)
    if _enabled(properties) != "enabled":
        return warning(CheckId.SERVICE, f"{message}: not started at boot", f"run `systemctl enable {NAME}`")
    if _watchdog(properties) in ("0", "infinity"):
        return warning(CheckId.SERVICE, f"{message}: a hang would not be detected", WRITE_UNIT)
    return ok(CheckId.SERVICE, message)


def _filters_addresses(properties: Mapping[str, str]) -> bool:
    """Return True if the unit denies all addresses except those of this host."""
    allowed = properties.get("IPAddressAllow", "").split()
    return "0.0.0.0/0" in properties.get("IPAddressDeny", "").split() and {*allowed} <= {"127.0.0.0/8", "::1/128"}


def _enabled(properties: Mapping[str, str]) -> str:
    return properties.get("UnitFileState", "unknown")


def _watchdog(properties: Mapping[str, str]) -> str:
    return properties.get("WatchdogUSec", "0")
