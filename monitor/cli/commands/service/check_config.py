"""`monitor check-config`: validate the configuration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.actions import print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.errors import ConfigError
from monitor.reports.blocks import Line, Report, Tone, Toned

if TYPE_CHECKING:
    from monitor.config.loader import Config


@click.command(
    "check-config",
    cls=Command,
    examples={
        "monitor check-config": "Check the configuration that the other commands read.",
        "monitor check-config new.toml": "Check a file before putting it in place.",
    },
)
@click.argument(
    "file", metavar="[FILE]", required=False, type=click.Path(readable=False),
    help="Configuration file. Default: the one that the other commands read.",
)  # fmt: skip
@json_option
@pass_options
def command(options: GlobalOptions, file: str | None) -> int:
    """Validate a configuration and print the effective one.

    Prints the configuration with every default, or each problem with its file and key (exit code 2). A secret file of
    a notification channel that this user cannot find is a warning on stderr.
    """
    from monitor.config.loader import find_config, load_config  # noqa: PLC0415
    from monitor.config.reference import effective_values, to_toml  # noqa: PLC0415
    from monitor.documents.configuration import ConfigCheckDocument  # noqa: PLC0415
    from monitor.web.web_config.loader import web_file_problems  # noqa: PLC0415

    path = find_config(file or options.config, os.environ)
    try:
        config = load_config(path, (web_file_problems, _source_problems))
    except ConfigError as error:
        if options.json:
            print_result(options, ConfigCheckDocument(str(path), error.problems), Report(()))
        raise
    checked = ConfigCheckDocument(str(path) if path else None, config=effective_values(config))
    print_result(options, checked, _report(path, to_toml(config)))
    for missing in _missing_secrets(config):
        click.echo(f"warning: {missing}", err=True)
    return ExitCode.DONE


def _source_problems(config: Config) -> Sequence[str]:
    """Return the problems of the source of a fleet; nothing of it is imported for a single host."""
    if not config.source.is_fleet:
        return ()
    from monitor.fleet.source.factory import source_problems  # noqa: PLC0415

    return source_problems(config)


def _missing_secrets(config: Config) -> list[str]:
    """Return a line with channel, path and reason for each secret file of a channel that is not found."""
    if not config.notify.channels:
        return []
    from monitor.notifications.sending import Secrets, describe, secret_directories  # noqa: PLC0415

    directories = secret_directories(config.directory)
    missing = []
    for name, channel in config.notify.channels:
        for path in Secrets(channel, directories).files:
            try:
                path.stat()
            except OSError as error:
                missing.append(f"notify.channels.{name}: {path}: {describe(error)}")
    return missing


def _report(path: Path | None, toml: str) -> Report:
    """Return the effective configuration as TOML, after a comment with the path of its file."""
    tones: dict[str, Tone] = {"#": "faint", "[": "heading"}
    lines = [f"# {path or 'no file: the defaults'}", *toml.splitlines()]
    return Report(tuple(Line((Toned(line, tones.get(line[:1])),), exact=True) for line in lines))
