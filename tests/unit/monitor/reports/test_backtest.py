"""Backtest report."""

from dataclasses import replace

import pytest

from monitor.reports.backtest import backtest_report
from tests.unit.monitor.documents.samples import BACKTEST

pytestmark = pytest.mark.unit


def test_backtest_report_without_high_load_concludes_nothing():
    silent = replace(BACKTEST, horizons=tuple(replace(horizon, events=0) for horizon in BACKTEST.horizons))
    assert sum("nothing can be concluded" in str(block) for block in backtest_report(silent).blocks) == 1
    assert not any("nothing can be concluded" in str(block) for block in backtest_report(BACKTEST).blocks)


def test_backtest_report_matches_golden(assert_golden):
    pretrained = replace(BACKTEST, attempts=BACKTEST.attempts[1:], anomalies=None)
    assert_golden("backtest", {"full": backtest_report(BACKTEST), "pretrained": backtest_report(pretrained)})
