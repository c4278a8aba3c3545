"""`python -m monitor` is the command `monitor`."""

import sys

from monitor.cli.main import main

sys.exit(main())
