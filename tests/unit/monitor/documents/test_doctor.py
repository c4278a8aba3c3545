"""Tests of the document of `monitor doctor`."""

import pytest

from monitor.documents.doctor import CheckId, CheckResult, CheckStatus, DoctorDocument
from monitor.system.json_codec import from_plain, to_plain

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("statuses", "failed"),
    [
        ((CheckStatus.OK, CheckStatus.WARNING, CheckStatus.SKIPPED), False),
        ((CheckStatus.OK, CheckStatus.FAILED), True),
    ],
)
def test_document_has_failed_with_a_failed_check_only(statuses, failed):
    results = tuple(CheckResult(CheckId.CLOCK, status, "message") for status in statuses)
    assert DoctorDocument(results).failed is failed


def test_document_survives_json():
    document = DoctorDocument((CheckResult(CheckId.SOURCE, CheckStatus.FAILED, "no line", "run this", "cpu"),))
    plain = to_plain(document)
    assert plain == {
        "checks": [
            {"check": "source", "status": "failed", "message": "no line", "fix": "run this", "subject": "cpu"},
        ]
    }
    assert from_plain(DoctorDocument, plain) == document
