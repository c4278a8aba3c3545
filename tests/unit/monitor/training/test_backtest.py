"""Backtest of a trace: errors, and the file of predictions."""

from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.backtest import AnomalyBacktest
from model.training.backtest import BacktestResult, TrainingAttempt
from monitor.config.loader import Config
from monitor.config.schema import AnomalySection
from monitor.errors import MonitorError, NotEnoughDataError, RefusedError
from monitor.sampling.trace_reader import Trace, TraceStatistics
from monitor.training import backtest as backtest_module
from monitor.training.backtest import HEADER, backtest_anomalies, backtest_forecasts, prediction_lines
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

CONFIG = Config()
TIMES = NOW + 5.0 * np.arange(10)
TRACE = Trace(("cpu_usage", "memory_usage"), TIMES, np.full((10, 2), 0.5), TraceStatistics(rows=10))
NAN = float("nan")


def result(probabilities, attempts=()):
    """Return a backtest with the given probabilities of one horizon."""
    rows = len(probabilities)
    return BacktestResult(
        horizons=(300.0,),
        times=TIMES[:rows],
        probabilities=np.array(probabilities)[:, None],
        warnings=np.array([1.0] * rows)[:, None],
        labels=np.zeros((rows, 1)),
        state=np.zeros(rows),
        load_index=np.zeros(rows),
        period_start=np.full(rows, -np.inf),
        last_high=np.full(rows, -np.inf),
        base_rates=np.array([0.1]),
        onset_rates=np.array([0.1]),
        attempts=attempts,
        baselines={},
    )


def test_backtest_refuses_a_trace_without_a_metric_of_the_rules():
    with pytest.raises(MonitorError, match="memory_usage"):
        backtest_forecasts(replace(TRACE, columns=("cpu_usage", "swap_usage")), CONFIG, None, retrain=False)


@pytest.mark.parametrize(("by_gate", "error"), [(True, RefusedError), (False, NotEnoughDataError)])
def test_backtest_without_any_prediction_ends_with_the_reason(monkeypatch, by_gate, error):
    attempts = (TrainingAttempt(NOW, "not better than persistence", by_gate),)
    monkeypatch.setattr(backtest_module, "backtest", lambda *_: result([NAN, NAN], attempts))
    with pytest.raises(error, match="not better"):
        backtest_forecasts(TRACE, CONFIG, None, retrain=False)


def test_backtest_trains_on_sixty_percent_of_the_rows_by_default(monkeypatch):
    starts = []
    monkeypatch.setattr(backtest_module, "backtest", lambda *given: starts.append(given[-1].until) or result([0.5]))
    backtest_forecasts(TRACE, CONFIG, None, retrain=False)
    backtest_forecasts(TRACE, CONFIG, NOW + 10, retrain=True)
    assert starts == [TIMES[6], NOW + 10]


@pytest.mark.parametrize("config", [replace(CONFIG, anomaly=AnomalySection(enabled=False)), CONFIG])
def test_backtest_has_no_anomalies_without_detection_or_history(config):
    assert backtest_anomalies(TRACE, config, NOW + 25, retrain=False) is None


def test_prediction_lines_leave_out_rows_without_a_prediction():
    anomalies = AnomalyBacktest(scores=np.array([0.25, 0.5, NAN]), events=(), days=1.0)
    lines = list(prediction_lines(result([0.5, NAN, 0.75]), anomalies))
    assert lines == [HEADER, "1800000000,300,0.5,1,0.25\n", "1800000010,300,0.75,1,\n"]


def test_prediction_lines_have_no_score_without_a_detector():
    assert list(prediction_lines(result([0.5]), None))[1] == "1800000000,300,0.5,1,\n"
