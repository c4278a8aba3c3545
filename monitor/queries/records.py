"""What a stored record means: the questions that commands and daemon alike ask of it."""

from __future__ import annotations

from storage import ModelRecord, Prediction

AN_INSTANT = 0.0005
"""Seconds, less than any two samples are apart."""


def warns(prediction: Prediction) -> bool:
    """Whether this prediction is a warning; a threshold of 1 or more never warns."""
    return prediction.probability >= prediction.threshold < 1


def is_prior(record: ModelRecord | None) -> bool:
    """Whether a model is the shipped one, which has learned nothing of this host."""
    return record is not None and bool(record.report.get("prior"))
