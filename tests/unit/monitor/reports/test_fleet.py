"""Fleet reports."""

import pytest

from monitor.documents.fleet import FleetScoreDocument, FleetWarningDocument
from monitor.fleet.serving.host_documents import details_document, status_document
from monitor.fleet.serving.selection import Selection, select_hosts
from monitor.fleet.serving.stored_fleet import stored_status
from monitor.reports.fleet import (
    fleet_host_report,
    fleet_hosts_report,
    fleet_models_report,
    fleet_score_report,
    fleet_status_report,
)
from storage.fleet.records import FleetScore, FleetWarning
from tests.unit.monitor.fleet.fleets import START, running_fleet

pytestmark = pytest.mark.unit


def test_fleet_reports_match_golden(assert_golden):
    fleet = running_fleet()
    fleet.source.error = "http://127.0.0.1:9090: no answer: Connection refused"
    state = fleet.fleet_state()
    fleet.step()
    failed = fleet.fleet_state()
    warning = FleetWarning("web2:9100", 300.0, START, START + 600, 0.6, 0.7)
    score = FleetScore("web2:9100", 300.0, START, 1, 60, 4, 2, 1, 6, 3.0, 6.0)
    details = details_document(state, "web2:9100", [warning], [score])
    warnings = [FleetWarningDocument("a", 300.0, START + number, None, 0.5, 0.6) for number in range(22)]
    assert_golden(
        "fleet",
        {
            "running": fleet_status_report(status_document(state)),
            "source unavailable": fleet_status_report(status_document(failed)),
            "not running": fleet_status_report(stored_status(state, running=False)),
            "no answer": fleet_status_report(stored_status(state, running=True)),
            "hosts": fleet_hosts_report(select_hosts(state, Selection(limit=2)), "a note"),
            "no hosts": fleet_hosts_report(select_hosts(running_fleet({}).fleet_state(), Selection())),
            "host": fleet_host_report(details),
            "unscored": fleet_score_report([FleetScoreDocument(300.0, 0, 3, None, None, None, None, None)], warnings),
            "nothing": fleet_score_report([], []),
            "models": fleet_models_report({"own": 2, "pretrained": 1}),
            "no models": fleet_models_report({}),
        },
    )
