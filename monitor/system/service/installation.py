"""Installation of the systemd service: write the units and the configuration, remove the units."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from monitor.errors import MonitorError
from monitor.system.service.unit import (
    HOST_SERVICE,
    PROCESSES_SOCKET,
    SYSTEMD,
    Program,
    Service,
    has_systemd,
    unit_text,
    unreadable_paths,
)
from storage.file_ownership import make_directories

UNITS = Path("/etc/systemd/system")
MARKER = "`monitor install-service`"
"""Text in the first line of every unit that this program writes."""


class UnitChange(StrEnum):
    """Effect of an installation on the unit file."""

    WRITTEN = "written"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Installation:
    """Result of an installation.

    Attributes:
        unit: path of the unit of the daemon.
        unit_change: largest effect on a unit file: of the daemon, or of the list of processes.
        config: path of the configuration.
        config_written: True if the configuration was missing and has been written.
        next_command: command that starts or restarts the service with this unit.
    """

    unit: Path
    unit_change: UnitChange
    config: Path
    config_written: bool
    next_command: str


@dataclass(frozen=True)
class Removal:
    """Result of a removal.

    Attributes:
        unit: path of the unit.
        removed: True if the unit existed and was removed.
        kept: paths of configuration, state and drop-ins that still exist.
    """

    unit: Path
    removed: bool
    kept: tuple[str, ...]


def install(
    program: Program,
    config: Path,
    *,
    default_config: str,
    stays_local: Callable[[Path], bool],
    service: Service | None = None,
) -> Installation:
    """Write the systemd units, and the configuration if it is missing, and reload systemd.

    Args:
        program: the program that the service runs.
        config: path of the configuration.
        default_config: text of a new configuration.
        stays_local: returns True if an existing configuration needs connections with this host only; raises an
            error if the configuration is invalid. Called before anything is written.
        service: service to install; None for that of one host.

    Raises:
        MonitorError: root or systemd is missing, the service could not read a path, an existing unit was not written
            by this program, or systemctl failed.
    """
    _require_systemd("install-service", hint="; with --print it shows the unit")
    problems = unreadable_paths((*program.needs, config))
    if problems:
        raise MonitorError("\n".join(problems))
    service = service or HOST_SERVICE
    units = {UNITS / name: _read_own_unit(UNITS / name) for name in service.units}
    config_exists = config.exists()
    local_only = not config_exists or stays_local(config)
    texts = {unit: unit_text(program, config, name=unit.name, local_only=local_only) for unit in units}
    if not config_exists:
        _write_config(config, default_config)
    changes = [_write_unit(unit, former_text, texts[unit]) for unit, former_text in units.items()]
    systemctl("daemon-reload")
    running = systemctl("is-active", "--quiet", service.name, check=False) == 0
    return Installation(
        unit=UNITS / service.name,
        unit_change=next((change for change in changes if change is not UnitChange.UNCHANGED), UnitChange.UNCHANGED),
        config=config,
        config_written=not config_exists,
        next_command=f"systemctl restart {service.name}" if running else f"systemctl enable --now {service.name}",
    )


def uninstall(service: Service | None = None) -> Removal:
    """Stop and disable the service, and remove its units; configuration, state and drop-ins are kept.

    Raises:
        MonitorError: root or systemd is missing, the unit was not written by this program, or systemctl failed.
    """
    _require_systemd("uninstall-service")
    service = service or HOST_SERVICE
    unit = UNITS / service.name
    installed = [UNITS / name for name in service.units if _read_own_unit(UNITS / name) is not None]
    removed = unit in installed
    if removed:
        systemctl("disable", "--now", "--quiet", service.name)
    if UNITS / PROCESSES_SOCKET in installed:
        systemctl("stop", "--quiet", PROCESSES_SOCKET)
    for path in installed:
        path.unlink()
    if installed:
        systemctl("daemon-reload")
    if removed:
        # Otherwise a failed unit would be listed until the next boot.
        systemctl("reset-failed", "--quiet", service.name, check=False)
    kept = tuple(path for path in (str(service.config), service.state, f"{unit}.d") if Path(path).exists())
    return Removal(unit=unit, removed=removed, kept=kept)


def systemctl(*arguments: str, check: bool = True) -> int:
    """Run systemctl and return its exit code.

    Args:
        arguments: arguments of systemctl.
        check: raise an error for an exit code other than 0.

    Raises:
        MonitorError: systemctl failed and `check` is True.
    """
    process = subprocess.run(  # noqa: S603 - constant arguments
        ["systemctl", *arguments],  # noqa: S607 - its directory depends on the distribution
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if check and process.returncode:
        messages = process.stderr.strip().splitlines()
        reason = messages[-1] if messages else f"exit code {process.returncode}"
        raise MonitorError(f"systemctl {' '.join(arguments)}: {reason}")
    return process.returncode


def _require_systemd(command: str, hint: str = "") -> None:
    """Check for root and a running systemd.

    Raises:
        MonitorError: root or systemd is missing; the message names everything that is missing.
    """
    missing = []
    if os.geteuid() != 0:
        missing.append(f"root (it changes {UNITS}; try sudo)")
    if shutil.which("systemctl") is None:
        missing.append("systemctl (does systemd run on this host?)")
    elif not has_systemd():
        missing.append(f"a running systemd ({SYSTEMD} does not exist)")
    if missing:
        raise MonitorError(f"{command} needs {' and '.join(missing)}{hint}")


def _read_own_unit(unit: Path) -> str | None:
    """Return the text of the installed unit; None if there is none.

    Raises:
        MonitorError: the unit cannot be read, or was not written by this program.
    """
    try:
        text = unit.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise MonitorError(f"{unit}: cannot be read: {error}") from error
    if MARKER not in text.partition("\n")[0]:
        raise MonitorError(f"{unit}: was not written by this program; move it away first")
    return text


def _write_unit(unit: Path, former_text: str | None, text: str) -> UnitChange:
    """Write a unit unless it has this text already."""
    if former_text == text:
        return UnitChange.UNCHANGED
    _replace_file(unit, text)
    return UnitChange.WRITTEN if former_text is None else UnitChange.REPLACED


def _write_config(path: Path, text: str) -> None:
    """Write a configuration; create its directory if it is missing."""
    if not path.parent.exists():
        make_directories(path.parent, 0o755)
        path.parent.chmod(0o755)
    _replace_file(path, text)


def _replace_file(path: Path, text: str) -> None:
    """Replace a file atomically, with mode 0644; a symbolic link is replaced, not followed."""
    partial = path.with_name(f".{path.name}.new")
    partial.unlink(missing_ok=True)
    with open(partial, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o644)) as file:
        file.write(text)
    partial.chmod(0o644)
    partial.replace(path)
