"""Entry point: run one command, report errors in one line each, return the exit code."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click
from click.exceptions import Exit

from monitor.cli.address_space import address_space_problem
from monitor.cli.exit_codes import ExitCode, exit_code_of
from monitor.cli.options import GlobalOptions
from monitor.cli.root import cli

PROGRAM = "monitor"
COMPLETION_VARIABLE = "_MONITOR_COMPLETE"
"""Environment variable that the completion scripts set to request completions."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: arguments after the program name; None for the arguments of the process.

    Returns:
        The exit code.
    """
    _tune_interpreter()
    _replace_closed_streams()
    options = GlobalOptions()
    try:
        code = _run(sys.argv[1:] if argv is None else list(argv), options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader closed the pipe (| head): there is nothing to report, now or at interpreter exit.
        _discard_output()
        return ExitCode.DONE
    except click.UsageError as error:
        return _report_usage_error(error)
    except Exception as error:
        return _report_error(error, options)
    return code


def _run(arguments: list[str], options: GlobalOptions) -> int:
    """Parse and run the command, or answer a completion request of a shell; return the exit code."""
    instruction = os.environ.get(COMPLETION_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete  # noqa: PLC0415

        return shell_complete(cli, {}, PROGRAM, COMPLETION_VARIABLE, instruction)
    try:
        with cli.make_context(PROGRAM, arguments, obj=options) as context:
            return int(cli.invoke(context) or ExitCode.DONE)
    except Exit as end:
        return end.exit_code


def _tune_interpreter() -> None:
    """Set process-wide options that shorten the run time of a command."""
    # More threads make training slower on a busy machine; NumPy reads these variables when it is imported.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    # The exiting process frees all memory at once; garbage collection at exit took a fifth of the time of `status`.
    atexit.register(gc.freeze)
    # Imports allocate many objects and no garbage.
    gc.set_threshold(7000, 10, 10)


def _replace_closed_streams() -> None:
    """Replace stdout and stderr if they were closed before the start: Python sets closed streams to None."""
    if sys.stdout is None:
        # Open it read-only, so that writing a result fails instead of losing it silently.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _discard_output() -> None:
    """Drop buffered output; Python would otherwise try to write it again at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_usage_error(error: click.UsageError) -> int:
    """Write the problem and the command that shows the help to stderr, and return the exit code."""
    command = error.ctx.command_path if error.ctx else PROGRAM
    sys.stderr.write(f"{PROGRAM}: {error.format_message()}\ntry: {command} --help\n")
    return ExitCode.USAGE


def _report_error(error: Exception, options: GlobalOptions) -> int:
    """Write one line per problem to stderr and return the exit code.

    Args:
        error: caught exception.
        options: options of this invocation.
    """
    if isinstance(error, MemoryError | ImportError) and (problem := address_space_problem()):
        # A library that cannot be mapped is an ImportError with a text about something else.
        sys.stderr.write(f"{PROGRAM}: {problem}\n")
        return ExitCode.FAILED
    if isinstance(error, MemoryError):
        sys.stderr.write(f"{PROGRAM}: not enough memory\n")
        return ExitCode.FAILED
    import logging  # noqa: PLC0415

    from monitor.system.logging import get_logger, print_error, setup_logging  # noqa: PLC0415

    if isinstance(error, OSError):
        _discard_output()
    code = exit_code_of(error)
    unconfigured = not logging.getLogger().handlers
    if unconfigured and (code is None or options.log_format):
        setup_logging(options.log_level or "info", options.log_format or "text")
    if code is None:
        # An unexpected error is one line as well; the traceback is logged at level debug.
        log = get_logger(__name__)
        log.critical("command crashed", exc_info=error)
        return ExitCode.FAILED
    for line in _message(error).splitlines():
        print_error(line)
    return code


def _message(error: Exception) -> str:
    """Return the message of an error; for a failed system call, its file name and reason without the error number."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
