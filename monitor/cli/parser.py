"""What can be typed after `monitor`: the commands with their arguments, read and checked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from monitor import release
from monitor.cli.help import Parser, examples
from monitor.cli.help_text import ABOUT, EXAMPLES, PAGES, REFERENCE

Command = Callable[[argparse.Namespace], int]


class _Version(argparse.Action):
    """Looks the version up only when asked: reading a package's metadata takes longer than all the rest."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        sys.stdout.write(f"monitor {release()}\n")
        parser.exit()


def parser(commands: Mapping[str, Command]) -> Parser:
    """The parser of them all; `command` of what it gives back is the function to run.

    Args:
        commands: by name, as typed.
    """
    made = Parser(
        prog="monitor",
        usage="monitor [OPTION]... COMMAND [ARGUMENT]...",
        description=f"Early warning for servers: the probability of high load, minutes ahead.\n\n{ABOUT}",
        epilog=f"{examples(EXAMPLES)}\n\n{REFERENCE}",
    )
    made.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    _common(made)
    subparsers = made.add_subparsers(required=True, metavar="COMMAND", title="commands", prog="monitor")

    def add(name: str, text: str, *, report: bool = True) -> Any:
        page = PAGES[name]
        about = f"{text[:1].upper()}{text[1:]}.\n\n{page.text}"
        end = f"{examples(page.examples)}\n\nOptions of every command: monitor --help."
        sub = subparsers.add_parser(name, help=text, description=about, epilog=end)
        sub.set_defaults(command=commands[name], page=sub)
        _common(sub, again=True)
        if report:
            sub.add_argument("--json", action="store_true", help="print one JSON document in place of the report")
        return sub

    add("run", "run the daemon in the foreground", report=False)
    retrain = add("retrain", "train on the stored samples and, if the gate lets it, serve the new model")
    retrain.add_argument(
        "--since",
        metavar="DURATION",
        type=_duration,
        help='how much history to look at, back from now, e.g. "7d" (default: training.history)',
    )
    retrain.add_argument("--dry-run", action="store_true", help="register and promote nothing")
    retrain.add_argument("--force", action="store_true", help="promote even if the gate refuses")
    add("status", "is it sampling, what does it predict, what serves, how did the last training go")
    predict = add("predict", "the prediction for now, with each metric's share in it")
    predict.add_argument(
        "--at",
        metavar="TIME",
        type=_moment,
        help="the moment: seconds since the epoch or a date and time, UTC unless it says otherwise (default: now)",
    )
    report = add("report", "how good the predictions were against what happened")
    report.add_argument("--since", metavar="DURATION", type=_duration, help='how far back, e.g. "30d" (default: 7d)')
    _models(add("models", "the registry of models", report=False))
    _anomalies(add("anomalies", "the anomalies seen, and your word on them"))
    _backtest(add("backtest", "live through traces (CSV) again and score what would have been said"))
    _traces(add("import", "bring traces (CSV) into the stored history"))
    export = add("export", "write the stored history as a trace (CSV)", report=False)
    _file(
        export.add_argument(
            "file",
            metavar="FILE",
            nargs="?",
            type=Path,
            help="where to; compressed where the name ends in .gz (default: stdout)",
        )
    )
    export.add_argument(
        "--since", metavar="DURATION", type=_duration, help='only the newest part, e.g. "7d" (default: all)'
    )
    check = add("check-config", "validate a configuration and print what is in effect")
    _file(check.add_argument("file", metavar="FILE", nargs="?", help="which (default: the one that would be used)"))
    add("doctor", "look at all that a daemon stands on, and say how to mend what is wrong")
    install = add("install-service", "put the systemd unit and the configuration in place", report=False)
    install.add_argument("--print", action="store_true", help="only write the unit to stdout")
    add("uninstall-service", "stop and remove the systemd unit; data and configuration stay", report=False)
    completion = add("completion", "print a script that completes commands in a shell", report=False)
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="which shell")
    about = add("help", "print the page of a command, or the list of them", report=False)
    about.add_argument("topic", metavar="COMMAND", nargs="?", choices=tuple(subparsers.choices), help="which command")
    return made


