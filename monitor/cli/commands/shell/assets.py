"""`monitor assets`: write the shipped man page, completions, dashboards, rules and unit to a directory."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.actions import print_result
from monitor.cli.commands.shell.completion import SHELLS, completion_script
from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, json_option, pass_options
from monitor.errors import MonitorError
from monitor.reports.blocks import Report
from monitor.system.atomic_write import open_atomic

PATTERNS = (
    "man/*.1",
    "mixin/*.*",
    "mixin/*/*.libsonnet",
    "monitor.service",
    "monitor-fleet.service",
    "monitor-processes*",
    "prometheus/*.yml",
    "grafana/dashboards/*.json",
    "grafana/provisioning/*/*.yml",
)
"""Patterns of the files to copy, relative to the asset directory."""


@click.command(
    "assets",
    cls=Command,
    examples={"monitor assets --to /tmp/monitor": "Write all files below a directory."},
)
@click.option(
    "--to",
    "directory",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, readable=False, path_type=Path),
    help="Directory to write to; created if missing.",
)
@json_option
@pass_options
def command(options: GlobalOptions, directory: Path) -> int:
    """Write the man page, completions, dashboards, rules and the systemd units to a directory.

    Files of the same name are replaced.
    """
    source = asset_directory()
    contents = {path.relative_to(source): path.read_bytes() for pattern in PATTERNS for path in source.glob(pattern)}
    for shell in SHELLS:
        contents[Path("completion") / f"monitor.{shell}"] = completion_script(shell).encode()
    from storage.file_ownership import make_directories  # noqa: PLC0415

    for name, content in contents.items():
        target = directory / name
        make_directories(target.parent, 0o755)
        with open_atomic(target) as file:
            file.write(content)
    files = sorted(str(directory / name) for name in contents)
    print_result(options, {"directory": str(directory), "files": files}, Report(tuple(files)))
    return ExitCode.DONE


def asset_directory() -> Path:
    """Return the directory of the shipped files: part of the installed package, or `deploy` in a checkout.

    Raises:
        MonitorError: this installation has no such directory.
    """
    from importlib.resources import files  # noqa: PLC0415

    package = Path(str(files("monitor")))
    for candidate in (package / "data" / "assets", package.parent / "deploy"):
        if candidate.is_dir():
            return candidate
    raise MonitorError("this installation contains no assets")
