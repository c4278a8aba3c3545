"""One line an event, with names and values: text for people and journald, JSON for machines.

The message of a record is the event, a fixed phrase; what belongs to it travels in `extra={"fields": {...}}`.
docs/reference/logs.md lists all events. No logged value, such as a file name or the path of a request, can begin a
line of its own or speak to a terminal.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

log = logging.getLogger(__name__)

OURS = ("monitor", "model", "storage")
PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""Of syslog(3), by the least level of a record; what is below them all is for debugging, 7."""

CREDENTIALS = re.compile(r"(://[^:/?#@\s]*:)\S*(?=@)|([?&](?:password|passwd|token|secret)=)[^&\s]+", re.I)
"""Of a URL: the password before its host, and those in its query."""


def setup_logging(level: str, form: str) -> None:
    """Logs to stderr from here on, replacing what was set up before."""
    formatter = JsonFormatter() if form == "json" else TextFormatter(timed=not to_journal())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalFormatter(formatter) if to_journal() else formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    # APScheduler tells of every run and every late one; jobs.py counts them, and says what matters.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    # tornado tells of every malformed request and broken handshake: whoever sends them must not fill the journal.
    logging.getLogger("tornado").setLevel(logging.DEBUG if level == "debug" else logging.ERROR)


def to_journal() -> bool:
    """Whether stderr is a stream of the journal, as systemd.exec(5) has it told: by device and inode."""
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def complain(line: str) -> None:
    """Says in one line why the program ends, to whoever started it: as everything else is said to them."""
    if logs_json():
        log.error("ended by an error", extra={"fields": {"error": line}})
    else:
        _say(line, 3)


def remark(line: str) -> None:
    """Says in one line what whoever typed a command should know beside its result."""
    if logs_json():
        log.warning("to be known", extra={"fields": {"what": line}})
    else:
        _say(line, 4)


def logs_json() -> bool:
    """Whether stderr has one JSON object a line."""
    handlers = logging.getLogger().handlers
    return bool(handlers) and _is_json(handlers[0].formatter)


def _say(line: str, priority: int) -> None:
    prefix = f"<{priority}>" if to_journal() else ""
    sys.stderr.write(f"{prefix}monitor: {masked(line)}\n")


@contextmanager
def threads_logged() -> Iterator[None]:
    """What ends a thread unexpectedly is an event too, not a traceback of many lines."""

    def hook(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            name = args.thread.name if args.thread else None
            log.critical("thread ended by an error", exc_info=args.exc_value, extra={"fields": {"thread": name}})

    before, threading.excepthook = threading.excepthook, hook
    try:
        yield
    finally:
        threading.excepthook = before


class TextFormatter(logging.Formatter):
    """`2026-01-01T00:00:00Z INFO monitor.serving: model serves model=3`; untimed where the reader keeps the time."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%SZ"
    default_msec_format = ""

    def __init__(self, *, timed: bool = True) -> None:
        super().__init__()
        self._timed = timed

    def format(self, record: logging.LogRecord) -> str:
        values = "".join(f" {key}={_word(value)}" for key, value in event_fields(record).items())
        line = f"{record.levelname} {record.name}: {_printable(masked(record.getMessage()))}{values}"
        if self._timed:
            line = f"{self.formatTime(record)} {line}"
        # A traceback is only for whoever asked for details; its error stands in the line. Indented, no line of it can
        # be taken for an event.
        if record.exc_info and logging.getLogger().isEnabledFor(logging.DEBUG):
            lines = self.formatException(record.exc_info).splitlines()
            line += "".join(f"\n  {_printable(masked(one))}" for one in lines)
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (seconds since the epoch), level, logger, event, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": masked(record.getMessage()),
            **event_fields(record),
        }
        if record.exc_info:
            line["traceback"] = masked(self.formatException(record.exc_info))
        return json.dumps(line)


class JournalFormatter(logging.Formatter):
    """Each line of another format with the priority that journald takes off and files it under (sd-daemon(3))."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        priority = next((number for level, number in PRIORITIES if record.levelno >= level), 7)
        return "\n".join(f"<{priority}>{line}" for line in self.inner.format(record).split("\n"))


def event_fields(record: logging.LogRecord) -> dict[str, Any]:
    """What belongs to the event of a record, as JSON can say it; of an exception what it is and whence it came."""
    found = {key: _plain(value) for key, value in getattr(record, "fields", {}).items()}
    if record.exc_info and record.exc_info[1]:
        error = record.exc_info[1]
        found["error"] = masked(f"{type(error).__name__}: {error}")
        found["where"] = where(error.__traceback__)
    return found


def where(found: TracebackType | None) -> str:
    """The innermost place of our own in a traceback, else the innermost of all, as `module:line`."""
    places = [(str(frame.f_globals.get("__name__", "?")), line) for frame, line in traceback.walk_tb(found)]
    ours = [place for place in places if place[0].partition(".")[0] in OURS]
    return "{}:{}".format(*(ours or places or [("?", 0)])[-1])


def masked(text: str) -> str:
    """The text without the passwords of the URLs in it."""
    return CREDENTIALS.sub(lambda match: f"{match[1] or match[2]}***", text)


def _plain(value: Any) -> Any:
    """As JSON has it: a number that is none becomes null, and what JSON does not know becomes its text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else masked(str(value))


def _word(value: Any) -> str:
    """One word of text: in quotes, with JSON's escapes, unless it can stand for itself."""
    if isinstance(value, float):
        return f"{value:.12g}"
    text = str(value)
    if text and text.isprintable() and not any(character in ' "=\\' for character in text):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable()).replace("\x7f", "\\u007f")


def _printable(text: str) -> str:
    """The text with escapes in place of whatever does not print."""
    return text if text.isprintable() else json.dumps(text)[1:-1].replace("\x7f", "\\u007f")


def _is_json(formatter: logging.Formatter | None) -> bool:
    return isinstance(getattr(formatter, "inner", formatter), JsonFormatter)
