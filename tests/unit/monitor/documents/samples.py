"""Full documents for the tests of reports and schemas, every field of them set."""

from model.training.refusal import ComparisonSkip
from monitor.documents.anomalies import (
    AnomalyCountDocument,
    AnomalyDetailsDocument,
    AnomalyDocument,
    CurvesDocument,
    ExpectationDocument,
    MaintenanceDocument,
    MetricCurveDocument,
    MetricValueDocument,
    ProcessDocument,
    ProcessSnapshotDocument,
    SimilarEventDocument,
    WarningDocument,
)
from monitor.documents.backtest import (
    BacktestAnomalies,
    BacktestAttempt,
    BacktestDocument,
    BacktestEvent,
    BacktestHorizon,
)
from monitor.documents.history import HistoryDocument, PredictionHistory
from monitor.documents.models import ModelExportDocument, ModelImportDocument
from monitor.documents.scores import EventScoreDocument, HorizonScorecardDocument, ScorecardDocument
from monitor.documents.storage import MigratedTable, MigrationDocument
from monitor.documents.traces import GapDocument, PurgeDocument, TraceCountsDocument, TraceImportDocument
from monitor.queries.event_context import MissingExpectation
from monitor.sampling.import_summary import HistorySource
from monitor.sampling.trace_format.statistics import BadCell
from monitor.training.report_parts import ScoreReport
from storage import Verdict

NOW = 1_800_000_000.0

ENDED = AnomalyDocument(
    id=3,
    started_at=NOW - 7200,
    ended_at=NOW - 3600,
    peak=0.9975,
    peak_at=NOW - 5400,
    channel="joint",
    contributions={"cpu_usage": 0.75, "disk_busy": 0.245, "swap_usage": 0.005},
    model_id=3,
    verdict=Verdict.INCIDENT,
    note="disk full",
    verdict_at=NOW - 600,
    replayed=True,
)
IN_PROGRESS = AnomalyDocument(
    id=4,
    started_at=NOW - 600,
    ended_at=None,
    peak=0.999,
    peak_at=NOW - 120,
    channel="flatline",
    contributions={"cpu_usage": 1.0},
    model_id=3,
    verdict=None,
    note=None,
    verdict_at=None,
    replayed=False,
)

PROCESSES = ProcessSnapshotDocument(
    at=NOW - 7100,
    seconds=1.0,
    visited=135,
    io_hidden=134,
    complete=False,
    processes=(
        ProcessDocument(
            pid=812,
            name="<b>java",
            cpu=1.875,
            memory=3 * 2**29,
            disk_read=0.0,
            disk_write=48_000_000.0,
            command_line="java -jar x.jar",
        ),
        ProcessDocument(
            pid=9,
            name="postgres",
            cpu=0.25,
            memory=2**27,
            disk_read=None,
            disk_write=None,
            command_line=None,
        ),
    ),
)
STARTED_WARNING = WarningDocument(
    started_at=NOW - 7200,
    horizon=900.0,
    horizon_name="15m",
    probability=0.75,
    processes=PROCESSES,
)
ENDED_DETAILS = AnomalyDetailsDocument(
    **vars(ENDED),
    values=(
        MetricValueDocument(
            metric="cpu_usage",
            contribution=0.75,
            at=NOW - 7200,
            actual=0.97,
            expected=0.31,
            lower=0.2,
            upper=0.42,
            usual=0.25,
        ),
        MetricValueDocument(
            metric="disk_busy",
            contribution=0.245,
            at=None,
            actual=None,
            expected=None,
            lower=None,
            upper=None,
            usual=None,
        ),
    ),
    expectation=ExpectationDocument(model_id=5, detected=False, missing=None, message=""),
    curves=CurvesDocument(
        step=60.0,
        at=(NOW - 7260, NOW - 7200, NOW - 7140, NOW - 6000),
        metrics=(
            MetricCurveDocument(
                metric="cpu_usage",
                actual=(0.3, 0.97, 0.96, 0.3),
                expected=(None, 0.31, 0.9, 0.35),
                lower=(None, 0.2, 0.79, 0.24),
                upper=(None, 0.42, 1.0, 0.46),
            ),
        ),
    ),
    similar=(
        SimilarEventDocument(
            id=1,
            started_at=NOW - 90_000,
            channel="joint",
            similarity=0.96,
            verdict=Verdict.EXPECTED,
            note="<backup>",
        ),
    ),
    processes=PROCESSES,
)
IN_PROGRESS_DETAILS = AnomalyDetailsDocument(
    **vars(IN_PROGRESS),
    values=(
        MetricValueDocument(
            metric="cpu_usage",
            contribution=1.0,
            at=None,
            actual=None,
            expected=None,
            lower=None,
            upper=None,
            usual=None,
        ),
    ),
    expectation=ExpectationDocument(
        model_id=None,
        detected=False,
        missing=MissingExpectation.NO_SAMPLES,
        message=MissingExpectation.NO_SAMPLES.message,
    ),
    curves=None,
    similar=(),
    processes=None,
)

COUNTS = AnomalyCountDocument(
    days=30.0,
    anomalies=3,
    verdicts={"incident": 1, "expected": 0, "none": 2},
    channels={"joint": 2, "flatline": 1},
    allowed=2.0,
    replayed=1,
)

MAINTENANCE = MaintenanceDocument(id=2, starts_at=NOW + 3600, ends_at=NOW + 7200, note="new disks")

