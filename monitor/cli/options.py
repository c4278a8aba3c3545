"""Global options: command-line options shared by all commands, and the object with their values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass
class GlobalOptions:
    """Values of the options that every command takes, and of `--json`.

    Attributes:
        config: path of the configuration file; None to search the default paths.
        log_level: lowest level that is logged; None for the configured level.
        log_format: "text" or "json"; None for the configured format.
        color: "auto", "always" or "never".
        json: True to print one JSON document instead of a report.
    """

    config: str | None = None
    log_level: str | None = None
    log_format: str | None = None
    color: str = "auto"
    json: bool = False


pass_options = click.make_pass_decorator(GlobalOptions, ensure=True)
"""Pass the `GlobalOptions` of this invocation as the first argument."""


def _store(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Store the value of an option in `GlobalOptions`; a value after the command overrides one before it."""
    options = context.ensure_object(GlobalOptions)
    if value and parameter.name:
        setattr(options, parameter.name, value)


def shared_options(*, hidden: bool) -> list[click.Option]:
    """Return the options that may stand before or after every command.

    Args:
        hidden: True to omit the options from the help of the command; the help of `monitor` lists them.
    """
    shared: dict[str, Any] = {"hidden": hidden, "expose_value": False, "callback": _store, "default": None}
    return [
        click.Option(
            ["--config"],
            metavar="FILE",
            type=click.Path(dir_okay=True, readable=False),
            help="Read this configuration file. Default: $MONITOR_CONFIG, ./config.toml, /etc/monitor/config.toml, "
            "else the built-in defaults.",
            **shared,
        ),
        click.Option(
            ["--log-level"],
            type=click.Choice(("debug", "info", "warning", "error")),
            help="Log this level and above to stderr. Default: log.level.",
            **shared,
        ),
        click.Option(
            ["--log-format"],
            type=click.Choice(("text", "json")),
            help="Log lines for people or JSON objects. Default: log.format.",
            **shared,
        ),
        click.Option(
            ["--color"],
            type=click.Choice(("auto", "always", "never")),
            help="Print coloured tables on a terminal only, always, or tables without colour. Default: auto.",
            **shared,
        ),
    ]


def json_option(function: Decorated) -> Decorated:
    """Add the option `--json`, stored in `GlobalOptions.json`."""
    return click.option(
        "--json",
        "json",
        is_flag=True,
        expose_value=False,
        callback=_store,
        help="Print one JSON document instead of the report.",
    )(function)
