"""Early warning for servers: daemon, commands and web server."""

import os
import sys

DISTRIBUTION = "monitor-early-warning"
"""Name of the installed distribution."""

# An installed package has `model` and `storage` in `_lib`, a checkout has them next to `monitor`. Their directory is
# first on the path, so that packages of the same names elsewhere cannot hide them.
# Importing pathlib instead of os.path would add 5 ms to each command.
_package = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
_private = os.path.join(_package, "_lib")  # noqa: PTH118
sys.path.insert(0, _private if os.path.isdir(_private) else os.path.dirname(_package))  # noqa: PTH112, PTH120


def release() -> str:
    """Return the version of the installed distribution, such as "0.2.0"."""
    # Imported here, because it takes longer than all other steps of `monitor --help`.
    from importlib.metadata import version  # noqa: PLC0415

    return version(DISTRIBUTION)
