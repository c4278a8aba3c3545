"""Forecasting of a fleet: predictions of all hosts from the samples of one source."""

from monitor.fleet.forecasting.factory import create_forecaster

__all__ = ["create_forecaster"]
