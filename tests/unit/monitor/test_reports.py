"""Reports say what a person needs, in words and tables."""

from dataclasses import replace

import pytest

from monitor.inference.forecast import Forecast
from monitor.queries.status import status_document
from monitor.reports.blocks import table
from monitor.reports.predictions import forecast_report
from monitor.reports.status import status_report
from monitor.reports.training import model_report, models_report, training_report
from monitor.training.report import ReportProblem

from .conftest import NOW, TRAINING_REPORT

pytestmark = pytest.mark.unit


def test_a_training_report_has_losses_scores_health_and_verdict():
    text = str(training_report("refused", "it is not better than persistence", 4, TRAINING_REPORT))
    parts = ("5m network", "5m persistence", "5m climatology", "2 kept", "0.3500", "0.weight", "or use LeakyReLU")
    for part in parts:
        assert part in text
    assert "  3              0%        25%        0.000      0.500" in text.splitlines()
    assert "1h left out: no outcome yet" in text
    assert text.endswith("model 4 refused: it is not better than persistence")


def test_a_model_whose_report_cannot_be_used_is_shown_without_it(overview):
    unusable = replace(overview.model, report=None, report_problem=ReportProblem.NEWER_VERSION)
    shown = str(model_report(unusable, None))
    assert shown.splitlines()[1:] == ["the report of its training cannot be used: written by a newer release"]


def test_a_figure_that_does_not_exist_is_a_dash():
    line = next(
        x for x in str(training_report("promoted", "", 4, TRAINING_REPORT)).splitlines() if "5m climatology" in x
    )
    assert "-" in line.split()


def test_status_says_what_serves_and_what_it_predicts(overview):
    text = str(status_report(overview, "x.db"))
    assert "running, sampling; last sample 2027-01-15 08:00:00 UTC" in text
    assert "model       3 serves" in text
    assert "70% within 5 min (usually 10%)  WARNING" in text
    assert "3 promoted, 2 refused, 1 skipped" in text


def test_status_says_what_it_waits_for(overview):
    waiting = replace(overview, model=None, covered=725.0, last_run=None, next_retrain_at=None, predictions=())
    assert "none serves yet: not enough history: 12 min of the 2 h it needs" in str(status_report(waiting, "x.db"))
    assert status_document(waiting)["waiting_for"] == "not enough history: 12 min of the 2 h it needs"


def test_status_says_why_the_last_training_brought_nothing(overview):
    run = replace(overview.last_run, outcome="skipped", reason="no high load")
    assert "last training skipped: no high load" in str(
        status_report(replace(overview, model=None, last_run=run), "x.db")
    )


def test_a_stale_prediction_disappears(overview):
    later = replace(overview, at=NOW + 60)
    assert status_document(later)["predictions"] == []
    assert "the last one is too old" in str(status_report(later, "x.db"))
    assert status_document(later)["sampling"] is False


def test_models_are_listed_with_the_serving_one_marked(overview):
    assert "3 serves" in str(models_report([overview.model], 3))
    assert str(models_report([], None)) == "no models yet"


def test_tables_align_figures_to_the_right():
    assert table(("a", "bb"), [("x", "1"), ("long", "22")]) == ["  a     bb", "  x      1", "  long  22"]


def test_a_forecast_names_the_largest_shares(overview):
    forecast = Forecast(overview.predictions, ("model",) * len(overview.predictions), lambda: [{"a": 0.1, "b": -2.0}])
    assert str(forecast_report(forecast, most=1)).endswith(": b (-2.0)")


def test_a_model_that_was_imported_is_told_to_be_so(overview):
    model = replace(overview.model, report=replace(TRAINING_REPORT, imported_from="web7"))
    assert "on web7 and imported" in str(status_report(replace(overview, model=model), "x"))
