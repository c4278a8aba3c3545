"""Tests of structured logging: text, JSON and journal formats."""

import io
import json
import logging
import os
import re
import sys
import threading
from pathlib import Path

import pytest

from monitor.config.durations import parse_duration
from monitor.system.logging import (
    JournalFormatter,
    JsonFormatter,
    TextFormatter,
    get_logger,
    print_error,
    print_warning,
    setup_logging,
    stderr_is_journal,
    thread_errors_logged,
)

pytestmark = pytest.mark.unit


def record(event, level=logging.INFO, error=None, **fields):
    exc_info = (type(error), error, error.__traceback__) if error else None
    log_record = logging.LogRecord("monitor.daemon", level, "daemon.py", 1, event, (), exc_info)
    log_record.created = 1_800_000_000.25
    log_record.fields = fields
    return log_record


def text(*args, **fields):
    return TextFormatter(with_time=False).format(record(*args, **fields))


def document(*args, **fields):
    line = JsonFormatter().format(record(*args, **fields))
    assert "\n" not in line
    return json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.fixture
def root_logger():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield root
    logging.captureWarnings(False)
    root.handlers[:], root.level = before


@pytest.fixture
def raised():
    try:
        int("no\x1b[31m\nnumber")
    except ValueError as error:
        return error


def test_text_format_has_time_level_logger_event_and_fields():
    line = TextFormatter().format(record("model activated", model=3, previous=None, share=0.25))
    assert line == "2027-01-15T08:00:00Z INFO monitor.daemon: model activated model=3 previous=None share=0.25"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("two words", '"two words"'),
        ("", '""'),
        ('a"b', '"a\\"b"'),
        ("a=b", '"a=b"'),
        ("a\\b", '"a\\\\b"'),
        ("größe", "größe"),
        ("x\n2027 ERROR monitor: forged", '"x\\n2027 ERROR monitor: forged"'),
        ("\x1b[2J", '"\\u001b[2J"'),
        ("\x7f\x9b\u2028", '"\\u007f\\u009b\\u2028"'),
        ("\udc80", '"\\udc80"'),
        (1_800_000_000.25, "1800000000.25"),
        (Path("/a b"), '"/a b"'),
    ],
)
def test_text_format_quotes_and_escapes_values(value, expected):
    assert text("event", value=value) == f"INFO monitor.daemon: event value={expected}"


def test_text_format_escapes_event():
    assert text("serving /x\nERROR forged\x1b[2J") == r"INFO monitor.daemon: serving /x\nERROR forged\u001b[2J"


def test_json_format_is_a_valid_object():
    line = document(
        "event", logging.WARNING, nan=float("nan"), infinite=float("inf"), path=Path("/a\nb"), pair=(1, 2.5)
    )
    assert line == {
        "time": 1_800_000_000.25,
        "level": "warning",
        "logger": "monitor.daemon",
        "event": "event",
        "nan": None,
        "infinite": None,
        "path": "/a\nb",
        "pair": [1, 2.5],
    }


@pytest.mark.parametrize(
    ("message", "redacted"),
    [
        ("postgresql://u:se@cret@db:5432/m", "postgresql://***@db:5432/m"),
        ("cannot reach postgresql://:secret@/m now", "cannot reach postgresql://***@/m now"),
        ("postgresql://db/m?user=u&password=secret&x=1", "postgresql://db/m?user=u&password=***"),
        ("sqlite:////var/lib/monitor/monitor.db", "sqlite:////var/lib/monitor/monitor.db"),
        ("http://127.0.0.1:10190/metrics", "http://127.0.0.1:10190/metrics"),
    ],
)
def test_formatters_redact_passwords_of_urls(message, redacted):
    error = RuntimeError(message)
    assert document(message, error=error, url=message)["event"] == redacted
    assert document("x", url=message, urls=[message])["url"] == redacted
    assert document("x", error=error)["error"] == f"RuntimeError: {redacted}"
    assert "secret" not in text(message, url=message) + json.dumps(document("x", error=error, urls=[message]))


def test_text_format_states_error_and_location_in_a_single_line(raised):
    line = text("job failed", logging.ERROR, error=raised, job="scoring")
    assert "\n" not in line
    assert 'job=scoring error="ValueError: invalid literal' in line
    assert re.search(r" location=\S*test_logging:\d+$", line)


