"""Root command `monitor`: its options, its help, and the module of each command."""

from __future__ import annotations

import sys

import click

from monitor import release
from monitor.cli.help import CONTEXT_SETTINGS, RootGroup

COMMAND_MODULES = {
    "Report": {
        "status": "reports.status",
        "predict": "reports.predict",
        "report": "reports.report",
        "anomalies": "reports.anomalies",
        "maintenance": "reports.maintenance",
        "processes": "reports.processes",
    },
    "Training": {
        "retrain": "training.retrain",
        "models": "training.models",
        "backtest": "training.backtest",
    },
    "History": {
        "import": "history.import_traces",
        "export": "history.export_trace",
        "purge": "history.purge",
        "migrate-store": "history.migrate_store",
    },
    "Service": {
        "run": "service.run",
        "demo": "service.demo",
        "doctor": "service.doctor",
        "check-config": "service.check_config",
        "notify": "service.notify",
        "install-service": "service.install_service",
        "uninstall-service": "service.uninstall_service",
    },
    "Shell": {
        "assets": "shell.assets",
        "completion": "shell.completion",
        "help": "shell.help",
    },
}
"""For each section of the help, the names of its commands with their modules, relative to `monitor.cli.commands`."""

EXAMPLES = {
    "monitor status": "Show whether sampling works, the current predictions and the active model.",
    "monitor predict": "Show the current prediction and the metrics that contributed most.",
    "monitor report --since 30d": "Score the predictions of a month.",
    "monitor --config /etc/monitor/config.toml models list": "List the models of the service.",
}

REFERENCE = {
    "Exit codes": {
        "0": "done",
        "1": "failed",
        "2": "invalid usage or configuration",
        "3": "retrain: the gate refused the candidate; status: the daemon is not running",
        "4": "not enough data to train on or to predict from",
        "5": "another retraining holds the lock",
    },
    "Files": {
        "./config.toml, /etc/monitor/config.toml": "Configuration: the first one that exists, else the defaults.",
        "/var/lib/monitor/monitor.db": "Database of root and of the service.",
        "~/.local/state/monitor/monitor.db": "Database of other users.",
        "/etc/systemd/system/monitor*": "Units written by install-service.",
    },
    "Environment": {
        "MONITOR_CONFIG": "Configuration file, unless --config names one.",
        "MONITOR_PROMETHEUS_TOKEN": "Bearer token of import --prometheus.",
        "MONITOR_PROMETHEUS_PASSWORD": "Password of the user in the URL of import --prometheus.",
        "http_proxy, https_proxy, no_proxy": "Proxies of import --prometheus.",
        "STATE_DIRECTORY, XDG_STATE_HOME": "Directory of the database unless storage.url is set: the first as it is, "
        'else "monitor" below the second.',
        "MONITOR_PROCFS, MONITOR_SYSFS": "Trees read instead of /proc and /sys: in a container, those of the host.",
        "NO_COLOR": "If set: tables without colour.",
        "FORCE_COLOR, CLICOLOR_FORCE": "If set and not 0: coloured tables in a pipe too.",
        "TERM": 'Value "dumb": plain text.',
        "COLUMNS": "Width of help and tables, if the terminal does not report one.",
    },
}


def _print_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001
    """Print the version and exit if `--version` is given (click callback)."""
    if not value or context.resilient_parsing:
        return
    sys.stdout.write(f"monitor {release()}\n")
    context.exit()


@click.command(
    "monitor",
    cls=RootGroup,
    sections=COMMAND_MODULES,
    package="monitor.cli.commands",
    examples=EXAMPLES,
    reference=REFERENCE,
    context_settings=CONTEXT_SETTINGS,
)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Predict high load on this host, minutes ahead.

    monitor samples the host, trains on its history and reports the probability of high load. `monitor COMMAND
    --help` describes a command.

    Reports go to stdout, progress and logs to stderr. A terminal gets coloured tables, a pipe plain text; --json
    prints one document. The options below may stand before or after the command.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), color=context.color)
