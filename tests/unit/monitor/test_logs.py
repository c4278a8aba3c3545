"""What stands in the log, for people, journald and machines."""

import ast
import io
import json
import logging
import os
import re
import sys
import threading
from pathlib import Path

import pytest

from monitor.cli import main as cli
from monitor.config.durations import parse_duration
from monitor.system.log_throttle import Outage
from monitor.system.logging import (
    JournalFormatter,
    JsonFormatter,
    TextFormatter,
    complain,
    setup_logging,
    threads_logged,
    to_journal,
)

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
STANDARD = {"time", "level", "logger", "event", "traceback", "where"}


def record(event, level=logging.INFO, error=None, **fields):
    exc_info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("monitor.daemon", level, "daemon.py", 1, event, (), exc_info)
    made.created = 1_800_000_000.25
    made.fields = fields
    return made


def text(*args, **fields):
    return TextFormatter(timed=False).format(record(*args, **fields))


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


def test_text_has_time_level_logger_event_and_values():
    line = TextFormatter().format(record("model serves", model=3, before=None, share=0.25))
    assert line == "2027-01-15T08:00:00Z INFO monitor.daemon: model serves model=3 before=None share=0.25"


@pytest.mark.parametrize(
    ("value", "shown"),
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
def test_a_value_in_text_is_one_word_or_quoted_and_cannot_leave_its_line(value, shown):
    assert text("told", value=value) == f"INFO monitor.daemon: told value={shown}"


def test_the_event_of_a_library_cannot_leave_its_line_either():
    assert text("serving /x\nERROR forged\x1b[2J") == r"INFO monitor.daemon: serving /x\nERROR forged\u001b[2J"


def test_json_is_one_valid_object_whatever_is_in_it():
    found = document("told", logging.WARNING, nan=float("nan"), most=float("inf"), path=Path("/a\nb"), pair=(1, 2.5))
    assert found == {
        "time": 1_800_000_000.25,
        "level": "warning",
        "logger": "monitor.daemon",
        "event": "told",
        "nan": None,
        "most": None,
        "path": "/a\nb",
        "pair": [1, 2.5],
    }


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("postgresql://u:se@cret@db:5432/m", "postgresql://u:***@db:5432/m"),
        ("cannot reach postgresql://:secret@/m now", "cannot reach postgresql://:***@/m now"),
        ("postgresql://db/m?user=u&password=secret&x=1", "postgresql://db/m?user=u&password=***&x=1"),
        ("sqlite:////var/lib/monitor/monitor.db", "sqlite:////var/lib/monitor/monitor.db"),
        ("http://127.0.0.1:10190/metrics", "http://127.0.0.1:10190/metrics"),
    ],
)
def test_no_password_of_a_url_is_logged(told, shown):
    error = RuntimeError(told)
    assert document(told, error=error, url=told)["event"] == shown
    assert document("x", url=told, urls=[told])["url"] == shown
    assert document("x", error=error)["error"] == f"RuntimeError: {shown}"
    assert "secret" not in text(told, url=told) + json.dumps(document("x", error=error, urls=[told]))


def test_an_unexpected_error_is_one_line_with_its_place(raised):
    line = text("job failed", logging.ERROR, error=raised, job="watch")
    assert "\n" not in line
    assert 'job=watch error="ValueError: invalid literal' in line
    assert re.search(r" where=\S*test_logs:\d+$", line)


def test_the_place_of_an_error_is_the_innermost_of_our_own_code():
    with pytest.raises(ValueError, match="duration") as caught:
        parse_duration("x")
    assert re.fullmatch(r"monitor\.config\.durations:\d+", document("x", error=caught.value)["where"])


def test_json_carries_the_whole_traceback_in_a_field(raised):
    assert document("job failed", error=raised)["traceback"].startswith("Traceback (most recent call last):\n")


def test_text_has_the_traceback_at_debug_indented_and_without_control_characters(raised, root_logger):
    root_logger.setLevel(logging.DEBUG)
    first, *rest = text("job failed", error=raised).splitlines()
    assert first.startswith("INFO monitor.daemon: job failed ")
    assert len(rest) > 2
    assert all(line.startswith("  ") and line.isprintable() for line in rest)


def test_in_the_journal_every_line_of_a_record_carries_its_priority(raised, root_logger):
    root_logger.setLevel(logging.DEBUG)
    journal = JournalFormatter(TextFormatter(timed=False))
    lines = journal.format(record("job failed", logging.ERROR, error=raised)).splitlines()
    assert lines[0].startswith("<3>ERROR monitor.daemon: job failed ")
    assert {line[:3] for line in lines} == {"<3>"}
    levels = (logging.CRITICAL, logging.WARNING, logging.INFO, logging.DEBUG)
    assert [journal.format(record("x", level))[:3] for level in levels] == ["<2>", "<4>", "<6>", "<7>"]


@pytest.mark.parametrize(("form", "expected"), [("text", "<6>INFO monitor: told\n"), ("json", '<6>{"time":')])
def test_only_a_stderr_that_is_the_journals_has_priorities(form, expected, tmp_path, monkeypatch, root_logger):
    with (tmp_path / "stream").open("w+") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        found = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino + 1}")
        assert not to_journal()
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        setup_logging("info", form)
        logging.getLogger("monitor").info("told")
        complain("cannot be bound")
    said, complaint = (tmp_path / "stream").read_text().splitlines(keepends=True)
    assert said.startswith(expected)
    assert complaint.startswith("<3>monitor: cannot be bound" if form == "text" else '<3>{"time":')


