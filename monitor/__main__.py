"""Entry point of `python -m monitor`: the command `monitor`."""

import sys

from monitor.cli.main import main

sys.exit(main())
