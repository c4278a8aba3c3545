"""Structured logging: one event per line with named fields, as text or JSON.

The message of a record is the event, a fixed phrase. The fields of the event are keyword arguments of the logging
call, in the `fields` attribute of the record. `docs/reference/logs.md` lists all events. The formatters escape
control characters, so that no logged value can forge a line or control a terminal.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

from monitor.system.json_codec import JsonValue
from monitor.system.redaction import redact_credentials

PACKAGES = ("monitor", "model", "storage")
SYSLOG_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""Pairs of lowest log level and syslog(3) priority; levels below INFO have the priority `DEBUG_PRIORITY`."""
DEBUG_PRIORITY = 7


class StructuredLogger:
    """Logger whose keyword arguments become the fields of an event: `log.info("model promoted", model=3)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def log(self, level: int, event: str, /, exc_info: BaseException | None = None, **fields: object) -> None:
        """Log an event with its fields; `exc_info` adds the error, its location and its traceback."""
        self._logger.log(level, event, exc_info=exc_info, extra={"fields": fields})

    def debug(self, event: str, /, exc_info: BaseException | None = None, **fields: object) -> None:
        self.log(logging.DEBUG, event, exc_info, **fields)

    def info(self, event: str, /, exc_info: BaseException | None = None, **fields: object) -> None:
        self.log(logging.INFO, event, exc_info, **fields)

    def warning(self, event: str, /, exc_info: BaseException | None = None, **fields: object) -> None:
        self.log(logging.WARNING, event, exc_info, **fields)

    def error(self, event: str, /, exc_info: BaseException | None = None, **fields: object) -> None:
        self.log(logging.ERROR, event, exc_info, **fields)

    def critical(self, event: str, /, exc_info: BaseException | None = None, **fields: object) -> None:
        self.log(logging.CRITICAL, event, exc_info, **fields)


def get_logger(name: str) -> StructuredLogger:
    """Return the structured logger of a module."""
    return StructuredLogger(name)


log = get_logger(__name__)


def setup_logging(level: str, log_format: str) -> None:
    """Configure logging to stderr, replacing any earlier configuration.

    Args:
        level: name of the lowest level that is logged, in lower or upper case.
        log_format: `text` or `json`.
    """
    journal = stderr_is_journal()
    formatter = JsonFormatter() if log_format == "json" else TextFormatter(with_time=not journal)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalFormatter(formatter) if journal else formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    # APScheduler logs every run and every misfire; the scheduler module counts them and logs failures itself.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    # tornado logs malformed requests and failed handshakes: a remote client must not be able to fill the journal.
    logging.getLogger("tornado").setLevel(logging.DEBUG if level == "debug" else logging.ERROR)


def stderr_is_journal() -> bool:
    """Return True if stderr is connected to the journal: $JOURNAL_STREAM is its device and inode."""
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def print_error(message: str) -> None:
    """Write the error that ends a command to stderr: as an event if logs are JSON, else as `monitor: message`."""
    if logs_are_json():
        log.error("command failed", error=message)
    else:
        _print(message, priority=3)


def print_warning(event: str, message: str, **fields: object) -> None:
    """Write a warning to stderr: as `event` with fields if logs are JSON, else as `monitor: message`."""
    if logs_are_json():
        log.warning(event, None, **fields)
    else:
        _print(message, priority=4)


def logs_are_json() -> bool:
    """Return True if logs are written as one JSON object per line."""
    handlers = logging.getLogger().handlers
    return bool(handlers) and _is_json(handlers[0].formatter)


def _print(message: str, priority: int) -> None:
    prefix = f"<{priority}>" if stderr_is_journal() else ""
    sys.stderr.write(f"{prefix}monitor: {redact_credentials(message)}\n")


@contextmanager
def thread_errors_logged() -> Iterator[None]:
    """Log an exception that ends a thread as one event instead of a traceback, during a `with` block."""

    def hook(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            name = args.thread.name if args.thread else None
            log.critical("thread crashed", exc_info=args.exc_value, thread=name)

    previous, threading.excepthook = threading.excepthook, hook
    try:
        yield
    finally:
        threading.excepthook = previous


class TextFormatter(logging.Formatter):
    """Formatter of text lines, with or without the time.

    Example: `2026-01-01T00:00:00Z INFO monitor.inference.served_model: model activated model=3`.
    """

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%SZ"
    default_msec_format = ""

    def __init__(self, *, with_time: bool = True) -> None:
        super().__init__()
        self._with_time = with_time

    def format(self, record: logging.LogRecord) -> str:
        values = "".join(f" {key}={_quoted(value)}" for key, value in event_fields(record).items())
        event = _escaped(redact_credentials(record.getMessage()))
        line = f"{record.levelname} {record.name}: {event}{values}"
        if self._with_time:
            line = f"{self.formatTime(record)} {line}"
        # The line itself names the error; the traceback is for debugging. Indented lines cannot be mistaken for
        # events.
        if record.exc_info and logging.getLogger().isEnabledFor(logging.DEBUG):
            traceback_lines = self.formatException(record.exc_info).splitlines()
            line += "".join(f"\n  {_escaped(redact_credentials(text))}" for text in traceback_lines)
        return line


class JsonFormatter(logging.Formatter):
    """Formatter of JSON lines: time (seconds since the epoch), level, logger, event and the fields of the event."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": redact_credentials(record.getMessage()),
            **event_fields(record),
        }
        if record.exc_info:
            line["traceback"] = redact_credentials(self.formatException(record.exc_info))
        return json.dumps(line)


