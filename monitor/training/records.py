"""Stored models and training runs with their typed reports."""

from __future__ import annotations

from storage import ModelRecord


def is_pretrained(record: ModelRecord | None) -> bool:
    """Return True for a bootstrap model: the pretrained model, not fitted on this host's history."""
    return record is not None and bool(record.report.get("prior"))