SCORE = ScoreReport(brier=0.01, brier_skill=0.5, average_precision=0.75, calibration_error=0.02)
UNDEFINED_SCORE = ScoreReport(brier=0.02, brier_skill=-0.25, average_precision=None, calibration_error=0.01)

TRACE_COUNTS = TraceCountsDocument(
    rows=1000,
    unordered=2,
    repeated=3,
    bad_cells=2,
    bad_cell_examples=(BadCell(7, "cpu_usage", "high"), BadCell(9, "CPU", "0,5")),
    without_value=1,
    lines_without_value=(9,),
)

SCORECARD = ScorecardDocument(
    since=NOW,
    periods_needed=5,
    any_horizon=EventScoreDocument("monitor", None, 9, 8, 600.0, (240.0, 900.0), None, None),
    horizons=(
        HorizonScorecardDocument(
            horizon=300.0,
            horizon_name="5m",
            enough_periods=True,
            scores=(
                EventScoreDocument("monitor", None, 9, 7, 270.0, (180.0, 300.0), 3, 1.5),
                EventScoreDocument("predict_linear", 0.9, 9, 2, 60.0, (45.0, 90.0), 3, 1.5),
                EventScoreDocument("persistence", -60.0, 9, 0, None, None, 2, 1.0),
            ),
        ),
        HorizonScorecardDocument(
            horizon=900.0,
            horizon_name="15m",
            enough_periods=False,
            scores=(EventScoreDocument("monitor", None, 4, 4, 600.0, (240.0, 900.0), None, None),),
        ),
    ),
)
NO_SCORECARD = ScorecardDocument(
    since=NOW,
    periods_needed=5,
    any_horizon=EventScoreDocument("monitor", None, 0, 0, None, None, None, None),
    horizons=(),
)

BACKTEST = BacktestDocument(
    scorecard=SCORECARD,
    file="trace.csv",
    trace=TRACE_COUNTS,
    until=NOW,
    rows=400,
    anomalies=BacktestAnomalies(
        days=15.0,
        events=(
            BacktestEvent(
                started_at=NOW + 3600,
                ended_at=NOW + 7200,
                channel="spike",
                peak=0.998,
                peak_at=NOW + 4000,
                threshold_ratio=1.5,
                contributions={"disk_read": 0.9, "disk_busy": 0.1},
            ),
        ),
    ),
    attempts=(
        BacktestAttempt(at=NOW, refusal="", by_gate=False),
        BacktestAttempt(
            at=NOW + 86400,
            refusal="it is not better than persistence",
            by_gate=True,
            comparison_skip=ComparisonSkip.NO_UNSEEN_EVENT,
        ),
    ),
    horizons=(
        BacktestHorizon(
            horizon=300.0,
            base_rate=0.1,
            predicted_ratio=0.75,
            events=4,
            all={"network": SCORE, "climatology": UNDEFINED_SCORE},
            onset={"network": SCORE},
        ),
    ),
)

MODEL_EXPORT = ModelExportDocument(file="web1.npz", model_id=3, bytes=12_345)
MODEL_IMPORT = ModelImportDocument(
    model_id=5,
    duplicate=False,
    imported_from="web1",
    created_at=NOW,
    detector=False,
    task_differences=("horizons",),
    notes=("it has no detector",),
)
TRACE_IMPORT = TraceImportDocument(
    file="trace.csv",
    source=HistorySource.CSV,
    host="",
    dry_run=False,
    rows=1000,
    added=990,
    filled=4,
    replaced=2,
    repeated=3,
    without_value=1,
    lines_without_value=(9,),
    filled_values=8,
    replaced_values=2,
    conflicting=1,
    unordered=2,
    bad_cells=12,
    bad_cell_examples=(BadCell(7, "cpu_usage", "high"), BadCell(9, "CPU", "0,5")),
    ignored_columns=("Disk",),
    first_at=NOW - 1000,
    last_at=NOW,
    spacing=300.0,
    sampling_interval=5.0,
    spacing_differs=True,
    fields=("cpu_usage", "memory_usage"),
    missing_fields=("swap_usage",),
    gaps=2,
    gap_seconds=5400.0,
    longest_gaps=(GapDocument(NOW - 900, NOW - 300), GapDocument(NOW - 200, NOW - 100)),
    notes=("the clock of the server is 90 s ahead of the clock of this host",),
)
MIGRATION = MigrationDocument(
    source="/srv/monitor.db",
    target="postgresql://monitor@db/monitor (host web-1)",
    rows=200,
    damaged=1,
    tables=(MigratedTable("samples", 200, 1, "00112233445566778899aabbccddeeff"),),
)

PURGE = PurgeDocument(from_=NOW - 1000, to=NOW, samples=200, predictions=600, anomalies=1, process_snapshots=2)

HISTORY = HistoryDocument(
    from_=NOW,
    until=NOW + 20,
    step=10.0,
    at=(NOW, NOW + 10),
    load={"cpu_usage": (0.5, None)},
    high=((NOW, NOW + 10),),
    rules=({"cpu_usage": 0.85}, {"cpu_usage": "p95"}),
    predictions=(
        PredictionHistory(
            horizon=300.0,
            horizon_name="5m",
            probability=(0.7, None),
            baseline_probability=(0.1, None),
            threshold=(0.6, None),
            warning=(True, None),
            replayed=(True, None),
        ),
    ),
    anomaly_score=(0.25, None),
    anomaly_evidence_ratio=(0.5, None),
    anomalies=(IN_PROGRESS,),
)