def test_error_location_is_innermost_frame_of_project():
    with pytest.raises(ValueError, match="duration") as caught:
        parse_duration("x")
    assert re.fullmatch(r"monitor\.config\.durations:\d+", document("x", error=caught.value)["location"])


def test_json_format_has_traceback_field(raised):
    assert document("job failed", error=raised)["traceback"].startswith("Traceback (most recent call last):\n")


def test_text_format_indents_traceback_at_debug_level(raised, root_logger):
    root_logger.setLevel(logging.DEBUG)
    first, *rest = text("job failed", error=raised).splitlines()
    assert first.startswith("INFO monitor.daemon: job failed ")
    assert len(rest) > 2
    assert all(line.startswith("  ") and line.isprintable() for line in rest)


def test_journal_format_prefixes_each_line_with_priority(raised, root_logger):
    root_logger.setLevel(logging.DEBUG)
    journal = JournalFormatter(TextFormatter(with_time=False))
    lines = journal.format(record("job failed", logging.ERROR, error=raised)).splitlines()
    assert lines[0].startswith("<3>ERROR monitor.daemon: job failed ")
    assert {line[:3] for line in lines} == {"<3>"}
    levels = (logging.CRITICAL, logging.WARNING, logging.INFO, logging.DEBUG)
    assert [journal.format(record("x", level))[:3] for level in levels] == ["<2>", "<4>", "<6>", "<7>"]


@pytest.mark.parametrize(("log_format", "expected"), [("text", "<6>INFO monitor: event\n"), ("json", '<6>{"time":')])
def test_setup_logging_adds_priorities_for_journal_only(log_format, expected, tmp_path, monkeypatch, root_logger):
    with (tmp_path / "stream").open("w+") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino + 1}")
        assert not stderr_is_journal()
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        setup_logging("info", log_format)
        logging.getLogger("monitor").info("event")
        print_error("cannot be bound")
    event_line, error_line = (tmp_path / "stream").read_text().splitlines(keepends=True)
    assert event_line.startswith(expected)
    assert error_line.startswith("<3>monitor: cannot be bound" if log_format == "text" else '<3>{"time":')


def test_stderr_is_journal_rejects_stream_without_descriptor(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    assert not stderr_is_journal()


def test_print_error_follows_log_format(capsys, root_logger):
    setup_logging("info", "json")
    print_error("web.listen: in use")
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["event"], line["error"]) == ("error", "command failed", "web.listen: in use")
    setup_logging("info", "text")
    print_error("storage.url: postgresql://u:secret@db/m")
    assert capsys.readouterr().err == "monitor: storage.url: postgresql://***@db/m\n"


def test_thread_crash_is_logged_as_event(caplog):
    before = threading.excepthook
    with thread_errors_logged():
        thread = threading.Thread(target=lambda: 1 / 0, name="web")
        thread.start()
        thread.join()
    assert threading.excepthook is before
    assert [(entry.message, entry.fields) for entry in caplog.records] == [("thread crashed", {"thread": "web"})]


def test_logger_passes_keyword_arguments_as_fields(caplog):
    caplog.set_level(logging.DEBUG)
    log = get_logger("monitor.x")
    error = ValueError("damaged")
    log.info("model promoted", model=3)
    log.log(logging.WARNING, "model load failed", exc_info=error, model=4)
    first, second = caplog.records
    assert (first.name, first.levelno, first.getMessage(), first.fields) == (
        "monitor.x",
        logging.INFO,
        "model promoted",
        {"model": 3},
    )
    assert (second.levelno, second.fields, second.exc_info[1]) == (logging.WARNING, {"model": 4}, error)


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_logger_methods_log_at_their_level(level, caplog):
    caplog.set_level(logging.DEBUG)
    getattr(get_logger("monitor.x"), level)("event")
    assert caplog.records[0].levelname == level.upper()


def test_print_warning_is_event_in_json_and_message_in_text(capsys, root_logger):
    setup_logging("info", "json")
    print_warning("rows skipped: timestamp in the future", "a.csv: 2 rows skipped", file="a.csv", rows=2)
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["event"], line["rows"]) == ("warning", "rows skipped: timestamp in the future", 2)
    setup_logging("info", "text")
    print_warning("rows skipped: timestamp in the future", "a.csv: 2 rows skipped", file="a.csv", rows=2)
    assert capsys.readouterr().err == "monitor: a.csv: 2 rows skipped\n"