def test_without_a_stream_of_its_own_stderr_is_not_the_journals(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    assert not to_journal()


def test_why_a_command_ends_is_said_in_the_format_of_the_log(capsys, root_logger):
    setup_logging("info", "json")
    complain("web.listen: in use")
    found = json.loads(capsys.readouterr().err)
    assert (found["level"], found["event"], found["error"]) == ("error", "ended by an error", "web.listen: in use")
    setup_logging("info", "text")
    complain("storage.url: postgresql://u:secret@db/m")
    assert capsys.readouterr().err == "monitor: storage.url: postgresql://u:***@db/m\n"


def test_a_command_that_ends_in_an_unexpected_error_says_so_in_one_line(monkeypatch, capsys, root_logger):
    def broken(_):
        raise KeyError("x")

    monkeypatch.setitem(cli.COMMANDS, "status", broken)
    root_logger.handlers.clear()
    assert cli.main(["status"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "CRITICAL monitor.cli.main: unexpected error error=\"KeyError: 'x'\" where=monitor.cli.main:" in line


def test_a_thread_that_ends_in_an_error_is_an_event(caplog):
    before = threading.excepthook
    with threads_logged():
        thread = threading.Thread(target=lambda: 1 / 0, name="web")
        thread.start()
        thread.join()
    assert threading.excepthook is before
    assert [(one.message, one.fields) for one in caplog.records] == [("thread ended by an error", {"thread": "web"})]


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def outage(caplog, clock):
    caplog.set_level(logging.INFO)
    return Outage(logging.getLogger("monitor.x"), "it fails", "it works", monotonic=clock)


def said(caplog):
    return [(one.levelname, one.message, one.fields["failures"]) for one in caplog.records]


def test_a_failure_of_hours_is_said_at_once_then_once_a_minute_with_its_count_and_at_its_end(outage, clock, caplog):
    for _ in range(121):
        outage.failed({})
        clock.now += 1
    for _ in range(5):
        outage.worked()
    lines = [("ERROR", "it fails", count) for count in (1, 61, 121)]
    assert said(caplog) == [*lines, ("INFO", "it works", 121)]


def test_a_failure_that_comes_and_goes_is_said_once_a_minute(outage, clock, caplog):
    for _ in range(60):
        outage.failed({})
        outage.worked()
        clock.now += 2
    assert said(caplog) == [
        ("ERROR", "it fails", 1),
        ("INFO", "it works", 1),
        ("ERROR", "it fails", 30),
        ("INFO", "it works", 30),
    ]


def test_what_never_failed_says_nothing(outage, caplog):
    outage.worked()
    assert caplog.records == []


class Events(ast.NodeVisitor):
    """Every event of a module: its level, logger and fields, by its name."""

    def __init__(self, logger):
        self.logger, self.found, self.dicts = logger, [], {}

    def visit_FunctionDef(self, node):
        self.dicts = {}
        self.generic_visit(node)

    def visit_Assign(self, node):
        if isinstance(node.value, ast.Dict) and isinstance(node.targets[0], ast.Name):
            self.dicts[node.targets[0].id] = node.value
        self.generic_visit(node)

    def visit_Call(self, node):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in (*LEVELS, "log") and ast.unparse(node.func).startswith("log."):
            event = ast.literal_eval(node.args[name == "log"])
            words = re.findall(r"\w+", ast.unparse(node.args[0]).lower())
            levels = set(LEVELS) & set(words) if name == "log" else {name}
            self.found.append((event, self.logger, levels, self.fields(node)))
        if name == "Outage":
            level = next((k.value.attr.lower() for k in node.keywords if k.arg == "level"), "error")
            for argument, said_at in zip(node.args[1:], (level, "info"), strict=True):
                self.found.append((ast.literal_eval(argument), self.logger, {said_at}, None))
        self.generic_visit(node)

    def fields(self, node):
        extra = next((k.value for k in node.keywords if k.arg == "extra"), None)
        if extra is None:
            return set()
        given = extra.values[0]
        given = self.dicts[given.id] if isinstance(given, ast.Name) else given
        return {ast.literal_eval(key) for key in given.keys}


def events():
    found = []
    for path in sorted((ROOT / "monitor").rglob("*.py")):
        if path.stem == "outage":
            continue
        visitor = Events(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
        visitor.visit(ast.parse(path.read_text()))
        found += visitor.found
    return found


def table():
    page = (ROOT / "docs" / "reference" / "logs.md").read_text().partition("## Events")[2]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| `")
    ]
    return {
        event.strip("`"): (logger.strip("`"), set(level.split(", ")), set(re.findall(r"`(\w+)`", fields)))
        for event, level, logger, fields, _ in rows
    }


def test_the_page_of_logs_has_every_event_with_its_level_logger_and_fields_and_no_other():
    rows, found = table(), events()
    assert sorted(rows) == sorted({event for event, *_ in found})
    for event, logger, levels, fields in found:
        assert (logger, levels) == rows[event][:2], event
        if fields is not None:
            assert fields == rows[event][2], event


def test_no_field_of_an_event_takes_the_name_of_what_every_event_has():
    for event, (_, _, fields) in table().items():
        assert not fields & STANDARD, event
        assert event == event.strip(), event
