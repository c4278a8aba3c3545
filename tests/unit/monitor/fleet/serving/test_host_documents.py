"""Host documents: hosts, scores and the status."""

import pytest

from monitor.fleet.serving.host_documents import details_document, score_documents, status_document
from storage.fleet.records import FleetScore, FleetWarning
from tests.unit.monitor.fleet.fleets import START, STEP, fleet_config, running_fleet

pytestmark = pytest.mark.unit


def test_details_have_sample_curve_and_warnings():
    fleet = running_fleet()
    fleet.step()
    warning = FleetWarning("web2:9100", 300.0, START, None, 0.6, 0.6)
    details = details_document(fleet.fleet_state(), "web2:9100", [warning], [])
    assert details.values == {"cpu_usage": 0.6, "memory_usage": 0.5}
    assert details.recent[-2:] == pytest.approx((0.65, 0.65))
    assert details.recent[0] is None
    assert details.warnings[0].started_at == START
    assert details.host.predictions[0].warning_since == START
    assert (details.host.warning, details.host.high_load, details.host.model) == (True, False, "pretrained")
    assert details.risk_horizon == 900.0


def test_details_of_an_unknown_host_are_none():
    assert details_document(running_fleet().fleet_state(), "x", [], []) is None


def test_scores_are_ratios_over_all_hosts():
    totals = [
        FleetScore("a", 300.0, 0.0, 1, 60, 4, 2, 1, 6, 3.0, 6.0),
        FleetScore("b", 300.0, 0.0, 0, 40, 0, 2, 2, 4, 1.0, 2.0),
    ]
    (score,) = score_documents(totals)
    assert (score.scored, score.unknown, score.high_load_share) == (100, 1, 0.1)
    assert (score.brier, score.brier_skill) == (0.04, 0.5)
    assert (score.precision, score.recall) == (0.75, 0.75)


def test_scores_without_outcomes_are_none():
    (score,) = score_documents([FleetScore("a", 300.0, 0.0, 1, 0, 0, 0, 0, 0, 0.0, 0.0)])
    assert (score.brier, score.brier_skill, score.precision, score.recall) == (None, None, None, None)


def test_status_counts_hosts():
    fleet = running_fleet()
    status = status_document(fleet.fleet_state())
    assert (status.hosts, status.predicted, status.stale, status.pending) == (3, 3, 0, 0)
    assert (status.high_load, status.warning) == (1, 1)
    assert status.models == {"pretrained": 3}
    assert (status.at, status.step) == (START, STEP)
    assert status.source.available is True


def test_status_shows_the_failure_of_the_source_without_credentials():
    fleet = running_fleet()
    fleet.source.error = "no answer"
    fleet.step()
    config = fleet_config(source={"url": "http://user@prometheus.example:9090"})
    status = status_document(fleet.fleet_state(config=config))
    assert (status.source.available, status.source.error, status.source.errors) == (False, "no answer", 1)
    assert status.source.failing_since == START + STEP + 5
    assert "user" not in status.source.url


def test_status_before_the_first_cycle():
    status = status_document(running_fleet({}).fleet_state())
    assert (status.hosts, status.at, status.models) == (0, None, {})
