"""One line an event, with names and values: text for people and journald, JSON for machines.

The message of a record is the event; what belongs to it travels in `extra={"fields": {...}}`.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any


def setup_logging(level: str, form: str) -> None:
    """Logs to stderr from here on, replacing what was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # APScheduler tells of every run and every late one; jobs.py counts them, and says what matters.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    # tornado tells of every malformed request and broken handshake: whoever sends them must not fill the journal.
    logging.getLogger("tornado").setLevel(logging.DEBUG if level == "debug" else logging.ERROR)


def event_fields(record: logging.LogRecord) -> dict[str, Any]:
    """What belongs to the event of a record, with the traceback if there is one."""
    found = dict(getattr(record, "fields", {}))
    if record.exc_info and record.exc_info[1]:
        found["error"] = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
    return found


class TextFormatter(logging.Formatter):
    """`2026-01-01T00:00:00Z INFO monitor.daemon: model promoted model=3`."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%SZ"
    default_msec_format = ""

    def format(self, record: logging.LogRecord) -> str:
        values = "".join(f" {key}={_quoted(value)}" for key, value in event_fields(record).items())
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {record.getMessage()}{values}"
        # A traceback is only for whoever asked for details; its error stands in the line.
        if record.exc_info and logging.getLogger().isEnabledFor(logging.DEBUG):
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (seconds since the epoch), level, logger, event, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **event_fields(record),
        }
        return json.dumps(line, default=str)


def _quoted(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return json.dumps(text) if not text or any(c.isspace() or c in '"=' for c in text) else text