class JournalFormatter(logging.Formatter):
    """Formatter that adds the priority prefix of journald (sd-daemon(3)) to each line of another formatter."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        priorities = (number for level, number in SYSLOG_PRIORITIES if record.levelno >= level)
        priority = next(priorities, DEBUG_PRIORITY)
        return "\n".join(f"<{priority}>{line}" for line in self.inner.format(record).split("\n"))


def event_fields(record: logging.LogRecord) -> dict[str, JsonValue]:
    """Return the fields of a record as JSON values; an exception adds `error` (type and message) and `location`."""
    fields = {key: _json_value(value) for key, value in getattr(record, "fields", {}).items()}
    if record.exc_info and record.exc_info[1]:
        error = record.exc_info[1]
        fields["error"] = redact_credentials(f"{type(error).__name__}: {error}")
        fields["location"] = error_location(error.__traceback__)
    return fields


def error_location(trace: TracebackType | None) -> str:
    """Return the innermost frame in PACKAGES as `module:line`; the innermost of all frames if none is in PACKAGES."""
    frames = [(str(frame.f_globals.get("__name__", "?")), line) for frame, line in traceback.walk_tb(trace)]
    own_frames = [(module, line) for module, line in frames if module.partition(".")[0] in PACKAGES]
    module, line = (own_frames or frames or [("?", 0)])[-1]
    return f"{module}:{line}"


def _json_value(value: object) -> JsonValue:
    """Return a value as JSON data: NaN and infinity become null, values of other types become text."""
    if isinstance(value, Mapping):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    return redact_credentials(str(value))


def _quoted(value: JsonValue) -> str:
    """Return a value as one word of a text line; quoted and escaped as in JSON if necessary."""
    if isinstance(value, float):
        return f"{value:.12g}"
    text = str(value)
    if text and text.isprintable() and not any(character in ' "=\\' for character in text):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable()).replace("\x7f", "\\u007f")


def _escaped(text: str) -> str:
    """Return the text with escapes in place of unprintable characters."""
    return text if text.isprintable() else json.dumps(text)[1:-1].replace("\x7f", "\\u007f")


def _is_json(formatter: logging.Formatter | None) -> bool:
    return isinstance(getattr(formatter, "inner", formatter), JsonFormatter)
