"""What a stored record means: the questions that commands and daemon alike ask of it."""

from __future__ import annotations

import json
from typing import Any

from storage import ModelRecord, Prediction, TrainingRun

AN_INSTANT = 0.0005
"""Seconds, less than any two samples are apart."""


def warns(prediction: Prediction) -> bool:
    """Whether this prediction is a warning; a threshold of 1 or more never warns."""
    return prediction.probability >= prediction.threshold < 1


def is_prior(record: ModelRecord | None) -> bool:
    """Whether a model is the shipped one, which has learned nothing of this host."""
    return record is not None and bool(report_of(record).get("prior"))


def report_of(record: ModelRecord | TrainingRun) -> dict[str, Any]:
    """Return the training report of a stored record as plain data."""
    report: dict[str, Any] = json.loads(record.report_json)
    return report
