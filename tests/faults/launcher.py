"""Starts `monitor` with intervals and sample times below one second; first runs the code in $MONITOR_FAULT."""

from monitor.daemon.signals import block_signals

block_signals()

import ctypes  # noqa: E402
import math  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402

from monitor.__main__ import main  # noqa: E402
from monitor.config import options  # noqa: E402
from monitor.sampling import sampler  # noqa: E402

PR_SET_PDEATHSIG = 1
# No daemon outlives the test process.
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

original = options.duration_reader
options.duration_reader = lambda minimum: original(min(minimum, 0.1))


class Milliseconds:
    """The module `math`, with times rounded down to milliseconds instead of seconds."""

    def __getattr__(self, name):
        return getattr(math, name)

    def floor(self, value):
        return math.floor(value * 1000) / 1000


sampler.math = Milliseconds()

exec(os.environ.get("MONITOR_FAULT", ""), {"__name__": "fault"})
sys.exit(main())
