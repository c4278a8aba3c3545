"""Tests of the report of `monitor doctor`."""

from pathlib import Path

import pytest

from monitor.doctor.results import failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, DoctorDocument
from monitor.reports.doctor import doctor_report

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[3] / "golden" / "doctor.txt"


def test_report_equals_golden_file():
    document = DoctorDocument(
        (
            ok(CheckId.CLOCK, "synchronised to at most 2 ms"),
            failed(CheckId.SOURCE, "cannot be read: ValueError: no line", "check the kernel", subject="cpu"),
            warning(CheckId.STATE_DIRECTORY, "/x does not exist yet", "start the daemon, which creates it"),
            skipped(CheckId.KEY_PERMISSIONS, "no web.config_file"),
        )
    )
    assert f"{doctor_report(document)}\n" == GOLDEN.read_text()
