"""Stored models and training runs with their typed reports."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from storage import ModelRecord, TrainingRun


def is_pretrained(record: ModelRecord | None) -> bool:
    """Return True for a bootstrap model: the pretrained model, not fitted on this host's history."""
    return record is not None and bool(report_of(record).get("prior"))


def report_of(record: ModelRecord | TrainingRun) -> dict[str, Any]:
    """Return the training report of a stored record as plain data."""
    report: dict[str, Any] = json.loads(record.report_json)
    return report


def record_document(record: ModelRecord | TrainingRun) -> dict[str, Any]:
    """Return a stored record as plain data, with its training report instead of the JSON text."""
    document = asdict(record)
    del document["report_json"]
    return {**document, "report": report_of(record)}
