"""systemd units: texts for this installation, and checks of the sandbox.

The templates are in `data/`. Hosts differ only in the command and in the paths that the sandbox exposes.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import MonitorError

TEMPLATES = Path(__file__).parents[2] / "data"
"""Directory of the unit templates, whose names are those of the units."""

FILTER_COMMENT = "# Clients: this host only"
"""Start of the comment above the address filter of the template."""

CONFIG = Path("/etc/monitor/config.toml")
NAME = "monitor.service"
PROCESSES_SOCKET = "monitor-processes.socket"
COMPANIONS = (PROCESSES_SOCKET, "monitor-processes@.service")
"""Units that list the largest processes for the daemon, whose sandbox hides them; systemd starts them on demand."""


FLEET_NAME = "monitor-fleet.service"


@dataclass(frozen=True)
class Service:
    """Service that this program installs.

    Attributes:
        units: names of its units, that of the process first.
        config: default path of its configuration.
        state: directory of its database.
    """

    units: tuple[str, ...]
    config: Path
    state: str

    @property
    def name(self) -> str:
        """Name of the unit of the process."""
        return self.units[0]


HOST_SERVICE = Service(units=(NAME, *COMPANIONS), config=CONFIG, state="/var/lib/monitor")
"""Daemon of one host."""

FLEET_SERVICE = Service(units=(FLEET_NAME,), config=Path("/etc/monitor/fleet.toml"), state="/var/lib/monitor-fleet")
"""Fleet process."""

SYSTEMD = Path("/run/systemd/system")
"""Path that exists where systemd is the init system."""

HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 - compared, not used
"""Directories that ProtectHome and PrivateTmp hide from the service."""

ROOT_HOME = Path("/root")
"""Directory whose mode under ProtectHome=tmpfs is not documented; the unit makes it accessible to other users."""


@dataclass(frozen=True)
class Program:
    """Program that the service runs.

    Attributes:
        command: executable and first arguments.
        needs: files and directories that the service must be able to read.
    """

    command: tuple[str, ...]
    needs: tuple[Path, ...]


def has_systemd() -> bool:
    """Return True if systemd is the init system of this machine."""
    return SYSTEMD.is_dir()


def running_program() -> Program:
    """Return the program of this installation that the service runs.

    Raises:
        MonitorError: the program is installed for a single user, so the service could not import it.
    """
    root = Path(__file__).parents[3]
    if site.ENABLE_USER_SITE and root == Path(site.getusersitepackages()):
        raise MonitorError(f"{root}: installed for a single user; use a virtual environment (scripts/venv)")
    script = _find_script()
    command = (str(script),) if script else (sys.executable, "-P", "-m", "monitor")
    prefixes = {Path(prefix) for prefix in (sys.prefix, sys.base_prefix)}
    interpreter = Path(sys.executable).resolve()
    needs = {
        root,
        Path(command[0]),
        *prefixes,
        *(prefix.resolve() for prefix in prefixes),
        interpreter.parent.parent,
    }
    return Program(command, tuple(sorted(needs)))


def _find_script() -> Path | None:
    """Return the path of the executable script `monitor` of this installation; None if none is found."""
    candidates = (
        Path(sys.argv[0]),
        Path(sys.executable).parent / "monitor",
        Path(sysconfig.get_path("scripts")) / "monitor",
    )
    scripts = (path.absolute() for path in candidates if path.name == "monitor" and os.access(path, os.X_OK))
    return next((script for script in scripts if script.is_file()), None)


def unit_text(program: Program, config: Path = CONFIG, *, name: str = NAME, local_only: bool = True) -> str:
    """Return the text of a systemd unit that runs a program with a configuration file.

    Args:
        program: the program that the unit runs.
        config: path of the configuration.
        name: name of the unit.
        local_only: True if only this host may connect to the daemon; False to leave out its address filter.

    Raises:
        MonitorError: a path contains control characters.
    """
    command = " ".join(_quote(word, command=True) for word in (*program.command, "--config", str(config)))
    bound = bound_paths((*program.needs, config))
    lines = []
    for line in (TEMPLATES / name).read_text(encoding="utf-8").splitlines():
        key = line.partition("=")[0]
        if not local_only and (key in ("IPAddressDeny", "IPAddressAllow") or line.startswith(FILTER_COMMENT)):
            continue
        if key == "ExecStart":
            lines.append(f"ExecStart={command}{line.partition(CONFIG.suffix)[2]}")
        elif key == "ProtectHome" and bound:
            lines += _sandbox_lines(bound)
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _sandbox_lines(bound: Sequence[Path]) -> list[str]:
    """Return the lines that hide home and temporary directories except for the paths in `bound`."""
    lines = ["# Home and temporary directories are hidden, except for the program itself.", "ProtectHome=tmpfs"]
    if any(path.is_relative_to(ROOT_HOME) for path in bound):
        lines.append(f"TemporaryFileSystem={ROOT_HOME}:ro,mode=0755")
    return lines + [f"BindReadOnlyPaths={_quote(str(path)).replace(':', chr(92) + ':')}" for path in bound]


def bound_paths(needs: Sequence[Path]) -> tuple[Path, ...]:
    """Return the paths in `needs` that the sandbox would hide; a path below another returned path is left out."""
    hidden = sorted({path for path in needs if any(path.is_relative_to(place) for place in HIDDEN)})
    return tuple(path for path in hidden if not any(path != other and path.is_relative_to(other) for other in hidden))


def unreadable_paths(needs: Sequence[Path]) -> list[str]:
    """Return one line for each path whose mode denies the user of the service access to a path in `needs`."""
    bound = bound_paths(needs)
    problems = set()
    for path in needs:
        mount = next((top for top in bound if path.is_relative_to(top)), None)
        # A bound path is accessed without its parents; for any other path all parents count.
        steps = [step for step in (*reversed(path.parents), path) if mount is None or step.is_relative_to(mount)]
        barrier = next((step for step in steps if _is_closed(step, last=step == path)), None)
        if barrier is not None:
            problems.add(f"{barrier}: the user of the service cannot read it; chmod o+rX it, or install elsewhere")
    return sorted(problems)


def _is_closed(path: Path, *, last: bool) -> bool:
    """Return True if the mode of a path denies access to other users; False if the path does not exist.

    Args:
        path: file or directory.
        last: True if the path itself is needed and must be readable; False for a parent, which must only be entered.
    """
    if not path.exists():
        return False
    needed = 0o001
    if last:
        needed = 0o005 if path.is_dir() else 0o004
    return path.stat().st_mode & needed != needed


def _quote(word: str, *, command: bool = False) -> str:
    """Return a word in the syntax of systemd.syntax(7).

    Args:
        word: an argument or a path.
        command: also escape the variables that ExecStart expands.

    Raises:
        MonitorError: the word contains control characters.
    """
    if any(ord(character) < 32 for character in word):
        raise MonitorError(f"{word!r}: a unit cannot contain a path with control characters")
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    if command:
        word = word.replace("$", "$$")
    return f'"{word}"' if any(character in " '\"\\;" for character in word) else word
