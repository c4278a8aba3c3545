"""Scoring job: interval and rules."""

from types import SimpleNamespace

import pytest

from model.features.labels import Rules
from monitor.jobs.scoring import ScoringJob, scoring_interval

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("horizons", "seconds"), [((300.0, 900.0), 300.0), ((3600.0,), 300.0), ((2.0, 5.0), 10.0), ((60.0,), 60.0)]
)
def test_scoring_interval_is_the_shortest_horizon_within_limits(horizons, seconds):
    assert scoring_interval(horizons) == seconds


@pytest.mark.parametrize(("bound", "calls"), [(0.8, 1), ("p95", 0)])
def test_job_waits_for_bounds_that_need_a_training(bound, calls):
    read = []
    stores = SimpleNamespace(predictions=SimpleNamespace(last=lambda: read.append(1) or []))
    rules = Rules(((("cpu_usage", bound),),), 0.0)
    ScoringJob(stores, lambda: rules, 60.0, lambda: 0.0).run()
    assert len(read) == calls
