"""`monitor run`: the daemon in the foreground."""

from __future__ import annotations

import click

from monitor.cli.actions import load_configuration
from monitor.cli.exit_codes import ExitCode
from monitor.cli.help import Command
from monitor.cli.options import GlobalOptions, pass_options


@click.command(
    "run",
    cls=Command,
    examples={
        "monitor run": "Run with the defaults: without configuration, without root.",
        "monitor --log-format json run --config /etc/monitor/config.toml": "Run as the service does.",
    },
)
@pass_options
def command(options: GlobalOptions) -> int:
    """Run the daemon in the foreground.

    Samples, predicts, stores and serves HTTP until SIGTERM or SIGINT. SIGHUP reloads the configuration. Retraining
    runs in its own process at the lowest priority. With `source.kind = "prometheus"`, it predicts for every host of
    a Prometheus server instead of this host.
    """
    config = load_configuration(options)
    if config.source.is_fleet:
        from monitor.fleet.process import lifecycle as fleet_lifecycle  # noqa: PLC0415

        fleet_lifecycle.run(config)
        return ExitCode.DONE
    from monitor.daemon import lifecycle  # noqa: PLC0415
    from monitor.sampling.sources.procfs import check_trees  # noqa: PLC0415

    check_trees()
    lifecycle.run(config)
    return ExitCode.DONE
