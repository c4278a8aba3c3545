"""Reports on files that commands write and read."""

from dataclasses import replace

import pytest

from monitor.documents.traces import TraceImportDocument
from monitor.reports.files import (
    migration_report,
    model_export_report,
    model_import_report,
    purge_report,
    trace_import_report,
)
from monitor.sampling.import_summary import HistorySource
from tests.unit.monitor.documents.samples import MIGRATION, MODEL_EXPORT, MODEL_IMPORT, PURGE, TRACE_IMPORT

pytestmark = pytest.mark.unit


def test_model_file_reports_match_golden(assert_golden):
    reports = {
        "exported": model_export_report(MODEL_EXPORT),
        "imported": model_import_report(MODEL_IMPORT),
        "duplicate": model_import_report(replace(MODEL_IMPORT, duplicate=True)),
    }
    assert_golden("model_files", reports)


def test_trace_import_report_matches_golden(assert_golden):
    empty = TraceImportDocument(
        **dict.fromkeys(vars(TRACE_IMPORT), 0)
        | {"file": "trace.csv", "dry_run": True, "ignored_columns": (), "first_at": None, "last_at": None}
        | {"spacing": None, "spacing_differs": False, "fields": (), "longest_gaps": (), "notes": (), "host": ""}
        | {"source": HistorySource.CSV}
    )
    reports = {
        "imported": trace_import_report(TRACE_IMPORT),
        "server": trace_import_report(
            replace(TRACE_IMPORT, file="http://prom:9090", source=HistorySource.PROMETHEUS, host="web1:9100")
        ),
        "before 2000": trace_import_report(replace(TRACE_IMPORT, first_at=20260228.0, last_at=20260301.0)),
        "empty": trace_import_report(empty),
    }
    assert_golden("trace_import", reports)


def test_migration_report_matches_golden(assert_golden):
    assert_golden("migrate_store", {"migrated": migration_report(MIGRATION)})


def test_purge_report_matches_golden(assert_golden):
    nothing = replace(PURGE, samples=0, predictions=0, anomalies=0)
    assert_golden("purge", {"purged": purge_report(PURGE), "nothing": purge_report(nothing)})
