"""The tables as they are now. How a database gets here from an older release is in `migrations`.

`host_id` is part of every key from the first release, so that one database can hold several hosts later without
rewriting its largest table.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)

from storage.records import SAMPLE_FIELDS

LOCAL_HOST_ID = 1
"""The `host_id` of the machine that the database lives on."""

metadata = MetaData()


class JsonText(TypeDecorator[str]):
    """A JSON column whose values are passed as JSON text: their structure is the caller's business."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else json.dumps(value)


# Without a rowid the key is the table: no second index to write at each commit, and a read by time is a walk along
# neighbouring pages. SQLite stores a REAL without a fraction as an integer, so a whole second takes 4 bytes.
samples = Table(
    "samples",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, primary_key=True),
    *(Column(name, Float, nullable=True) for name in SAMPLE_FIELDS),
    sqlite_with_rowid=False,
)

predictions = Table(
    "predictions",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, primary_key=True),
    Column("horizon", Float, primary_key=True),
    # No foreign key: a prediction stays true after its model has been pruned.
    Column("model_id", Integer, nullable=False),
    Column("probability", Float, nullable=False),
    Column("baseline_probability", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    sqlite_with_rowid=False,
)

# AUTOINCREMENT: the id of a pruned model is never given to another one, so an id in a log or on a dashboard means
# one model for ever.
models = Table(
    "models",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("host_id", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    # Before the blob: SQLite reads the columns of a row from the left, and a blob spills over many pages.
    Column("promoted_at", Float, nullable=True),
    Column("report", JsonText, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    # What watches for anomalies beside the predictor; none while the history is too short for one.
    Column("detector", LargeBinary, nullable=True),
    sqlite_autoincrement=True,
)

serving = Table(
    "serving",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("model_id", Integer, ForeignKey("models.id", name="serving_model_id_fkey"), nullable=False),
    # Which baselines serve where the model has fallen behind; empty where it serves everywhere.
    Column("fallbacks", JSON(none_as_null=True), nullable=True),
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

# Predictions against what happened, summed up by hour: what `monitor report` and the live metrics are made of.
score_totals = Table(
    "score_totals",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("horizon", Float, primary_key=True),
    Column("hour", Float, primary_key=True),
    Column("high_load", Integer, primary_key=True, autoincrement=False),
    Column("decile", Integer, primary_key=True, autoincrement=False),
    *(Column(name, Integer, nullable=False) for name in ("unknown", "scored", "events", "warnings", "true_warnings")),
    *(
        Column(name, Float, nullable=False)
        for name in (
            "probability_sum",
            "probability_squared_sum",
            "probability_event_sum",
            "baseline_squared_sum",
            "baseline_event_sum",
        )
    ),
    sqlite_with_rowid=False,
)

onsets = Table(
    "onsets",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("horizon", Float, primary_key=True),
    Column("at", Float, primary_key=True),
    Column("lead_time", Float, nullable=True),
    sqlite_with_rowid=False,
)

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
    # No foreign key: an anomaly stays true after its model has been pruned.
    Column("model_id", Integer, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float, nullable=True),
    Column("peak", Float, nullable=False),
    Column("peak_at", Float, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("contributions", JSON, nullable=False),
    # What the operator says of it.
    Column("verdict", String(16), nullable=True),
    Column("note", String, nullable=True),
    Column("verdict_at", Float, nullable=True),
    sqlite_autoincrement=True,
)

# The largest evidence of each half hour, by channel: what thresholds and routine are made of.
anomaly_peaks = Table(
    "anomaly_peaks",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    # Evidence of one detector cannot be held against another's; several models may have the same one.
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
