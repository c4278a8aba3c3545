"""Who runs it, under what, and whether it may read and write what it must."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from monitor.doctor.context import Evidence
from monitor.doctor.results import Result, failed, ok, skipped, warning
from monitor.errors import ConfigError
from monitor.system.systemd_unit import NAME, unreadable
from monitor.web.web_config.loader import load_web_config_file

SYSTEMD = Path("/run/systemd/system")
"""There where systemd runs the machine."""

SHOWN = (
    "LoadState", "ActiveState", "SubState", "UnitFileState", "NRestarts", "WatchdogUSec", "MainPID", "Result", "User",
)  # fmt: skip

PATIENCE = 1.5
"""Seconds that systemctl may take."""

RESTARTS_MANY = 3


def state_directory(evidence: Evidence) -> Iterator[Result]:
    """Whether the directory of the database is there and can be written, and whose its files are."""
    directory = evidence.directory
    if directory is None or evidence.database is None:
        yield skipped("state directory", evidence.unseen)
        return
    if not os.access(directory, os.F_OK):
        yield _to_be_made(directory)
        return
    owner = directory.stat().st_uid
    told = f"{directory}, of {_name(owner)}"
    if not directory.is_dir():
        yield failed("state directory", f"{directory} is not a directory", "move it away, or set storage.url")
    elif not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        mend = f"run this with sudo, or: chown {os.geteuid()} {directory}"
        yield failed("state directory", f"{told}; {_name(os.geteuid())} may not write there", mend)
    else:
        yield ok("state directory", f"{told}; this user may write there")
        yield judge_owners(directory, owner, _owners(evidence.database))


def _to_be_made(directory: Path) -> Result:
    above = next(one for one in directory.parents if os.access(one, os.F_OK))
    if os.access(above, os.W_OK | os.X_OK):
        return warning("state directory", f"{directory} is not there yet", "the first start of the daemon makes it")
    mend = f"mkdir -p {directory} as a user that may, and chown it to the one that the daemon runs as"
    return failed("state directory", f"{directory} is not there, and {above} is not writable for this user", mend)


def _owners(database: Path) -> dict[str, int]:
    beside = database.parent.glob(f"{database.name}*")
    return {path.name: path.lstat().st_uid for path in beside}


def judge_owners(directory: Path, owner: int, owners: Mapping[str, int]) -> Result:
    """Whether the files belong to the owner of their directory, as the user that the daemon runs as must."""
    strange = {name: uid for name, uid in owners.items() if uid != owner}
    if strange:
        told = ", ".join(f"{name} is {_name(uid)}'s" for name, uid in strange.items())
        return failed("owner", f"{told}, in a directory of {_name(owner)}", f"chown {owner} {directory}/*")
    return ok("owner", f"{len(owners)} files, all of {_name(owner)}")


def daemon(evidence: Evidence) -> Iterator[Result]:
    """Whether a daemon runs on this database, as whom, and under what."""
    running = evidence.daemon
    if running.running is None:
        yield skipped("daemon", f"it is not known whether one runs: {running.why}")
        return
    if not running.running:
        mend = "start it: systemctl start monitor, or monitor run"
        used = evidence.stored is not None and evidence.stored.overview.last_sample is not None
        yield (failed if used else warning)("daemon", "none runs on this database", mend)
        return
    try:
        process = psutil.Process(running.process or 0)
        user, above, state = process.uids().effective, process.ppid(), process.status()
    except psutil.Error:
        yield skipped("daemon", f"one runs, as process {running.process}, which cannot be seen from here")
        return
    directory = evidence.directory
    owner = directory.stat().st_uid if directory else user
    under = "under systemd" if above == 1 and SYSTEMD.is_dir() else "not under systemd"
    told = f"process {running.process}, as {_name(user)}, {under}"
    if state == psutil.STATUS_STOPPED:
        yield failed("daemon", f"{told}: it is stopped (SIGSTOP)", f"let it go on: kill -CONT {running.process}")
    elif user not in (0, owner):
        mend = f"chown -R {user} {directory}, and restart it"
        yield failed("daemon", f"{told}; its directory is {_name(owner)}'s", mend)
    elif user == 0:
        yield warning("daemon", f"{told}: it needs no rights of root", "let it run as a service: install-service")
    else:
        yield ok("daemon", told)


def configuration_readable(evidence: Evidence) -> Iterator[Result]:
    """Whether a service with a user of its own can read the configuration."""
    path = evidence.config.path
    if path is None:
        yield skipped("config rights", "there is no file to read")
        return
    closed = unreadable((path,))
    if closed:
        yield warning("config rights", closed[0].partition(";")[0], f"chmod o+rX {closed[0].partition(':')[0]}")
    else:
        yield ok("config rights", f"{path} may be read by everyone")


def keys_private(evidence: Evidence) -> Iterator[Result]:
    """Whether only some may read the private keys of web.config_file."""
    path = evidence.config.web_file
    if path is None:
        yield skipped("key rights", "there is no web.config_file")
        return
    try:
        files = load_web_config_file(path).files
    except ConfigError as error:
        yield skipped("key rights", error.problems[0])
        return
    keys = [file for file in files if "PRIVATE KEY-----" in file.read_text()]
    bare = [file for file in keys if file.stat().st_mode & stat.S_IROTH]
    for file in bare:
        yield warning(
            "key rights", f"{file} holds a private key, and its mode lets everyone read", f"chmod o= {file}"
        )
    if not bare:
        yield ok("key rights", f"no file with a private key lets everyone read, of {len(keys)}")


def service() -> Iterator[Result]:
    """What systemd says of the unit."""
    if not SYSTEMD.is_dir():
        yield skipped("service", "this machine is not run by systemd")
        return
    try:
        yield judge_service(_shown())
    except (OSError, subprocess.SubprocessError) as error:
        yield skipped("service", f"systemctl does not answer: {error}")


def _shown() -> dict[str, str]:
    done = subprocess.run(  # noqa: S603 - the words are ours
        ["systemctl", "show", NAME, f"--property={','.join(SHOWN)}"],  # noqa: S607 - wherever the distribution has it
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def judge_service(shown: Mapping[str, str]) -> Result:
    """What the properties of the unit mean, as `systemctl show` prints them."""
    if shown.get("LoadState") == "not-found":
        return skipped("service", "not installed: sudo monitor install-service")
    active, enabled = shown.get("ActiveState", "unknown"), shown.get("UnitFileState", "unknown")
    restarts, watchdog = int(shown.get("NRestarts") or 0), shown.get("WatchdogUSec", "0")
    told = f"{NAME} {active} ({shown.get('SubState', '')}), {enabled}, {restarts} restarts, watchdog {watchdog}"
    if shown.get("LoadState") != "loaded":
        return failed("service", f"{told}: {shown.get('LoadState')}", "sudo monitor install-service writes it anew")
    if active != "active":
        why = "" if shown.get("Result", "success") == "success" else f"; it ended with {shown['Result']}"
        return failed("service", told + why, f"systemctl start {NAME}; see why: journalctl -u {NAME} -n 50")
    return _judge_running(told, restarts, enabled, watchdog)


def _judge_running(told: str, restarts: int, enabled: str, watchdog: str) -> Result:
    if restarts >= RESTARTS_MANY:
        return warning("service", told, f"see what ends it: journalctl -u {NAME} -p warning")
    if enabled != "enabled":
        return warning("service", f"{told}: not started at boot", f"systemctl enable {NAME}")
    if watchdog in ("0", "infinity"):
        return warning("service", f"{told}: a hang goes unnoticed", "sudo monitor install-service renews the unit")
    return ok("service", told)


def _name(user: int) -> str:
    try:
        return f"{pwd.getpwuid(user).pw_name} ({user})"
    except KeyError:
        return f"user {user}"
