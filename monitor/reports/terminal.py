"""Output of reports: coloured tables on a terminal, plain text elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Literal

from monitor.reports.blocks import Report

Style = Literal["plain", "tables", "colors"]
"""Style of the output: plain text, tables fitted to a terminal, or the same tables in colour."""


def print_report(report: Report, color: str) -> None:
    """Print a report to stdout.

    Args:
        report: the report.
        color: "auto", "always" or "never".
    """
    style = choose_style(color, os.environ, tty=sys.stdout.isatty())
    text = f"{report}\n"
    if style != "plain":
        # Imported late: rich takes about 50 ms and 5 MB, and output to a pipe does not need it.
        from monitor.reports.rich_renderer import draw  # noqa: PLC0415

        text = draw(report, sys.stdout, colors=style == "colors")
    sys.stdout.write(text)
    sys.stdout.flush()


def choose_style(color: str, environ: Mapping[str, str], *, tty: bool) -> Style:
    """Return the style of the output.

    In order of precedence: `color` unless it is "auto", NO_COLOR, FORCE_COLOR and CLICOLOR_FORCE, the terminal.

    Args:
        color: "auto", "always" or "never".
        environ: environment of the process.
        tty: True if the output is a terminal.
    """
    disabled = color == "never" or (color == "auto" and bool(environ.get("NO_COLOR")))
    if color == "always" or (_is_forced(environ) and not disabled):
        return "colors"
    if not tty or environ.get("TERM", "dumb").lower() in {"", "dumb", "unknown"}:
        return "plain"
    return "tables" if disabled or environ.get("CLICOLOR") == "0" else "colors"


def _is_forced(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE"))
