"""Faults of system calls through LD_PRELOAD: write errors, slow writes, and another wall clock."""

import shutil
import struct
import subprocess
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.faults.requirements import missing

SOURCE = Path(__file__).with_name("shim.c")


@cache
def library():
    """Compile the library once, and return its path."""
    compiler = shutil.which("cc")
    if compiler is None:
        missing("no C compiler (apt-get install gcc libc6-dev)")
    path = Path(tempfile.mkdtemp(prefix="monitor-faults")) / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", path, SOURCE, "-ldl"], check=True)
    return path


class Preload:
    """System calls of one daemon: `env` for its start, and the faults, which may change at any time.

    `clock` is added to the wall clock, in seconds. `errno` fails every write, sync, truncation and creation of a file
    below `directory`, and `delay` is the duration of each in seconds.
    """

    def __init__(self, control, directory):
        control.write_bytes(bytes(24))
        self._control = control
        self._clock, self._errno, self._delay = 0.0, 0, 0.0
        self.env = {
            "LD_PRELOAD": str(library()),
            "FAULTS_CONTROL": str(control),
            "FAULTS_DIRECTORY": str(Path(directory).resolve()),
        }

    @contextmanager
    def during(self, **faults):
        """Set some of the faults for a `with` block."""
        self.set(**faults)
        try:
            yield
        finally:
            self.set(clock=0.0, errno=0, delay=0.0)

    def set(self, *, clock=None, errno=None, delay=None):
        """Change some of the faults, at once."""
        self._clock = self._clock if clock is None else clock
        self._errno = self._errno if errno is None else errno
        self._delay = self._delay if delay is None else delay
        content = struct.pack("=qqq", int(self._clock * 1e9), self._errno, int(self._delay * 1e9))
        with self._control.open("r+b") as file:
            file.write(content)
