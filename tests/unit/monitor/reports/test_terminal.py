"""Output of reports."""

import pytest

from monitor.reports.blocks import Report, Table
from monitor.reports.terminal import choose_style, print_report

pytestmark = pytest.mark.unit

XTERM = {"TERM": "xterm"}


@pytest.mark.parametrize(
    ("color", "environ", "tty", "style"),
    [
        ("auto", XTERM, True, "colors"),
        ("auto", XTERM, False, "plain"),
        ("auto", {"TERM": "dumb"}, True, "plain"),
        ("auto", {}, True, "plain"),
        ("auto", {**XTERM, "NO_COLOR": "1"}, True, "tables"),
        ("auto", {**XTERM, "NO_COLOR": ""}, True, "colors"),
        ("auto", {**XTERM, "CLICOLOR": "0"}, True, "tables"),
        ("auto", {"FORCE_COLOR": "1"}, False, "colors"),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, "colors"),
        ("auto", {"FORCE_COLOR": "0"}, False, "plain"),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, "plain"),
        ("always", {"NO_COLOR": "1"}, False, "colors"),
        ("never", {**XTERM, "FORCE_COLOR": "1"}, True, "tables"),
        ("never", XTERM, False, "plain"),
    ],
)
def test_choose_style_prefers_the_option_then_no_color_then_force_color(color, environ, tty, style):
    assert choose_style(color, environ, tty=tty) == style


def test_print_report_writes_plain_text_to_a_pipe(capsys):
    report = Report(("line", Table(("a",), [("1",)])))
    print_report(report, "auto")
    assert capsys.readouterr().out == f"{report}\n"


def test_print_report_writes_colours_where_they_are_forced(capsys):
    print_report(Report((Table(("a",), [("1",)]),)), "always")
    assert "\x1b[" in capsys.readouterr().out
