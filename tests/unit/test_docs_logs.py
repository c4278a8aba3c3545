"""Tests that docs/reference/logs.md lists every log event with its level, logger and fields."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
LEVELS = ("debug", "info", "warning", "error", "critical")
STANDARD_FIELDS = {"time", "level", "logger", "event", "traceback", "location"}


class EventVisitor(ast.NodeVisitor):
    """Collects the events of a module as (event, logger, levels, fields); fields are None for rate-limited events."""

    def __init__(self, logger):
        self.logger = logger
        self.events = []

    def visit_Call(self, node):
        self.generic_visit(node)
        function = ast.unparse(node.func)
        if function in {f"log.{level}" for level in LEVELS} and isinstance(node.args[0], ast.Constant):
            self.add(node.args[0], {function.removeprefix("log.")}, field_names(node))
        if function == "log.log" and isinstance(node.args[1], ast.Constant):
            self.add(node.args[1], {"error", "info"}, field_names(node))
        if function == "print_warning":
            self.add(node.args[0], {"warning"}, field_names(node), logger="monitor.system.logging")
        if function == "RecurringFailure":
            level = next((k.value.attr.lower() for k in node.keywords if k.arg == "level"), "error")
            self.add(node.args[1], {level}, None)
            self.add(node.args[2], {"info"}, None)

    def add(self, event, levels, fields, logger=None):
        self.events.append((ast.literal_eval(event), logger or self.logger, levels, fields))


def field_names(call):
    return {keyword.arg for keyword in call.keywords} - {"exc_info"}


def events_of_code():
    events = []
    for path in sorted((ROOT / "monitor").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        visitor = EventVisitor(module)
        visitor.visit(ast.parse(path.read_text()))
        events += visitor.events
    return events


def events_of_page():
    page = (ROOT / "docs" / "reference" / "logs.md").read_text().partition("## Events")[2]
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| `")]
    return {
        event.strip(" `"): (logger.strip(" `"), set(level.strip().split(", ")), set(re.findall(r"`(\w+)`", fields)))
        for event, level, logger, fields, _ in rows
    }


def test_logs_page_lists_exactly_the_events_of_the_code():
    assert sorted(events_of_page()) == sorted({event for event, *_ in events_of_code()})


def test_logs_page_states_level_logger_and_fields_of_each_event():
    rows = events_of_page()
    for event, logger, levels, fields in events_of_code():
        page_logger, page_levels, page_fields = rows[event]
        assert (page_logger, page_levels) == (logger, levels), event
        if fields is not None:
            assert page_fields == fields, event


def test_event_fields_do_not_shadow_standard_fields():
    for event, _, _, fields in events_of_code():
        assert not (fields or set()) & STANDARD_FIELDS, event


def test_event_names_are_lower_case_phrases():
    for event, *_ in events_of_code():
        assert re.fullmatch(r"[a-z]+(:? [a-z]+)+", event), event
