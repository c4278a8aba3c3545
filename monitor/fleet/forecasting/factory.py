"""Forecaster factory: the forecaster that a configuration and a source ask for."""

from __future__ import annotations

from collections.abc import Sequence

from model.forecast.predictor import Predictor
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model
from monitor.config.loader import Config
from monitor.errors import ConfigError
from monitor.fleet.forecasting.served_forecaster import ServedForecaster
from monitor.fleet.interfaces import FleetForecaster
from monitor.fleet.model_directory import model_directory


def create_forecaster(config: Config, columns: Sequence[str], step: float) -> FleetForecaster:
    """Return a forecaster without hosts, which serves the saved models, or else the pretrained one.

    Args:
        config: high-load rules, horizons and target precision.
        columns: names of the sample fields of the source.
        step: seconds between samples.

    Raises:
        ConfigError: the pretrained model does not support the task, or a rule needs a field that the source lacks.
        SerializationError: the bundled pretrained model is damaged.
    """
    return ServedForecaster(shared_predictor(config, columns, step), model_directory(config, step))


def shared_predictor(config: Config, columns: Sequence[str], step: float) -> Predictor:
    """Return the pretrained model for the configured task; for arguments and errors see `create_forecaster`."""
    lacking = [metric for metric in config.rules.metrics if metric not in columns]
    if lacking:
        raise ConfigError([f"high_load.rules: the source has no {metric}" for metric in lacking])
    try:
        return bootstrap_predictor(
            bundled_pretrained_model(),
            columns,
            config.rules,
            config.high_load.horizons,
            step,
            config.warning.precision,
        )
    except ValueError as error:
        raise ConfigError([f"high_load: {error}"]) from error
