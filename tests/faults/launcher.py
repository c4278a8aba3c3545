"""Starts `monitor` with intervals and sample times below one second; first runs the code in $MONITOR_FAULT."""

import math
import os
import sys

from monitor.config import options
from monitor.sampling import sampler

original = options.duration_reader
options.duration_reader = lambda minimum: original(min(minimum, 0.1))


class Milliseconds:
    """The module `math`, with times rounded down to milliseconds instead of seconds."""

    def __getattr__(self, name):
        return getattr(math, name)

    def floor(self, value):
        return math.floor(value * 1000) / 1000


sampler.math = Milliseconds()

from monitor.cli.main import main  # noqa: E402

exec(os.environ.get("MONITOR_FAULT", ""), {"__name__": "fault"})
sys.exit(main())
