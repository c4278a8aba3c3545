"""Documents of what-if."""

import pytest

from model.features.labels import Rules
from model.forecast.events import EventScore
from monitor.config.loader import Config
from monitor.documents.what_if import what_if_document
from monitor.queries.what_if import HorizonResult, Setting, SettingResult, WhatIf
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

DAY = 86400.0
SCORE = EventScore((NOW - 100, NOW - 50), (60.0, None), false_warnings=2, seconds=7 * DAY)


def result(precision, bound):
    setting = Setting(precision, Rules(((("cpu_usage", bound), ("memory_usage", 0.8)),), 60.0))
    return SettingResult(setting, 2, (HorizonResult(300.0, 3, SCORE),), EventScore(SCORE.onsets, SCORE.lead_times))


def document(precision=0.8, bound=0.5):
    return what_if_document(WhatIf(NOW - 7 * DAY, NOW, 900, result(0.8, 0.5), result(precision, bound)), Config())


def test_document_counts_warnings_and_announced_periods():
    horizon, any_horizon = document().present.horizons
    assert (horizon.horizon_name, horizon.warnings, horizon.announced, horizon.periods) == ("5m", 3, 1, 2)
    assert (horizon.lead_time, horizon.false_warnings, horizon.false_warnings_per_week) == (60.0, 2, 2.0)
    assert (any_horizon.horizon_name, any_horizon.warnings, any_horizon.announced) == ("any", None, 1)


def test_configuration_lines_have_the_bounds_only_if_one_differs():
    assert document(0.7).configuration == "[warning]\nprecision = 0.7"
    lines = document(0.7, 0.6).configuration.splitlines()
    assert lines[-3:] == [
        "[high_load]",
        "rules = [{ cpu_usage = 0.6, memory_usage = 0.8 }]",
        'sustained = "1m"',
    ]


def test_notes_say_what_other_bounds_mean():
    assert not document(0.7).rules_changed
    changed = document(0.8, 0.6)
    assert changed.rules_changed
    assert changed.notes.startswith(document().notes)
    assert "trained for the present bounds" in changed.notes
