"""Maintenance reports."""

from dataclasses import replace

import pytest

from monitor.documents.anomalies import MaintenanceEndDocument
from monitor.documents.status import status_document
from monitor.reports.status.maintenance import (
    maintenance_end_report,
    maintenance_lines,
    maintenance_list_report,
    maintenance_report,
)
from tests.unit.monitor.documents.samples import MAINTENANCE

pytestmark = pytest.mark.unit


def test_maintenance_reports_match_golden(assert_golden):
    reports = {
        "list": maintenance_list_report([MAINTENANCE], "sun 02:00-04:00"),
        "none": maintenance_list_report([], ""),
        "added": maintenance_report(MAINTENANCE),
        "ended": maintenance_end_report(MaintenanceEndDocument(2)),
    }
    assert_golden("maintenance", reports)


def test_maintenance_lines_name_the_windows_and_their_state(overview):
    def line(in_maintenance, *windows):
        document = replace(status_document(overview), in_maintenance=in_maintenance, maintenance=windows)
        return "".join(map(str, maintenance_lines(document)))

    assert line(False) == ""
    assert "planned: 2 from" in line(False, MAINTENANCE)
    assert "in progress: 2 from" in line(True, MAINTENANCE)
    assert "in progress: a recurring window" in line(True)
