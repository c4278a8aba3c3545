"""Rendering of reports on a terminal: no value is cut, no line is too wide."""

import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from monitor.documents.models import model_document
from monitor.documents.scores import ScoreReportDocument, score_document
from monitor.documents.status import status_document
from monitor.reports.backtest import backtest_report
from monitor.reports.blocks import Bar, Line, Report, Table, Toned
from monitor.reports.models import model_report
from monitor.reports.rich_renderer import draw
from monitor.reports.scores import score_report
from monitor.reports.status import status_report
from tests.unit.monitor.documents.samples import BACKTEST, COUNTS, NO_SCORECARD, SCORECARD

pytestmark = pytest.mark.unit

ESCAPES = re.compile(r"\x1b\[[\d;]*m")


class Terminal(io.TextIOWrapper):
    """Text stream that claims to be a terminal."""

    def __init__(self, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self):
        return True


@pytest.fixture
def drawn(monkeypatch):
    """Return a function that draws a report on a terminal of a given width."""

    def draw_on_terminal(report, width, *, colors=True, encoding="utf-8"):
        monkeypatch.setenv("COLUMNS", str(width))
        return draw(report, Terminal(encoding), colors=colors)

    return draw_on_terminal


@pytest.fixture
def scores(overview):
    horizons = tuple(map(score_document, overview.scores))
    return score_report(ScoreReportDocument(0.0, horizons, (), COUNTS, (), SCORECARD, NO_SCORECARD))


def plain(text):
    return ESCAPES.sub("", text)


def numbers(text):
    return sorted(re.findall(r"\d[\d.e%-]*", plain(text)))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_draw_keeps_every_number_and_the_width(overview, scores, drawn, width):
    model = model_report(model_document(replace(overview.model, sha256="ab12"), None))
    for report in (model, status_report(status_document(overview, "x.db")), scores, backtest_report(BACKTEST)):
        text = plain(drawn(report, width))
        assert numbers(text) == numbers(str(report))
        assert all(cell_len(line) <= width for line in text.splitlines())


def test_draw_without_colours_has_tables(scores, drawn):
    text = drawn(scores, 120, colors=False)
    assert "───" in text
    assert not re.search(r"\x1b\[[\d;]*3\d", text)


def test_draw_colours_toned_parts(drawn):
    text = drawn(Report((Line((Toned("sampling", "good"), Toned("70%", "bad"))),)), 120)
    assert "\x1b[32msampling\x1b[0m" in text
    assert "\x1b[1;31m70%\x1b[0m" in text


def test_draw_shrinks_headings_and_bars_before_words(drawn):
    row = ("a", "1234567890", "some words", Bar(1.0))
    report = Report((Table(("kind", "long heading", "words", ""), [row], words={"words"}),))
    wide, narrow, narrowest = (plain(drawn(report, width)).splitlines() for width in (80, 44, 26))
    assert "long heading" in wide[0]
    assert wide[2].count("█") == 24
    assert "some words" in narrow[-1]
    assert 8 <= narrow[-1].count("█") < 24
    assert [line.split() for line in narrowest[-2:]] == [["a", "1234567890", "some"], ["words"]]


def test_draw_transposes_a_table_that_is_too_wide(drawn):
    names = [f"name{i}" for i in range(8)]
    report = Report((Table(tuple(names), [[f"{i}" * 9 for i in range(8)]]),))
    upright, transposed = (plain(drawn(report, width)).splitlines() for width in (120, 60))
    assert upright[0].split() == names
    assert [line.split()[0] for line in transposed if "name" in line] == names


def test_draw_continues_transposed_rows_below(drawn):
    rows = [(f"name{i}", *(f"{i}{j}" * 5 for j in range(1, 6))) for i in range(1, 6)]
    report = Report((Table(("name", "b", "c", "d", "e", "f"), rows),))
    assert numbers(drawn(report, 40)) == numbers(str(report))


def test_draw_uses_ascii_bars_on_a_terminal_without_unicode(drawn):
    text = drawn(Report((Table(("a", ""), [("x", Bar(0.5))]),)), 80, encoding="ascii")
    assert "#" * 12 in text
    assert text.isascii()


def test_draw_indents_continuation_lines_and_never_breaks_exact_ones(drawn):
    words = " ".join(["word"] * 20)
    folded = plain(drawn(Report((Line((words,), "label  "),)), 60)).splitlines()
    assert len(folded) > 1
    assert all(line.startswith("       word") for line in folded[1:])
    assert plain(drawn(Report((Line((Toned(words, "faint"),), exact=True),)), 60)) == f"{words}\n"


def test_draw_does_not_interpret_markup(drawn):
    assert "[red]note[/red] :smile:" in drawn(Report(("[red]note[/red] :smile:",)), 80)
