"""The commands.

Each imports what it needs when it runs, so that `--help` costs nothing; results go to stdout, all else to stderr,
and whatever goes wrong ends as one line and an exit code.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from monitor.cli.commands import import_export as history
from monitor.cli.commands import look, models, surroundings
from monitor.cli.parser import Command, pages, parser
from monitor.errors import EXIT_DONE, EXIT_FAILED, MonitorError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    # More threads make training slower on a busy machine and spin on others; NumPy reads these when imported.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    # What a process holds goes with it: to search it for garbage at the end took a fifth of the time of `status`.
    atexit.register(gc.freeze)
    # Importing makes many things and no garbage: ten times as many are made before anything is searched.
    gc.set_threshold(7000, 10, 10)
    _without_closed_streams()
    arguments = argparse.Namespace(log_format=None, log_level=None)
    try:
        arguments = _typed(argv)
        code = int(arguments.command(arguments))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 128 + 2
    except BrokenPipeError:
        # The reader has gone (| head): nothing more to say, and nothing to complain about at exit either.
        _forget_output()
        return EXIT_DONE
    except Exception as error:
        return _complain(error, arguments)


def _typed(argv: Sequence[str] | None) -> argparse.Namespace:
    try:
        typed: argparse.Namespace = parser(COMMANDS).parse_args(argv)
        return typed
    finally:
        # What --help and --version print ends the program by SystemExit: that it could not be written comes first.
        sys.stdout.flush()


def _without_closed_streams() -> None:
    """Puts something in the place of a stream that was closed before the start: Python has None there."""
    if sys.stdout is None:
        # To write to it fails, as to the closed one: an answer must not get lost in silence.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _forget_output() -> None:
    """What is not written yet goes nowhere, or Python would try again at the end, and complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(error: Exception, arguments: argparse.Namespace) -> int:
    """Says what went wrong on stderr, and gives the exit code for it."""
    import logging  # noqa: PLC0415

    from monitor.system.logging import get_logger, print_error, setup_logging  # noqa: PLC0415

    if isinstance(error, OSError):
        _forget_output()
    known = _exit_code(error)
    silent = not logging.getLogger().handlers
    if silent and (known is None or arguments.log_format):
        setup_logging(arguments.log_level or "info", arguments.log_format or "text")
    if known is None:
        # nobody expected it: where it was stands in the line, the traceback only for whoever asked for details
        log = get_logger(__name__)
        log.critical("command crashed", exc_info=error)
        return EXIT_FAILED
    for line in str(error).splitlines():
        print_error(line)
    return known


def _exit_code(error: Exception) -> int | None:
    """The exit code of an error that says what a person can do; None for one that nobody expected."""
    if isinstance(error, MonitorError):
        return error.exit_code
    if isinstance(error, OSError):
        return EXIT_FAILED
    # Looked up by name: importing the packages only to name their errors would slow down every usage error.
    bases = {f"{base.__module__}.{base.__name__}" for base in type(error).__mro__}
    known = {"storage.errors.StorageError", "model.errors.ModelError"}
    return EXIT_FAILED if bases & known else None


def _completion(arguments: argparse.Namespace) -> int:
    from shtab import complete  # noqa: PLC0415

    print(complete(parser(COMMANDS), arguments.shell))
    return EXIT_DONE


def _help(arguments: argparse.Namespace) -> int:
    made = parser(COMMANDS)
    (pages(made)[arguments.topic] if arguments.topic else made).print_help()
    return EXIT_DONE


COMMANDS: dict[str, Command] = {
    "run": surroundings.run,
    "retrain": models.retrain,
    "status": look.status,
    "predict": look.predict,
    "report": look.report,
    "models": models.models,
    "anomalies": look.anomalies,
    "backtest": models.backtest,
    "import": history.bring_in,
    "export": history.write_out,
    "check-config": surroundings.check_config,
    "doctor": surroundings.doctor,
    "install-service": surroundings.install_service,
    "uninstall-service": surroundings.uninstall_service,
    "completion": _completion,
    "help": _help,
}
