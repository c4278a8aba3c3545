"""Fixes: instructions whose commands depend on the init system of the machine."""

from __future__ import annotations

from monitor.system.service.unit import has_systemd


def show_log() -> str:
    """Return the fix for a failure whose cause is in the log of the daemon."""
    return "look into the log: `journalctl -u monitor -n 50`" if has_systemd() else "look into the log of the daemon"


def start_daemon() -> str:
    """Return the fix for a daemon that does not run."""
    return f"start the daemon: {'`systemctl start monitor`, or ' if has_systemd() else ''}`monitor run`"


def restart_daemon() -> str:
    """Return the fix for a daemon that does not respond."""
    return f"restart the daemon{': `systemctl restart monitor`' if has_systemd() else ''}"


def reload_daemon() -> str:
    """Return the instruction that makes the daemon reload its configuration."""
    return "run `systemctl reload monitor`" if has_systemd() else "send SIGHUP to the daemon"


def leave_root() -> str:
    """Return the fix for a daemon that runs as root."""
    return f"run it as {'a service: `sudo monitor install-service`' if has_systemd() else 'a user of its own'}"


def synchronise_clock() -> str:
    """Return the fix for a clock that is not synchronised."""
    return f"run chrony{' or systemd-timesyncd: `timedatectl set-ntp true`' if has_systemd() else ''}"
