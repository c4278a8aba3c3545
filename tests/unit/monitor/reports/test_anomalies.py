"""Anomaly reports."""

from dataclasses import replace

import pytest

from model.anomaly.online_detector import FLATLINE
from model.anomaly.scoring.channels import SCORE_PARTS
from monitor.documents.anomalies import ExpectationDocument
from monitor.reports.anomalies import (
    CHANNELS,
    anomalies_report,
    anomaly_report,
    note_report,
    verdict_report,
)
from tests.unit.monitor.documents.samples import (
    ENDED,
    ENDED_DETAILS,
    IN_PROGRESS,
    IN_PROGRESS_DETAILS,
    NOW,
)

pytestmark = pytest.mark.unit

NO_COMMAND_LINES = replace(ENDED_DETAILS.processes, complete=True, processes=ENDED_DETAILS.processes.processes[1:])
OWN_DETECTOR = ExpectationDocument(model_id=3, detected=True, missing=None, message="")


def test_channels_explains_every_channel_of_the_detector():
    assert set(CHANNELS) == {*SCORE_PARTS, FLATLINE} - {"overall"}


def test_anomalies_report_matches_golden(assert_golden):
    reports = {"list": anomalies_report([IN_PROGRESS, ENDED], 86400.0), "none": anomalies_report([], 30 * 86400.0)}
    assert_golden("anomalies", reports)


def test_anomaly_report_matches_golden(assert_golden):
    reports = {
        "ended": anomaly_report(ENDED_DETAILS, NOW),
        "in progress": anomaly_report(IN_PROGRESS_DETAILS, NOW),
        "detected": anomaly_report(
            replace(ENDED_DETAILS, expectation=OWN_DETECTOR, similar=(), processes=NO_COMMAND_LINES), NOW
        ),
    }
    assert_golden("anomaly", reports)


def test_anomaly_report_shows_a_note_without_a_verdict():
    noted = replace(IN_PROGRESS_DETAILS, verdict=None, note="caused by the backup")
    assert "caused by the backup" in str(anomaly_report(noted, NOW))


def test_note_report_confirms_a_recorded_and_a_deleted_note():
    assert str(note_report(replace(ENDED, note="x"))) != str(note_report(replace(ENDED, note=None)))


def test_verdict_report_matches_golden(assert_golden):
    assert_golden("anomaly_verdict", {"incident": verdict_report(ENDED)})
