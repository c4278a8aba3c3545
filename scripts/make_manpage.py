#!/usr/bin/env python3
"""Makes the manual page from the help of the commands, so that the two say the same.

    python scripts/make_manpage.py [FILE]

The default is deploy/man/monitor.1; `man -l FILE` shows it.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from argparse_manpage.manpage import Manpage

from monitor.cli.main import COMMANDS
from monitor.cli.parser import pages, parser

HERE = Path(__file__).resolve().parents[1] / "deploy" / "man" / "monitor.1"

SECTION = re.compile(r"^([a-z ]+):\n\n", re.MULTILINE)


def manpage() -> str:
    """The page, the same wherever it is made."""
    # argparse fills lines to the width of the terminal
    os.environ["COLUMNS"] = "100"
    made = parser(COMMANDS)
    for page in pages(made).values():
        # the library leaves out what stands below the options
        examples = (page.epilog or "").rpartition("\n\n")[0]
        page.description = f"{page.description}\n\n{examples}"
    told = {"description": "early warning of high load", "manual_title": "monitor", "date": " "}
    before, _, after = str(Manpage(made, told)).partition(".SH COMMENTS\n")
    return before + SECTION.sub(lambda found: f".SH {found[1].upper()}\n", after)


def main() -> None:
    """Writes the page."""
    to = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(manpage(), encoding="utf-8")


if __name__ == "__main__":
    main()
