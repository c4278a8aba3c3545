"""Early warning for servers: daemon, commands and web server."""

import os
import sys

DISTRIBUTION = "monitor-early-warning"
"""Name of the installed distribution."""

# `model` and `storage` lie in `_lib` of an installed package, and next to `monitor` in a checkout. First on the path,
# they cannot be hidden by packages of the same names in the working directory or from other distributions.
# os.path, as pathlib would add 5 ms to each command.
_package = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
_private = os.path.join(_package, "_lib")  # noqa: PTH118
sys.path.insert(0, _private if os.path.isdir(_private) else os.path.dirname(_package))  # noqa: PTH112, PTH120


def release() -> str:
    """Return the version of the installed distribution, such as "0.2.0"."""
    # Reading the metadata takes longer than all other steps of `monitor --help`.
    from importlib.metadata import version  # noqa: PLC0415

    return version(DISTRIBUTION)
