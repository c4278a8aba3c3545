"""The systemd service: its unit made to fit this installation, put in place and taken away.

The text is that of `data/monitor.service`. What differs from machine to machine is the command, and what of it lies
where a sandboxed service does not look.
"""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.config.loader import HEAD, Config, load_config, render
from monitor.errors import MonitorError

TEMPLATE = Path(__file__).parent.with_name("data") / "monitor.service"
CONFIG = Path("/etc/monitor/config.toml")
UNITS = Path("/etc/systemd/system")
NAME = "monitor.service"
STATE = "/var/lib/monitor"

HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 - named, not used
"""What ProtectHome and PrivateTmp hide from the service."""

UNCLOSED = Path("/root")
"""What mode it has where systemd shows it empty is not documented; here it is said that others may pass."""


@dataclass(frozen=True)
class Program:
    """What the service runs, and all directories and files that it must be able to read for that."""

    command: tuple[str, ...]
    needs: tuple[Path, ...]


def running_program() -> Program:
    """The program that runs now.

    Raises:
        MonitorError: it is installed for one user alone, and would not be found by another.
    """
    root = Path(__file__).parents[2]
    if site.ENABLE_USER_SITE and root == Path(site.getusersitepackages()):
        raise MonitorError(
            f"{root}: installed for one user alone; install it into a virtual environment (scripts/venv)"
        )
    script = _script()
    command = (str(script),) if script else (sys.executable, "-m", "monitor")
    interpreter = Path(sys.executable)
    prefixes = {Path(prefix) for prefix in (sys.prefix, sys.base_prefix)}
    real = interpreter.resolve()
    needs = {root, Path(command[0]), *prefixes, *(prefix.resolve() for prefix in prefixes), real.parent.parent}
    return Program(command, tuple(sorted(needs)))


def _script() -> Path | None:
    """The command `monitor` of this very installation."""
    typed = Path(sys.argv[0])
    places = (typed, Path(sys.executable).parent / "monitor", Path(sysconfig.get_path("scripts")) / "monitor")
    found = (place.absolute() for place in places if place.name == "monitor" and os.access(place, os.X_OK))
    return next((place for place in found if place.is_file()), None)


def unit_text(program: Program, config: Path = CONFIG) -> str:
    """The unit for a program and the file of its configuration."""
    command = " ".join(_quoted(word, command=True) for word in (*program.command, "--config", str(config), "run"))
    bound = bound_paths((*program.needs, config))
    lines = []
    for line in TEMPLATE.read_text(encoding="utf-8").splitlines():
        key = line.partition("=")[0]
        if key == "ExecStart":
            lines.append(f"ExecStart={command}")
        elif key == "ProtectHome" and bound:
            lines += ["# Of homes and of temporary files, the program itself and nothing else.", "ProtectHome=tmpfs"]
            if any(path.is_relative_to(UNCLOSED) for path in bound):
                lines.append(f"TemporaryFileSystem={UNCLOSED}:ro,mode=0755")
            lines += [f"BindReadOnlyPaths={_quoted(str(path)).replace(':', chr(92) + ':')}" for path in bound]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def bound_paths(needs: Sequence[Path]) -> tuple[Path, ...]:
    """Those that the sandbox would hide, without those that lie in others of them."""
    hidden = sorted({path for path in needs if any(path.is_relative_to(place) for place in HIDDEN)})
    return tuple(path for path in hidden if not any(path != other and path.is_relative_to(other) for other in hidden))


def unreadable(needs: Sequence[Path]) -> list[str]:
    """One line for each path that the service's own user could not read."""
    bound = bound_paths(needs)
    problems = []
    for path in needs:
        above = next((top for top in bound if path.is_relative_to(top)), None)
        # What is bound is reached past its parents, all else from the root on.
        way = [step for step in (*reversed(path.parents), path) if above is None or step.is_relative_to(above)]
        barrier = next((step for step in way if _closed(step, last=step == path)), None)
        if barrier is not None:
            problems.append(f"{barrier}: the service's own user may not read it; chmod o+rX it, or install elsewhere")
    return sorted(set(problems))


def _closed(path: Path, *, last: bool) -> bool:
    """Whether others may not pass a directory, or read what stands at the end of a way."""
    if not path.exists():
        return False
    needed = 0o001 if not last else 0o005 if path.is_dir() else 0o004
    return path.stat().st_mode & needed != needed


