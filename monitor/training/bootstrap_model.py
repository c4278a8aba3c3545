"""What serves a host before it has a history: the shipped prior, registered like any other model."""

from __future__ import annotations

from typing import Any

from model.errors import SerializationError
from model.forecast.bundled_weights import bundled_pretrained_model
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import dumps, loads
from monitor.config.loader import Config
from monitor.stores import Stores
from monitor.system.logging import get_logger
from monitor.training.records import is_pretrained
from storage import SAMPLE_FIELDS, StorageError

log = get_logger(__name__)


def own_model_serves(stores: Stores) -> bool:
    """Whether what serves has learned from this host.

    Raises:
        StorageError: the registry cannot be read.
    """
    active = stores.registry.active_id()
    return active is not None and not is_pretrained(stores.registry.record(active))


def ensure_first_model(stores: Stores, config: Config, now: float) -> None:
    """Registers the shipped prior, and lets it serve, where no model of this host answers what is asked.

    A model that was trained for other rules or horizons would go on answering the old question for days. Bounds that
    only a history can tell leave the prior out, and so do samples hours apart.

    Args:
        stores: of the database.
        config: what is to be predicted; a prior made for something else is replaced.
        now: seconds since the epoch.

    Raises:
        StorageError: the registry cannot be read or written.
    """
    wanted = question_asked(config)
    active = stores.registry.active_id()
    if active is not None:
        record = stores.registry.record(active)
        made_for = record.report.get("prior") or record.report.get("task")
        if (made_for is None or answers(made_for, wanted)) and _readable(stores, active):
            return
    high = config.high_load
    try:
        predictor = bootstrap_predictor(
            bundled_pretrained_model(),
            SAMPLE_FIELDS,
            config.rules,
            high.horizons,
            config.sampling.interval,
            config.warning.precision,
        )
    except ValueError as error:
        log.info("pretrained model not applicable", reason=error)
        return
    except SerializationError as error:
        log.error("pretrained model load failed", error=error)
        return
    # it begins where its own outcomes begin
    report = {"prior": wanted, "from": now, "to": now, "samples": 0, "features": len(predictor.spec.names)}
    detector = None if active is None else stores.registry.detector(active)
    if active is not None and detector is not None:
        # what watches for anomalies was asked nothing else
        report["detector"] = stores.registry.record(active).report.get("detector", {})
    model_id = stores.registry.register(dumps(predictor), report, now, detector)
    stores.registry.promote(model_id, now)
    log.info("bootstrap model promoted", model=model_id, previous=active)


def answers(made_for: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a model made for something answers what is asked now."""
    return all(made_for[key] == wanted[key] for key in made_for)


def task_asked(config: Config) -> dict[str, Any]:
    """What the configuration asks of any model, as plain JSON data."""
    return {
        "rules": [[list(bound) for bound in rule] for rule in config.high_load.rules],
        "sustained": config.high_load.sustained,
        "horizons": list(config.high_load.horizons),
    }


def question_asked(config: Config) -> dict[str, Any]:
    """The same, with what beside it the prior is made for."""
    return {**task_asked(config), "step": config.sampling.interval, "precision": config.warning.precision}


def _readable(stores: Stores, model_id: int | None) -> bool:
    """Whether this model, or one before it that served, can be read."""
    while model_id is not None:
        try:
            loads(stores.registry.blob(model_id))
            return True
        except (StorageError, SerializationError):
            model_id = stores.registry.previous_id(model_id)
    return False
