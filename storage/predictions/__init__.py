"""Predictions: repository, insertion, and aggregates of time buckets."""

from storage.predictions.repository import PredictionRepository

__all__ = ["PredictionRepository"]
