"""Common steps of commands: load the configuration, print the result."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from monitor.cli.options import GlobalOptions
from monitor.reports.blocks import Report
from monitor.reports.terminal import print_report

if TYPE_CHECKING:
    from monitor.config.loader import Config


def load_configuration(options: GlobalOptions) -> Config:
    """Load the configuration and set up logging; `--log-level` and `--log-format` override the configured values.

    Raises:
        ConfigError: the configuration is invalid.
    """
    from monitor.config.loader import find_config, load_config  # noqa: PLC0415
    from monitor.system.logging import setup_logging  # noqa: PLC0415

    config = load_config(find_config(options.config, os.environ))
    setup_logging(options.log_level or config.log.level, options.log_format or config.log.format)
    return config


def print_result(options: GlobalOptions, document: Any, report: Report, *, to_stderr: bool = False) -> None:
    """Print the result of a command: the document with `--json`, else the report.

    Args:
        options: options of this invocation.
        document: result as plain data or a dataclass.
        report: result as text.
        to_stderr: True to print the result to stderr, because the command writes its data to stdout.
    """
    if options.json:
        from monitor.system.json_codec import to_json  # noqa: PLC0415

        _write_line(to_json(document), sys.stderr if to_stderr else sys.stdout)
    elif to_stderr:
        _write_line(str(report), sys.stderr)
    else:
        print_report(report, options.color)


def _write_line(text: str, stream: TextIO) -> None:
    stream.write(f"{text}\n")
    stream.flush()
