"""Container with a real systemd, on an overlay of the files of this machine.

Its writes are kept in memory and vanish with it. Needs root and systemd-nspawn (Debian: systemd-container).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.system.service.unit import running_program

ROOT = Path(__file__).parents[2]
URL = "http://127.0.0.1:10190"
UNIT = "monitor.service"

MASKED = (
    *("systemd-udevd.service", "systemd-udevd-control.socket", "systemd-udevd-kernel.socket"),
    *("systemd-udev-trigger.service", "getty.target", "console-getty.service", "openipmi.service"),
    *("systemd-timesyncd.service", "systemd-resolved.service", "systemd-networkd.service"),
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dev-mqueue.mount", "dev-hugepages.mount"),
    *("sys-kernel-debug.mount", "sys-kernel-tracing.mount"),
)
"""Units that are useless in a container or cannot start there."""

BOOT_SECONDS = 30


def need_systemd():
    """Skip, or fail in CI, without the tools; skip where the machine forbids containers."""
    tools = ("systemd-nspawn", "nsenter", "systemctl", "journalctl")
    lacks = [tool for tool in tools if shutil.which(tool) is None] + ["root"] * (os.geteuid() != 0)
    if not lacks:
        tried = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, text=True, check=False
        )
        if tried.returncode:
            pytest.skip(f"NOT TESTED: the service on a real systemd: no container may be made here: {tried.stderr}")
        return
    message = (
        f"NOT TESTED: the service on a real systemd needs {', '.join(lacks)} (apt-get install systemd-container)"
    )
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def run(*command, check=True, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


def seen(*more):
    """Return the directories of the checkout and the interpreter that a container must see, and more."""
    needs = {path for path in running_program().needs if path.is_dir() and not path.is_relative_to("/usr")}
    needs |= {ROOT, *more}
    # One bind covers all below it.
    return sorted(path for path in needs if not any(path != o and path.is_relative_to(o) for o in needs))


class Box:
    """A container, booted as a context manager."""

    def __init__(self, directory, needs):
        """Prepare a container.

        Args:
            directory: an empty one, for its files.
            needs: paths that must be seen in it, also where they lie on file systems of their own or under /tmp.
        """
        self.directory, self.root = directory, directory / "memory" / "root"
        self._needs, self._process, self.first = needs, None, None

    def __enter__(self):
        memory = self.directory / "memory"
        memory.mkdir()
        run("mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", memory)
        try:
            self._boot(memory)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_):
        self._end()

    def _boot(self, memory):
        for name in ("changes", "work", "root"):
            (memory / name).mkdir()
        layers = f"lowerdir=/,upperdir={memory}/changes,workdir={memory}/work"
        run("mount", "-t", "overlay", "overlay", "-o", layers, self.root)
        (self.root / "etc/machine-id").unlink(missing_ok=True)
        (self.root / "etc/machine-id").touch()
        units = self.root / "etc/systemd/system"
        for wanted in units.glob("*.wants"):
            shutil.rmtree(wanted)
        # A machine on which this was never installed.
        for target in ("var/lib/monitor", "var/lib/private/monitor", "etc/monitor"):
            shutil.rmtree(self.root / target, ignore_errors=True)
        (units / UNIT).unlink(missing_ok=True)
        # Images for containers let no package start anything.
        (self.root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
        for name in MASKED:
            (units / name).unlink(missing_ok=True)
            (units / name).symlink_to("/dev/null")
        binds = [f"--bind-ro={path}" for path in self._needs]
        command = ["systemd-nspawn", "--quiet", f"--directory={self.root}", "--boot", "--register=no", "--keep-unit"]
        command += [
            "--private-network",
            "--console=pipe",
            "--link-journal=no",
            f"--machine=box-{os.getpid()}",
            *binds,
        ]
        with (self.directory / "boot").open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.wait_for(self._booted, BOOT_SECONDS, "boot")

    def _booted(self):
        assert self._process.poll() is None, (self.directory / "boot").read_text()
        for thread in Path(f"/proc/{self._process.pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                if Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                    self.first = child
        state = self("systemctl", "is-system-running", check=False).stdout.strip() if self.first else ""
        return state in ("running", "degraded")

    def __call__(self, *command, check=True, **options):
        """Run a command in it, as root, outside of any unit."""
        return run("nsenter", "--target", self.first, "--all", "--", *command, check=check, **options)

    def wait_for(self, condition, seconds, what):
        """Return the first true value of a condition."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            result = condition()
            if result:
                return result
            time.sleep(0.1)
        shown = self("journalctl", "--no-pager", "--lines=60", check=False) if self.first else None
        pytest.fail(
            f"no {what} within {seconds} s\n{shown.stdout if shown else (self.directory / 'boot').read_text()}"
        )

    def _end(self):
        if self._process is not None:
            # Its supervisor is asked first: it takes the mounts and the processes down with it.
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        run("umount", "--lazy", self.root, check=False)
        run("umount", "--lazy", self.directory / "memory", check=False)


class Machine:
    """A container with the commands of an administrator."""

    def __init__(self, box, command):
        self.box, self.box_monitor = box, command

    def monitor(self, *words, check=True):
        # From the root directory: the checkout has a config.toml of its own.
        return self.box(*self.box_monitor, *words, check=check, cwd="/")

    def systemctl(self, *words, check=True):
        done = self.box("systemctl", *words, check=False)
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}{self.journal()[-4000:]}"
        return done

    def show(self, name):
        return self.systemctl("show", "--property", name, "--value", UNIT).stdout.strip()

    def journal(self):
        return self.box("journalctl", "--no-pager", "--output=cat", "--unit", UNIT).stdout

    def get(self, path):
        code = f"import urllib.request as u; print(u.urlopen('{URL}{path}', timeout=5).read().decode())"
        return self.box(sys.executable, "-c", code, check=False).stdout

    def metric(self, name):
        result = re.search(rf"^{re.escape(name)} (\S+)$", self.get("/metrics"), re.MULTILINE)
        return float(result.group(1)) if result else None

    def status(self):
        return json.loads(self.monitor("status", "--json", check=False).stdout)

    def wait_for(self, condition, seconds, what):
        return self.box.wait_for(condition, seconds, what)

    def restarted(self, pid):
        """Return whether a process other than `pid` runs and samples."""
        return self.show("MainPID") not in ("0", pid) and self.show("ActiveState") == "active"
