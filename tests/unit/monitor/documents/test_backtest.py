"""Backtest document."""

from pathlib import Path

import numpy as np
import pytest

from model.anomaly.backtest import AnomalyBacktest
from model.anomaly.events import AnomalyEvent
from model.training.backtest import BacktestResult, TrainingAttempt
from model.training.refusal import ComparisonSkip
from monitor.documents.backtest import backtest_document
from monitor.sampling.trace_reader import Trace, TraceStatistics
from monitor.system.json_codec import to_json
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

NAN = float("nan")
TIMES = NOW + 5.0 * np.arange(4)
TRACE = Trace(("cpu_usage",), TIMES, np.zeros((4, 1)), TraceStatistics(rows=9))
RESULT = BacktestResult(
    horizons=(300.0,),
    times=TIMES,
    probabilities=np.array([[0.2], [0.8], [NAN], [0.5]]),
    warnings=np.zeros((4, 1)),
    labels=np.array([[0.0], [1.0], [1.0], [NAN]]),
    state=np.array([0.0, 1.0, 0.0, 0.0]),
    load_index=np.zeros(4),
    period_start=np.array([-np.inf, TIMES[1], -np.inf, -np.inf]),
    last_high=np.array([-np.inf, *[TIMES[1]] * 3]),
    base_rates=np.array([NAN]),
    onset_rates=np.array([0.5]),
    attempts=(TrainingAttempt(NOW, comparison_skip=ComparisonSkip.NO_UNSEEN_EVENT),),
    baselines={"persistence": np.full((4, 1), 0.5), "climatology": np.full((4, 1), 0.5)},
)
EVENT = AnomalyEvent(
    started_at=NOW,
    ended_at=NOW + 60,
    channel="spike",
    peak=0.9,
    peak_at=NOW + 5,
    threshold_ratio=1.5,
    contributions={"cpu_usage": 1.0},
)


def test_backtest_document_has_scores_of_all_rows_and_of_onsets():
    document = backtest_document(Path("x.csv"), TRACE, RESULT, None)
    (horizon,) = document.horizons
    assert (document.file, document.rows, document.until, document.trace.rows) == ("x.csv", 4, NOW, 9)
    assert (horizon.predicted_ratio, horizon.base_rate, document.anomalies) == (0.75, None, None)
    assert horizon.events == 1
    assert horizon.all["network"].brier == pytest.approx(0.04)
    assert horizon.onset["network"].average_precision is None
    monitor = document.scorecard.horizons[0].scores[0]
    assert (monitor.periods, monitor.announced, monitor.false_warnings) == (1, 0, 0)
    assert "NaN" not in to_json(document)


def test_backtest_document_has_the_anomaly_events():
    anomalies = AnomalyBacktest(scores=np.zeros(4), events=(EVENT,), days=2.0)
    document = backtest_document(Path("x.csv"), TRACE, RESULT, anomalies)
    (event,) = document.anomalies.events
    assert vars(event) == vars(EVENT)
    assert document.anomalies.days == 2.0


def test_backtest_document_has_the_training_attempts():
    (attempt,) = backtest_document(Path("x.csv"), TRACE, RESULT, None).attempts
    assert vars(attempt) == vars(RESULT.attempts[0])
