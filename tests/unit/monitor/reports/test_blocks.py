"""Building blocks of reports and their plain text form."""

import pytest

from monitor.reports.blocks import (
    Bar,
    Line,
    Report,
    Table,
    Toned,
    align_columns,
    labelled_line,
    score_cells,
    toned_skill,
)
from monitor.training.report_parts import ScoreReport

pytestmark = pytest.mark.unit


def test_align_columns_aligns_the_first_column_left_and_others_right():
    assert align_columns(("a", "bb"), [("x", "1"), ("long", "22")]) == ["  a     bb", "  x      1", "  long  22"]


def test_report_text_is_its_blocks_line_by_line():
    table = Table(("a", ""), [("x", Bar(0.5))])
    report = Report(("first", Line((Toned("second", "bad"), "!")), table))
    assert str(report) == f"first\nsecond!\n  a\n  x  {'#' * 12}"


def test_labelled_line_pads_its_label():
    assert str(labelled_line("model", "3")) == "model       3"


@pytest.mark.parametrize(("value", "tone"), [(0.5, "good"), (-0.5, "bad"), (0.0, None), (None, None)])
def test_toned_skill_is_bad_below_zero(value, tone):
    assert toned_skill(value).tone == tone


def test_score_cells_show_a_dash_for_a_score_that_cannot_be_computed():
    cells = score_cells(ScoreReport(brier=0.5, brier_skill=None, average_precision=None, calibration_error=0.25))
    assert [str(cell) for cell in cells] == ["0.5000", "-", "-", "0.250"]
