"""Database schema: SQLAlchemy tables; those of blocks and events are in modules of their own."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    false,
)

from storage.column_types import JsonText
from storage.records import SAMPLE_FIELDS, ScoreRow

LOCAL_HOST_ID = 1
"""`host_id` of the host that this program monitors.

Every table has a `host_id`, so that a later release can store several hosts without rewriting the samples.
"""

metadata = MetaData()

# WITHOUT ROWID stores the rows in the B-tree of the primary key: a commit updates one B-tree, and a read by time
# scans adjacent pages. SQLite stores a REAL without a fraction as an integer, so a whole second takes 4 bytes.
samples = Table(
    "samples",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, primary_key=True),
    *(Column(name, Float, nullable=True) for name in SAMPLE_FIELDS),
    sqlite_with_rowid=False,
)


def _predictions_table(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("host_id", Integer, primary_key=True, autoincrement=False),
        Column("at", Float, primary_key=True),
        Column("horizon", Float, primary_key=True),
        # No foreign key: a prediction stays valid after its model has been pruned.
        Column("model_id", Integer, nullable=False),
        Column("probability", Float, nullable=False),
        Column("baseline_probability", Float, nullable=False),
        Column("threshold", Float, nullable=False),
        Column("warning", Boolean, nullable=False, server_default=false()),
        # Start of the high-load period that was in progress; NULL while load is not high.
        Column("high_load_since", Float, nullable=True),
        sqlite_with_rowid=False,
    )


predictions = _predictions_table("predictions")

# Predictions of a replay of imported history: no query on live predictions can include them.
replayed_predictions = _predictions_table("replayed_predictions")

# AUTOINCREMENT: the ID of a pruned model is never reused.
models = Table(
    "models",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("host_id", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    # Before the blob: to read a column, SQLite reads all columns before it, and a blob spans many pages.
    Column("promoted_at", Float, nullable=True),
    Column("report", JsonText, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    Column("detector", LargeBinary, nullable=True),
    sqlite_autoincrement=True,
)

serving = Table(
    "serving",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("model_id", Integer, ForeignKey("models.id", name="serving_model_id_fkey"), nullable=False),
    # Baseline that serves instead of the model, for each horizon and load state; NULL if there are none.
    Column("fallbacks", JSON(none_as_null=True), nullable=True),
    # Metrics outside the training range of the model; NULL if there are none.
    Column("inputs_out_of_range", JSON(none_as_null=True), nullable=True),
)

# Activations in time order. The last one that a rollback has not undone is that of the active model.
activations = Table(
    "activations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("host_id", Integer, nullable=False),
    # No foreign key: the history stays valid after a model has been pruned.
    Column("model_id", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("undone", Boolean, nullable=False, server_default=false()),
    sqlite_autoincrement=True,
)

# Models that failed while they served. They do not serve again until an operator activates them.
quarantined_models = Table(
    "quarantined_models",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("model_id", Integer, primary_key=True, autoincrement=False),
    # Part of the model that failed: "predictor" or "detector".
    Column("part", String(16), primary_key=True),
    Column("at", Float, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("detail", String, nullable=False),
    sqlite_with_rowid=False,
)

training_runs = Table(
    "training_runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("host_id", Integer, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("finished_at", Float, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String, nullable=False),
    Column("model_id", Integer, nullable=True),
    Column("report", JsonText, nullable=False),
    sqlite_autoincrement=True,
)


def _score_totals_table(name: str) -> Table:
    counts = ("unknown", "scored", "events", "warnings", "true_warnings")
    return Table(
        name,
        metadata,
        Column("host_id", Integer, primary_key=True, autoincrement=False),
        Column("horizon", Float, primary_key=True),
        Column("hour", Float, primary_key=True),
        Column("high_load", Integer, primary_key=True, autoincrement=False),
        Column("decile", Integer, primary_key=True, autoincrement=False),
        *(Column(field, Integer, nullable=False) for field in counts),
        *(Column(field.name, Float, nullable=False) for field in fields(ScoreRow) if field.name.endswith("_sum")),
        Column("false_warnings", Integer, nullable=True),  # NULL in sums by earlier releases
        Column("observed_seconds", Float, nullable=True),
        sqlite_with_rowid=False,
    )


def _onsets_table(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("host_id", Integer, primary_key=True, autoincrement=False),
        Column("horizon", Float, primary_key=True),
        Column("at", Float, primary_key=True),
        Column("lead_time", Float, nullable=True),
        sqlite_with_rowid=False,
    )


# Hourly sums over scored predictions.
score_totals = _score_totals_table("score_totals")
replayed_score_totals = _score_totals_table("replayed_score_totals")

# Starts of high-load periods, with the lead time of their first warning.
onsets = _onsets_table("onsets")
replayed_onsets = _onsets_table("replayed_onsets")

# Time up to which the predictions of each horizon are scored.
scoring_progress = Table(
    "scoring_progress",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("horizon", Float, primary_key=True),
    Column("scored_until", Float, nullable=False),
    sqlite_with_rowid=False,
)

anomalies = Table(
    "anomalies",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("host_id", Integer, nullable=False),
    # No foreign key: an anomaly stays valid after its model has been pruned.
    Column("model_id", Integer, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float, nullable=True),
    Column("peak", Float, nullable=False),
    Column("peak_at", Float, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("contributions", JSON, nullable=False),
    Column("verdict", String(16), nullable=True),
    Column("note", String, nullable=True),
    Column("verdict_at", Float, nullable=True),
    # Detected in a replay of imported history, not by the live detector.
    Column("replayed", Boolean, nullable=False, server_default=false()),
    sqlite_autoincrement=True,
)

# Maximum of each score part in each half hour; alarm thresholds and recurring peaks are computed from it.
anomaly_peaks = Table(
    "anomaly_peaks",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    # Scores of different detectors are not comparable. Several models may contain the same detector.
    Column("detector", String(16), primary_key=True),
    Column("at", Float, primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("peak", Float, nullable=False),
    sqlite_with_rowid=False,
)

maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("host_id", Integer, nullable=False),
    Column("starts_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("note", String, nullable=False),
    sqlite_autoincrement=True,
)
