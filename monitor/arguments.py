"""What can be typed after `monitor`: the commands with their arguments, read and checked."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

Command = Callable[[argparse.Namespace], int]

EXIT_CODES = """\
exit codes: 0 done; 1 failed; 2 usage or configuration; 3 the gate refused the candidate (the serving model
stays); 4 not enough data to train; 5 another retraining holds the lock"""


def parser(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    """The parser of them all; `command` of what it gives back is the function to run.

    Args:
        commands: by name, as typed.
    """
    made = argparse.ArgumentParser(
        prog="monitor",
        description="Early warning for servers: the probability of high load, minutes ahead.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"monitor {version('monitor')}")
    made.add_argument("--config", metavar="FILE", help="configuration (else $MONITOR_CONFIG, ./config.toml, /etc)")
    made.add_argument("--log-level", metavar="L", choices=("debug", "info", "warning", "error"))
    made.add_argument("--log-format", choices=("text", "json"))
    subparsers = made.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, text: str, *, report: bool = True) -> Any:
        sub = subparsers.add_parser(name, help=text, description=text)
        sub.set_defaults(command=commands[name])
        if report:
            sub.add_argument("--json", action="store_true", help="print JSON")
        return sub

    add("run", "run the daemon in the foreground", report=False)
    retrain = add("retrain", "train on the stored samples and, if the gate lets it, serve the new model")
    retrain.add_argument("--since", metavar="D", type=_duration, help='history to look at, e.g. "7d"')
    retrain.add_argument("--dry-run", action="store_true", help="register and promote nothing")
    retrain.add_argument("--force", action="store_true", help="promote even if the gate refuses")
    add("status", "is it sampling, what does it predict, what serves, how did the last training go")
    predict = add("predict", "the prediction for now, with each metric's share in it")
    predict.add_argument(
        "--at", metavar="T", type=_moment, help="the moment: seconds since the epoch, or a date, in UTC"
    )
    report = add("report", "how good the predictions were against what happened")
    report.add_argument("--since", metavar="D", type=_duration, help='how far back, e.g. "30d"; default 7d')
    _add_models(add("models", "the registry of models", report=False))
    anomalies = add("anomalies", "the anomalies seen, and your word on them")
    anomalies.add_argument("action", choices=("list", "show", "ack", "maintenance"))
    anomalies.add_argument("id", nargs="?", type=_id, help="of the anomaly")
    anomalies.add_argument("--since", metavar="D", type=_duration, help='list: how far back, e.g. "90d"; default 30d')
    anomalies.add_argument(
        "--as",
        dest="judgement",
        choices=("expected", "incident"),
        help="ack: learn it as usual, or learn nothing of it",
    )
    anomalies.add_argument("--note", metavar="TEXT", help="ack, maintenance: in your words")
    anomalies.add_argument(
        "--for",
        dest="duration",
        metavar="D",
        type=_duration,
        help='maintenance: how long, e.g. "2h"; else lists them',
    )
    anomalies.add_argument(
        "--from", dest="at", metavar="T", type=_moment, help="maintenance: when it begins; default now"
    )
    anomalies.add_argument("--end", metavar="ID", type=_id, help="maintenance: ends one now, or takes it back")
    back = add("backtest", "live through traces (CSV) again and score what would have been said")
    back.add_argument("traces", nargs="+", metavar="TRACE", type=Path, help="CSV, compressed where it ends in .gz")
    back.add_argument(
        "--train-until", metavar="T", type=_moment, help="seconds since the epoch; else 60 %% of the rows"
    )
    back.add_argument("--predictions", metavar="FILE", type=Path, help="write what was said; for a single trace")
    back.add_argument("--plot", metavar="FILE", type=Path, help="draw it (needs matplotlib); for a single trace")
    back.add_argument("--no-retrain", action="store_true", help="train once and hold the model still")
    bring = add("import", "bring traces (CSV) into the stored history")
    bring.add_argument("traces", nargs="+", metavar="TRACE", type=Path, help="CSV, compressed where it ends in .gz")
    export = add("export", "write the stored history as a trace (CSV)", report=False)
    export.add_argument("file", nargs="?", type=Path, help="else stdout; compressed where it ends in .gz")
    export.add_argument("--since", metavar="D", type=_duration, help='only the newest part, e.g. "7d"')
    check = add("check-config", "validate a configuration and print what is in effect")
    check.add_argument("file", nargs="?", help="else the one that would be used")
    add("doctor", "look at all that a daemon stands on, and say how to mend what is wrong")
    install = add("install-service", "put the systemd unit and the configuration in place", report=False)
    install.add_argument("--print", action="store_true", help="only write the unit to stdout")
    add("uninstall-service", "stop and remove the systemd unit; data and configuration stay", report=False)
    return made


def _add_models(models: argparse.ArgumentParser) -> None:
    """What can be done with models."""
    actions = models.add_subparsers(required=True, metavar="ACTION", dest="action")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=text, description=text)
        sub.add_argument("--json", action="store_true", help="print JSON")
        return sub

    add("list", "the newest models, and which one serves")
    add("show", "one model with the report of its training").add_argument("id", metavar="ID", type=_id)
    back = add("rollback", "let another model serve, whatever the gate said of it")
    back.add_argument("id", metavar="ID", nargs="?", type=_id, help="else the one before that has served")
    out = add("export", "write a model to a file, with its detector and its report")
    out.add_argument("id", metavar="ID", type=_id)
    out.add_argument("file", metavar="FILE", type=Path)
    bring = add("import", "register the model of a file; it does not serve before a rollback to it")
    bring.add_argument("file", metavar="FILE", type=Path)


def _id(text: str) -> int:
    """Of a row in the database; larger ones than it can hold are none."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not an id")
    return int(text)


def _duration(text: str) -> float:
    from monitor.durations import parse_duration  # noqa: PLC0415

    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if seconds <= 0:
        raise argparse.ArgumentTypeError("must be longer than nothing")
    return seconds


def _moment(text: str) -> float:
    from datetime import UTC, datetime  # noqa: PLC0415

    from monitor.durations import LATEST  # noqa: PLC0415

    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            seconds = -1.0
        else:
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not 0 <= seconds <= LATEST:
        told = "neither seconds since the epoch nor a date such as 2026-03-01T12:00:00"
        raise argparse.ArgumentTypeError(f"{text!r} is no point in time: {told}")
    return seconds