def _quoted(word: str, *, command: bool = False) -> str:
    """As systemd.syntax(7) reads it back."""
    if any(ord(character) < 32 for character in word):
        raise MonitorError(f"{word!r}: a path with control characters cannot stand in a unit")
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    if command:
        word = word.replace("$", "$$")
    return f'"{word}"' if any(character in " '\"\\;" for character in word) else word


def install(program: Program, config: Path = CONFIG) -> list[str]:
    """Puts unit and configuration in place and makes systemd read them; says what it did and what comes next.

    Raises:
        MonitorError: something that it needs lacks, or the unit there is not this program's.
        ConfigError: the configuration there cannot be used.
    """
    _require("install-service", "; with --print it shows the unit")
    problems = unreadable((*program.needs, config))
    if problems:
        raise MonitorError("\n".join(problems))
    unit = UNITS / NAME
    text = unit_text(program, config)
    before = _own_unit(unit)
    there = config.exists()
    if there:
        load_config(config)
    else:
        if not config.parent.exists():
            config.parent.mkdir(parents=True)
            config.parent.chmod(0o755)
        _write(config, HEAD + render(Config(), comments=True))
    if before != text:
        _write(unit, text)
    systemctl("daemon-reload")
    running = systemctl("is-active", "--quiet", NAME, check=False) == 0
    how = "is as it was" if before == text else "written" if before is None else "renewed"
    return [
        f"unit           {unit} {how}; systemd has read it",
        f"configuration  {config} {'is valid and stays as it is' if there else 'written, with every default'}",
        f"history        {STATE}, made at the first start",
        f"next           systemctl {f'restart {NAME}' if running else f'enable --now {NAME}'}",
        f"then           systemctl status {NAME}; journalctl -u {NAME}; monitor status",
    ]


def uninstall() -> list[str]:
    """Stops the service and takes its unit away; says what it did and what it left.

    Raises:
        MonitorError: something that it needs lacks, or the unit there is not this program's.
    """
    _require("uninstall-service")
    unit = UNITS / NAME
    if _own_unit(unit) is None:
        done = [f"unit           {unit} is not there: nothing to stop or to remove"]
    else:
        systemctl("disable", "--now", "--quiet", NAME)
        unit.unlink()
        systemctl("daemon-reload")
        # A unit that had failed would be listed until the next boot.
        systemctl("reset-failed", "--quiet", NAME, check=False)
        done = [f"unit           {unit} stopped and removed"]
    left = [path for path in (str(CONFIG), STATE, f"{unit}.d") if Path(path).exists()]
    return [*done, f"kept           {', '.join(left) if left else 'nothing was there'}"]


def systemctl(*arguments: str, check: bool = True) -> int:
    """Runs systemctl and returns its exit code.

    Raises:
        MonitorError: it failed although it must not.
    """
    done = subprocess.run(  # noqa: S603 - the words are ours
        ["systemctl", *arguments],  # noqa: S607 - wherever the distribution has it
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if check and done.returncode:
        said = done.stderr.strip().splitlines()
        raise MonitorError(f"systemctl {' '.join(arguments)}: {said[-1] if said else f'exit code {done.returncode}'}")
    return done.returncode


def _require(command: str, instead: str = "") -> None:
    """All that lacks, in one sentence."""
    lacks = []
    if os.geteuid() != 0:
        lacks.append(f"root (it changes {UNITS}; try sudo)")
    if shutil.which("systemctl") is None:
        lacks.append("systemctl (is this machine run by systemd?)")
    elif not Path("/run/systemd/system").is_dir():
        lacks.append("a running systemd (there is no /run/systemd/system)")
    if lacks:
        raise MonitorError(f"{command} needs {' and '.join(lacks)}{instead}")


def _own_unit(unit: Path) -> str | None:
    """The text of the unit in place, None where there is none.

    Raises:
        MonitorError: it is somebody else's.
    """
    try:
        text = unit.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise MonitorError(f"{unit}: cannot be read: {error}") from error
    if "`monitor install-service`" not in text.partition("\n")[0]:
        raise MonitorError(f"{unit}: was not written by this program; move it away first")
    return text


def _write(path: Path, text: str) -> None:
    """Replaces a file as a whole, with mode 0644."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o644)
    new.replace(path)
