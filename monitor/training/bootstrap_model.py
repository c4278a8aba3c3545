"""Bootstrap model: the pretrained model, registered to serve until a fitted model is promoted."""

from __future__ import annotations

from dataclasses import fields, replace

from model.errors import SerializationError
from model.forecast.predictor import Predictor
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model, dumps, loads
from monitor.config.loader import Config
from monitor.stores import Stores
from monitor.system.logging import get_logger
from monitor.training.records import RegisteredModel, read_active_model
from monitor.training.report import TrainingReport
from monitor.training.report_parts import DetectorReport, ForecastTask
from storage import SAMPLE_FIELDS, StorageError

log = get_logger(__name__)


def fitted_model_serves(stores: Stores) -> bool:
    """Return True if a model other than the pretrained model serves.

    Raises:
        StorageError: the registry cannot be read.
    """
    model = read_active_model(stores)
    return model is not None and not model.pretrained


def ensure_bootstrap_model(stores: Stores, config: Config, now: float) -> None:
    """Register and promote the pretrained model if no usable model for the configured task serves.

    A serving model for another task is replaced, because it would predict that task until the next training run.
    Nothing is registered if the pretrained model does not support the task: percentile bounds need a history, and the
    ranges of horizons and sampling intervals are limited.

    Args:
        stores: repositories.
        config: forecasting task.
        now: seconds since the epoch.

    Raises:
        StorageError: the registry cannot be read or written.
    """
    model = read_active_model(stores)
    if model is not None and not task_differences(model.report, config) and _loadable(stores):
        return
    predictor = pretrained_predictor(config, config.sampling.interval)
    if predictor is None:
        return
    # The detector does not depend on the forecasting task: it stays in use.
    detector = None if model is None else stores.registry.detector(model.id)
    report = TrainingReport(
        # Recalibration starts with the outcomes after `to`.
        from_=now,
        to=now,
        samples=0,
        features=len(predictor.spec.names),
        pretrained=pretrained_task(config),
        detector=None if detector is None else _detector_report(model),
    )
    model_id = stores.registry.register(dumps(predictor), report.to_json(), now, detector)
    stores.registry.promote(model_id, now)
    log.info("bootstrap model promoted", model=model_id, previous=None if model is None else model.id)


def pretrained_predictor(config: Config, step: float) -> Predictor | None:
    """Return the pretrained model for the configured task; None if it does not support the task or is damaged.

    Args:
        config: forecasting task.
        step: seconds between samples.
    """
    high_load = config.high_load
    try:
        return bootstrap_predictor(
            bundled_pretrained_model(),
            SAMPLE_FIELDS,
            config.rules,
            high_load.horizons,
            step,
            config.warning.precision,
        )
    except ValueError as error:
        log.info("pretrained model not applicable", reason=error)
    except SerializationError as error:
        log.error("pretrained model load failed", error=error)
    return None


def _detector_report(model: RegisteredModel | None) -> DetectorReport | None:
    return None if model is None or model.report is None else model.report.detector


def configured_task(config: Config) -> ForecastTask:
    """Return the configured forecasting task in the form stored in the report of a fitted model.

    Percentile bounds are not resolved; `step` and `precision` are None.
    """
    high_load = config.high_load
    return ForecastTask(
        rules=tuple(tuple((metric, bound) for metric, bound in rule) for rule in high_load.rules),
        sustained=high_load.sustained,
        horizons=tuple(high_load.horizons),
    )


def pretrained_task(config: Config) -> ForecastTask:
    """Return the configured task in the form stored for a pretrained model: with sampling interval and precision."""
    return replace(configured_task(config), step=config.sampling.interval, precision=config.warning.precision)


def task_differences(report: TrainingReport | None, config: Config) -> tuple[str, ...]:
    """Return the names of the fields in which the task of a model differs from the configured task.

    Returns:
        Names of fields of ForecastTask. Fields that the report leaves out are not compared; empty if it has no task.
    """
    task = None if report is None else report.pretrained or report.task
    if task is None:
        return ()
    configured = pretrained_task(config)
    values = {field.name: getattr(task, field.name) for field in fields(ForecastTask)}
    return tuple(name for name, value in values.items() if value not in (None, getattr(configured, name)))


def _loadable(stores: Stores) -> bool:
    """Return True if the active model or a fallback can be loaded: the daemon serves the first of them."""
    problems: dict[int, Exception] = {}
    for model_id in (stores.registry.active_id(), *stores.registry.fallback_ids()):
        if model_id is None:
            continue
        try:
            loads(stores.registry.blob(model_id))
        except (StorageError, SerializationError) as error:
            problems[model_id] = error
            continue
        return True
    for model_id, problem in problems.items():
        log.error("model load failed", model=model_id, error=problem)
    return False
