"""Tests of the report of `monitor doctor`."""

from pathlib import Path

import pytest

from monitor.doctor.results import failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, DoctorDocument
from monitor.documents.salvage import SalvageDocument, SalvagedRows
from monitor.reports.blocks import Table
from monitor.reports.doctor import doctor_report, salvage_report

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


def salvaged(**fields):
    rows = SalvagedRows(recovered=3, skipped=1, damaged=2)
    kinds = dict.fromkeys(("models", "training_runs", "activations", "quarantined_models", "samples"), rows)
    return SalvageDocument(**{"file": "x.damaged", **kinds, "unreadable_pages": 0, "activated": None, **fields})


def test_salvage_report_has_the_counts_of_each_kind():
    file, _, table = salvage_report(salvaged()).blocks
    assert file == "x.damaged"
    assert isinstance(table, Table)
    assert [[str(cell) for cell in row][1:] for row in table.rows] == [["3", "1", "2"]] * 5


def test_salvage_report_names_damaged_pages_and_the_activated_model():
    blocks = salvage_report(salvaged(unreadable_pages=2, activated=7)).blocks
    assert len(blocks) == 7
    assert "2 unreadable pages" in str(blocks[4])
    assert "model 7" in str(blocks[6])
