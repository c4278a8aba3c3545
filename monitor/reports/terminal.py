"""Where a report goes: in colour to a terminal, as plain text to a pipe, a file or a terminal that can do no more."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Literal

from monitor.reports.blocks import Report

Style = Literal["plain", "tables", "colors"]
"""Plain text; tables fitted to a terminal; the same in colour."""


def show(report: Report, color: str) -> None:
    """Prints a report to stdout.

    Args:
        report: what is told.
        color: "auto", "always" or "never", as typed.
    """
    style = wanted(color, os.environ, tty=sys.stdout.isatty())
    text = f"{report}\n"
    if style != "plain":
        # Imported here: rich costs about 50 ms and 5 MB that a pipe should not pay.
        from monitor.reports.rich_renderer import drawn  # noqa: PLC0415

        text = drawn(report, sys.stdout, colors=style == "colors")
    sys.stdout.write(text)
    sys.stdout.flush()


def wanted(color: str, environ: Mapping[str, str], *, tty: bool) -> Style:
    """How to show: what was typed comes first, then NO_COLOR, then FORCE_COLOR and CLICOLOR_FORCE.

    Args:
        color: "auto", "always" or "never".
        environ: of the process.
        tty: whether the output is a terminal.
    """
    refused = color == "never" or (color == "auto" and bool(environ.get("NO_COLOR")))
    forced = any(environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE"))
    if color == "always" or (forced and not refused):
        return "colors"
    if not tty or environ.get("TERM", "dumb").lower() in {"", "dumb", "unknown"}:
        return "plain"
    return "tables" if refused or environ.get("CLICOLOR") == "0" else "colors"
