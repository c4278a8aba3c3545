"""`monitor demo`: replay of a bundled trace."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command


@click.command(
    "demo",
    cls=Command,
    examples={
        "monitor demo": "Replay a minute of the trace per second.",
        "monitor demo --listen 127.0.0.1:0 --keep demo": "Use a free port, and keep the database.",
    },
)
@click.option(
    "--listen",
    metavar="ADDRESS",
    default="127.0.0.1:10191",
    help="Address of the page. Port 0 is a free one. Default: 127.0.0.1:10191.",
)
@click.option(
    "--speed",
    metavar="FACTOR",
    type=click.FloatRange(1, 3600),
    default=60.0,
    help="Seconds of the trace per second, 1 to 3600. Default: 60.",
)
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep configuration and database in this new or empty directory. Default: a temporary one, removed.",
)
@click.option(
    "--webhook",
    metavar="URL",
    help="Post each warning and anomaly of the replay to this URL as JSON, as a channel of kind webhook does.",
)
def command(listen: str, speed: float, keep: Path | None, webhook: str | None) -> int:
    """Replay a bundled trace at high speed.

    Shows warnings minutes ahead of high load, an anomaly and the page, without measuring this machine. The code is
    that of the daemon, on its own port and database. Ctrl-C ends it.
    """
    from monitor.demo.session import DemoOptions, run_demo  # noqa: PLC0415

    run_demo(DemoOptions(listen, speed, keep, webhook), click.echo)
    return ExitCode.DONE