def _models(to: argparse.ArgumentParser) -> None:
    """What can be done with models."""
    actions = to.add_subparsers(required=True, metavar="ACTION", dest="action", title="actions")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.")
        sub.set_defaults(page=sub)
        _common(sub, again=True)
        sub.add_argument("--json", action="store_true", help="print one JSON document in place of the report")
        return sub

    def one(sub: argparse.ArgumentParser) -> argparse.ArgumentParser:
        sub.add_argument("id", metavar="ID", type=_id, help="number of the model")
        return sub

    add("list", "the newest models, and which one serves")
    one(add("show", "one model with the report of its training"))
    back = add("rollback", "let another model serve, whatever the gate said of it")
    back.add_argument("id", metavar="ID", nargs="?", type=_id, help="number of the model (default: the one before)")
    out = one(add("export", "write a model to a file, with its detector and its report"))
    _file(out.add_argument("file", metavar="FILE", type=Path, help="where to"))
    bring = add("import", "register the model of a file; it does not serve before a rollback to it")
    _file(bring.add_argument("file", metavar="FILE", type=Path, help="as export wrote it"))


def _anomalies(to: argparse.ArgumentParser) -> None:
    to.add_argument("action", choices=("list", "show", "ack", "maintenance"), help="what to do")
    to.add_argument("id", metavar="ID", nargs="?", type=_id, help="show, ack: number of the anomaly")
    to.add_argument(
        "--since", metavar="DURATION", type=_duration, help='list: how far back, e.g. "90d" (default: 30d)'
    )
    to.add_argument(
        "--as",
        dest="judgement",
        choices=("expected", "incident"),
        help="ack: expected, to learn it as usual; incident, to learn nothing of it",
    )
    to.add_argument("--note", metavar="TEXT", help="ack, maintenance: in your words (default: none)")
    to.add_argument(
        "--for",
        dest="duration",
        metavar="DURATION",
        type=_duration,
        help='maintenance: how long, e.g. "2h" (default: lists them)',
    )
    to.add_argument(
        "--from",
        dest="at",
        metavar="TIME",
        type=_moment,
        help="maintenance: when it begins, seconds since the epoch or a date and time (default: now)",
    )
    to.add_argument(
        "--end", metavar="ID", type=_id, help="maintenance: ends this one now, or takes it back if it has not begun"
    )


def _backtest(to: argparse.ArgumentParser) -> None:
    _traces(to)
    to.add_argument(
        "--train-until",
        metavar="TIME",
        type=_moment,
        help="where learning ends: seconds since the epoch or a date and time (default: 60 %% of the rows)",
    )
    _file(
        to.add_argument(
            "--predictions", metavar="FILE", type=Path, help="write what was said as CSV; for a single trace"
        )
    )
    _file(to.add_argument("--plot", metavar="FILE", type=Path, help="draw it (needs matplotlib); for a single trace"))
    to.add_argument(
        "--no-retrain", action="store_true", help="train once and hold the model still (default: training.interval)"
    )


def pages(made: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parser of each command, by its name."""
    of = (action for action in made._actions if isinstance(action, argparse._SubParsersAction))
    return dict(next(of).choices)


def _common(to: argparse.ArgumentParser, *, again: bool = False) -> None:
    """The options of every command; `again` after the command, where help need not repeat them."""

    def add(name: str, text: str, default: str | None = None, **how: Any) -> argparse.Action:
        hidden = argparse.SUPPRESS
        return to.add_argument(name, help=hidden if again else text, default=hidden if again else default, **how)

    places = "$MONITOR_CONFIG, ./config.toml, /etc/monitor/config.toml, and without any the built-in defaults"
    _file(add("--config", f"configuration to use (default: {places})", metavar="FILE"))
    levels = ("debug", "info", "warning", "error")
    add("--log-level", "least level that is logged, to stderr (default: log.level)", choices=levels)
    add("--log-format", "lines for people or for programs (default: log.format)", choices=("text", "json"))
    add(
        "--color",
        "tables and colours: on a terminal, always, or tables without colour (default: auto)",
        "auto",
        choices=("auto", "always", "never"),
    )


def _traces(to: argparse.ArgumentParser) -> None:
    _file(
        to.add_argument(
            "traces", nargs="+", metavar="TRACE", type=Path, help="CSV file, compressed where its name ends in .gz"
        )
    )


def _file(action: argparse.Action) -> None:
    """Lets a shell complete the names of files here; shtab reads this attribute."""
    action.complete = "file"  # type: ignore[attr-defined]


def _id(text: str) -> int:
    """Of a row in the database; larger ones than it can hold are none."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not an id")
    return int(text)


def _duration(text: str) -> float:
    from monitor.config.durations import LONGEST, parse_duration  # noqa: PLC0415

    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if seconds <= 0:
        raise argparse.ArgumentTypeError("must be longer than nothing")
    if seconds > LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is longer than a hundred years")
    return seconds


def _moment(text: str) -> float:
    from datetime import UTC, datetime  # noqa: PLC0415

    from monitor.system.formatting import LATEST  # noqa: PLC0415

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
