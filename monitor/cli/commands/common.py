"""What commands share: the configuration they go by, and how they answer."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING, Any

from monitor.reports.blocks import Report
from monitor.reports.terminal import show

if TYPE_CHECKING:
    from monitor.config.loader import Config


def config_of(arguments: argparse.Namespace) -> Config:
    """The configuration, with logging set up by it."""
    from monitor.config.loader import find_config, load_config  # noqa: PLC0415
    from monitor.system.logging import setup_logging  # noqa: PLC0415

    config = load_config(find_config(arguments.config, os.environ))
    setup_logging(arguments.log_level or config.log.level, arguments.log_format or config.log.format)
    return config


def answer(arguments: argparse.Namespace, document: Any, report: Report) -> None:
    """What was asked for, for a machine or for a person."""
    if arguments.json:
        print(json.dumps(document), flush=True)
    else:
        show(report, arguments.color)
