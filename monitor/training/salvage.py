"""Salvage: models, their history and samples of a damaged database, copied to the current one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model.anomaly.serialization import loads_detector
from model.errors import SerializationError
from model.forecast.serialization import loads
from monitor.config.loader import Config
from monitor.errors import MonitorError
from monitor.sampling.value_bounds import validated_values
from monitor.stores import Stores, stores_of
from monitor.system.logging import get_logger
from monitor.training.bootstrap_model import fitted_model_serves, task_differences
from monitor.training.records import RegisteredModel, registered_model
from storage import SAMPLE_FIELDS, ModelPart, StorageError
from storage.salvage import DatabaseImage, TableReader, merge_history, rescue_models, sample_batches

log = get_logger(__name__)

KINDS = ("models", "training_runs", "activations", "quarantined_models", "samples")
"""Tables that are salvaged."""

BATCH_ROWS = 1000
"""Number of samples stored in one transaction, so that a sampling daemon does not wait for long."""


@dataclass
class SalvageResult:
    """Result of a salvage.

    Attributes:
        recovered: number of rows of each table that were copied.
        skipped: number of rows of each table that the current database has already, or that are about a lost model.
        damaged: number of rows of each table that are damaged or fail the validation.
        unreadable_pages: number of damaged pages; rows on them are not counted.
        activated: ID of the recovered model that serves now; None if the serving model was not changed.
    """

    recovered: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    damaged: Counter[str] = field(default_factory=Counter)
    unreadable_pages: int = 0
    activated: int | None = None


@dataclass(frozen=True)
class SalvagedModel:
    """Model of the damaged database that passed the validation.

    Attributes:
        model: the model in the damaged database.
        model_id: ID in the current database.
    """

    model: RegisteredModel
    model_id: int


def salvage(stores: Stores, config: Config, file: Path, now: float, *, samples: bool = True) -> SalvageResult:
    """Copy what the current database lacks from a damaged one, which is never changed.

    1. Copy the readable models that pass the validation of served models.
    2. Merge training runs, activations and quarantined models.
    3. If no model fitted on this host serves, activate the newest copied model that served in the damaged database.
    4. Copy the samples, in bounded memory.

    Args:
        stores: repositories of the current database.
        config: configuration; a model for another forecasting task is copied and not activated.
        file: the damaged database.
        now: seconds since the epoch.
        samples: True to copy the samples too.

    Raises:
        MonitorError: the file is the current database, or has no readable row.
        SchemaTooNewError: a newer release wrote the file.
        StorageError: the file cannot be read, or the current database cannot be written.
    """
    database = stores.database.path
    if database is not None and database.exists() and file.exists() and file.samefile(database):
        raise MonitorError(f"{file}: is the current database; salvage a file that was moved aside")
    result = SalvageResult()
    with DatabaseImage(file) as image:
        reader = TableReader(image)
        with rescue_models(reader, str(file)) as rescued:
            salvaged = _copy_models(stores_of(rescued), stores, result)
            ids = {entry.model.id: entry.model_id for entry in salvaged}
            history = merge_history(rescued, stores.database, ids)
            result.activated = _activate(stores_of(rescued), stores, config, salvaged, now)
        if samples:
            _copy_samples(reader, stores, result, now)
    if not reader.has_schema and not reader.counts.read:
        raise MonitorError(f"{file}: no readable row of a database of monitor")
    result.recovered += history.recovered
    result.skipped += history.skipped
    result.damaged += history.damaged + reader.counts.damaged
    result.unreadable_pages = reader.counts.unreadable_pages
    return result


def _copy_models(source: Stores, target: Stores, result: SalvageResult) -> list[SalvagedModel]:
    """Register the models that the target lacks, and return all that passed the validation."""
    salvaged = []
    for model_id in source.registry.ids():
        try:
            record = source.registry.record(model_id)
            blob = source.registry.blob(model_id)
            if record.report_json is None or loads(blob).spec.columns != SAMPLE_FIELDS:
                raise SerializationError("damaged report, or metrics that this release does not sample")
        except (StorageError, SerializationError) as error:
            log.info("model not salvaged", model=model_id, error=error)
            result.damaged["models"] += 1
            continue
        detector = _usable_detector(source, model_id)
        copied_id = target.registry.find_id(blob, detector)
        if copied_id is None:
            copied_id = target.registry.register(
                blob, record.report_json, record.created_at, detector, promoted_at=record.promoted_at
            )
            result.recovered["models"] += 1
        else:
            result.skipped["models"] += 1
        salvaged.append(SalvagedModel(registered_model(record), copied_id))
    return salvaged


def _usable_detector(source: Stores, model_id: int) -> bytes | None:
    """Return the serialized detector of a model; None if it has none, or if its detector cannot be loaded."""
    try:
        detector = source.registry.detector(model_id)
        is_usable = detector is not None and {*loads_detector(detector).columns} <= {*SAMPLE_FIELDS}
    except (StorageError, SerializationError) as error:
        log.info("detector not salvaged", model=model_id, error=error)
        return None
    return detector if is_usable else None


def _activate(
    source: Stores, target: Stores, config: Config, salvaged: Sequence[SalvagedModel], now: float
) -> int | None:
    """Activate the newest model that served in the source, unless a model fitted on this host serves.

    Returns:
        ID of the activated model in the target; None if none was activated.
    """
    if fitted_model_serves(target):
        return None
    failed = {entry.model_id for entry in target.registry.quarantined() if entry.part is ModelPart.PREDICTOR}
    usable = {
        entry.model.id: entry.model_id
        for entry in salvaged
        if not entry.model.pretrained
        and entry.model_id not in failed
        and not task_differences(entry.model.report, config)
    }
    served = (source.registry.active_id(), *source.registry.fallback_ids())
    newest = next((usable[model_id] for model_id in served if model_id in usable), None)
    return None if newest is None else target.registry.rollback(newest, now)


def _copy_samples(reader: TableReader, target: Stores, result: SalvageResult, now: float) -> None:
    """Store the samples, and the values of stored samples, that the target lacks."""
    for rows in sample_batches(reader, BATCH_ROWS):
        is_past = (rows[:, 0] > 0) & (rows[:, 0] <= now)
        result.damaged["samples"] += int(np.sum(~is_past))
        valid = rows[is_past]
        valid[:, 1:] = validated_values(SAMPLE_FIELDS, valid[:, 1:])
        added = target.samples.insert_missing(valid, BATCH_ROWS)
        result.recovered["samples"] += added
        result.skipped["samples"] += len(valid) - added
