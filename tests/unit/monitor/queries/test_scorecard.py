"""Scorecard of the last 7 days, kept for an hour."""

import pytest

from model.features.labels import Rules
from monitor.queries.scorecard import CACHE_SECONDS, ScorecardReader
from monitor.queries.scores import SCORE_WINDOW
from storage import Onset
from tests.unit.monitor.conftest import NOW

from .test_scores import HOUR, ROW

pytestmark = pytest.mark.unit

RULES = Rules(((("cpu_usage", 0.8),),), 60.0)


def test_reader_keeps_the_scorecard_for_an_hour(stores):
    reader = ScorecardReader(stores, lambda: RULES, 5.0)
    scorecard, since = reader.read(NOW)
    assert (since, scorecard.horizons) == (NOW - SCORE_WINDOW, ())
    stores.scores.add(300.0, NOW, [ROW], [Onset(HOUR, 120.0)])
    assert reader.read(NOW + CACHE_SECONDS - 1) == (scorecard, since)
    (horizon,) = reader.read(NOW + CACHE_SECONDS)[0].horizons
    assert (horizon.model.periods, horizon.model.announced, horizon.baselines) == (1, 1, {})
    # After a clock step backwards, the scorecard is read again.
    assert reader.read(NOW)[1] == NOW - SCORE_WINDOW
