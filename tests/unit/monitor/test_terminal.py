"""A terminal gets tables and colours, everything else the same plain text; no figure is ever cut."""

import io
import re

import pytest
from rich.cells import cell_len

from monitor.reports.blocks import Bar, Line, Report, Table, Toned
from monitor.reports.predictions import scores_report
from monitor.reports.rich_renderer import drawn
from monitor.reports.status import status_report
from monitor.reports.terminal import show, wanted
from monitor.reports.training import training_report

from .conftest import TRAINING_REPORT

pytestmark = pytest.mark.unit

XTERM = {"TERM": "xterm"}
ESCAPES = re.compile(r"\x1b\[[\d;]*m")


class Terminal(io.TextIOWrapper):
    """Takes what is written, and says that it is a terminal."""

    def __init__(self, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self):
        return True


def seen(report, width, monkeypatch, *, colors=True, encoding="utf-8"):
    monkeypatch.setenv("COLUMNS", str(width))
    return drawn(report, Terminal(encoding), colors=colors)


def figures(text):
    return sorted(re.findall(r"\d[\d.e%-]*", ESCAPES.sub("", text)))


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
def test_what_was_typed_comes_first_then_no_color_then_force_color_then_the_terminal(color, environ, tty, style):
    assert wanted(color, environ, tty=tty) == style


def test_a_pipe_gets_the_plain_text_and_no_escape(capsys, overview):
    report = status_report(overview, "x.db")
    show(report, "auto")
    assert capsys.readouterr().out == f"{report}\n"


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_every_figure_of_a_report_is_on_the_terminal_too_and_no_line_is_wider(overview, monkeypatch, width):
    reports = (
        training_report("refused", "worse", 4, TRAINING_REPORT),
        status_report(overview, "x.db"),
        scores_report(overview.scores, 0.0),
    )
    for report in reports:
        text = ESCAPES.sub("", seen(report, width, monkeypatch))
        assert figures(text) == figures(str(report))
        assert all(cell_len(line) <= width for line in text.splitlines())


def test_without_colour_there_are_tables_and_no_colour(overview, monkeypatch):
    text = seen(scores_report(overview.scores, 0.0), 120, monkeypatch, colors=False)
    assert "───" in text
    assert not re.search(r"\x1b\[[\d;]*3\d", text)


def test_colours_carry_meaning(overview, monkeypatch):
    text = seen(status_report(overview, "x.db"), 120, monkeypatch)
    assert "\x1b[32msampling\x1b[0m" in text
    assert "\x1b[1;31m70%\x1b[0m" in text


def test_headings_and_bars_give_before_words_do(monkeypatch):
    row = ("a", "1234567890", "some words", Bar(1.0))
    report = Report((Table(("kind", "long heading", "words", ""), [row], words={"words"}),))
    wide, narrow, narrowest = (
        ESCAPES.sub("", seen(report, width, monkeypatch)).splitlines() for width in (80, 44, 26)
    )
    assert "long heading" in wide[0]
    assert wide[2].count("█") == 24
    assert "some words" in narrow[-1]
    assert 8 <= narrow[-1].count("█") < 24
    assert [line.split() for line in narrowest[-2:]] == [["a", "1234567890", "some"], ["words"]]


def test_a_table_that_is_too_wide_is_turned(monkeypatch):
    names = [f"name{i}" for i in range(8)]
    report = Report((Table(tuple(names), [[f"{i}" * 9 for i in range(8)]]),))
    upright, turned = (ESCAPES.sub("", seen(report, width, monkeypatch)).splitlines() for width in (120, 60))
    assert upright[0].split() == names
    assert [line.split()[0] for line in turned if "name" in line] == names


def test_rows_that_do_not_fit_side_by_side_follow_each_other(monkeypatch):
    rows = [(f"name{i}", *(f"{i}{j}" * 5 for j in range(1, 6))) for i in range(1, 6)]
    report = Report((Table(("name", "b", "c", "d", "e", "f"), rows),))
    text = seen(report, 40, monkeypatch)
    assert figures(text) == figures(str(report))


def test_a_terminal_without_unicode_gets_bars_it_can_show(monkeypatch):
    text = seen(Report((Table(("a", ""), [("x", Bar(0.5))]),)), 80, monkeypatch, encoding="ascii")
    assert "#" * 12 in text
    assert text.isascii()


def test_a_long_line_goes_on_below_its_text_and_an_exact_one_is_not_broken(monkeypatch):
    words = " ".join(["word"] * 20)
    folded = ESCAPES.sub("", seen(Report((Line((words,), "label  "),)), 60, monkeypatch)).splitlines()
    assert len(folded) > 1
    assert all(line.startswith("       word") for line in folded[1:])
    exact = seen(Report((Line((Toned(words, "faint"),), exact=True),)), 60, monkeypatch)
    assert ESCAPES.sub("", exact) == f"{words}\n"


def test_what_an_operator_wrote_is_shown_as_it_is_written(monkeypatch):
    assert "[red]note[/red] :smile:" in seen(Report(("[red]note[/red] :smile:",)), 80, monkeypatch)
