"""Serving history: activations, rollbacks and quarantined models of one host."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, delete, insert, select, update

from storage.rows import DamagedRows, RowDecoder, cell_reader, read_json, record_decoder, tuple_decoder
from storage.schema import activations, models, quarantined_models, serving

Fallbacks = dict[str, dict[str, str]]
"""Name of the baseline that serves instead of the model, for each horizon (seconds, as text) and load state."""


class ModelPart(StrEnum):
    """Part of a registered model that can be quarantined."""

    PREDICTOR = "predictor"
    DETECTOR = "detector"


@dataclass(frozen=True, slots=True)
class QuarantinedModel:
    """Model that failed while it served, and does not serve again until an operator activates it.

    Attributes:
        model_id: ID of the model.
        part: part of the model that failed.
        at: time of the failure in seconds since the epoch.
        reason: code of the reason, which the caller defines; at most 32 characters.
        detail: the reason as a sentence.
    """

    model_id: int
    part: ModelPart
    at: float
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ActiveModel:
    """Active model of a host; see the table `serving`."""

    model_id: int
    fallbacks: Fallbacks
    inputs_out_of_range: tuple[str, ...]


def _read_fallbacks(value: Any) -> Fallbacks:
    """Return the fallbacks in a cell; empty if it is NULL or damaged, because the daemon stores them again."""
    try:
        stored = read_json(value)
    except ValueError:
        return {}
    by_horizon = stored if isinstance(stored, dict) else {}
    return {
        horizon: {load: name for load, name in by_load.items() if isinstance(name, str)}
        for horizon, by_load in by_horizon.items()
        if isinstance(by_load, dict) and _is_number(horizon)
    }


def _is_number(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False


def _read_names(value: Any) -> tuple[str, ...]:
    """Return the names in a cell; empty if it is NULL or damaged, because the daemon stores them again."""
    try:
        names = read_json(value)
    except ValueError:
        return ()
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


_HOST = bindparam("host_id", type_=Integer)
_SERVING = select(*serving.c["model_id", "fallbacks", "inputs_out_of_range"]).where(serving.c.host_id == _HOST)
_UNDOABLE = (
    select(activations.c.model_id)
    .where(activations.c.host_id == _HOST, activations.c.undone.is_(False))
    .order_by(activations.c.id.desc())
)
_PROMOTED = (
    select(models.c.id)
    .where(models.c.host_id == _HOST, models.c.promoted_at.is_not(None))
    .order_by(models.c.id.desc())
)
_STORED = select(models.c.id).where(models.c.host_id == _HOST)
_QUARANTINED = (
    select(*quarantined_models.c["model_id", "part", "at", "reason", "detail"])
    .where(quarantined_models.c.host_id == _HOST)
    .order_by(quarantined_models.c.model_id)
)

_ACTIVE_DECODER = RowDecoder(serving.name, ActiveModel, (cell_reader(int), _read_fallbacks, _read_names))
_ID_DECODERS = {table: tuple_decoder(table, int) for table in (activations.name, models.name)}
_QUARANTINE_DECODER = record_decoder(quarantined_models.name, QuarantinedModel)


class ServingHistory:
    """Active model, activations and quarantined models of one host; every method runs in the caller's transaction."""

    def __init__(self, host_id: int, damaged: DamagedRows) -> None:
        self._host_id = host_id
        self._damaged = damaged

    def active(self, connection: Connection) -> ActiveModel | None:
        """Return the active model; None if there is none. A damaged row is replaced by the last activation."""
        active = self._stored_active(connection)
        if active is not None or not self._has_row(connection):
            return active
        last = next(iter(self.fallback_ids(connection, None)), None)
        return None if last is None else ActiveModel(last, {}, ())

    def fallback_ids(self, connection: Connection, active_id: int | None) -> list[int]:
        """Return the models that may serve instead of the active one, best first, without quarantined models.

        The models that served before it come first, the last one first, then older promoted models.

        Args:
            connection: connection in a transaction.
            active_id: ID of the active model, which is left out; None if it is unknown.
        """
        stored = set(self._ids(connection, models.name, _STORED))
        excluded = {entry.model_id for entry in self.quarantined(connection) if entry.part is ModelPart.PREDICTOR}
        served = self._ids(connection, activations.name, _UNDOABLE)
        promoted = self._ids(connection, models.name, _PROMOTED)
        older = [model_id for model_id in promoted if active_id is None or model_id < active_id]
        usable = stored - excluded - {active_id}
        return [model_id for model_id in dict.fromkeys(served + older) if model_id in usable]

    def activate(self, connection: Connection, model_id: int, at: float) -> None:
        """Make a model active at the time `at` (seconds since the epoch), and end its quarantine."""
        released = (quarantined_models.c.host_id == self._host_id, quarantined_models.c.model_id == model_id)
        connection.execute(delete(quarantined_models).where(*released))
        self._serve(connection, model_id)
        connection.execute(insert(activations).values(host_id=self._host_id, model_id=model_id, at=at))

    def go_back_to(self, connection: Connection, model_id: int, at: float) -> None:
        """Make a model active that served before, and undo the activations since; see `activate`."""
        own = (activations.c.host_id == self._host_id, activations.c.undone.is_(False))
        served = select(activations.c.id).where(*own, activations.c.model_id == model_id)
        last = connection.execute(served.order_by(activations.c.id.desc()).limit(1)).scalar()
        if last is None:
            self.activate(connection, model_id, at)
            return
        connection.execute(update(activations).where(*own, activations.c.id > last).values(undone=True))
        self._serve(connection, model_id)

    def quarantine(self, connection: Connection, failed: QuarantinedModel) -> None:
        """Store a failure; if the predictor of the active model failed, the first fallback becomes active, if any."""
        own = (quarantined_models.c.host_id == self._host_id, quarantined_models.c.model_id == failed.model_id)
        connection.execute(delete(quarantined_models).where(*own, quarantined_models.c.part == failed.part.value))
        values = {name: getattr(failed, name) for name in ("model_id", "at", "reason", "detail")}
        connection.execute(insert(quarantined_models).values(host_id=self._host_id, part=failed.part.value, **values))
        active = self.active(connection)
        if failed.part is not ModelPart.PREDICTOR or active is None or active.model_id != failed.model_id:
            return
        fallback = next(iter(self.fallback_ids(connection, failed.model_id)), None)
        if fallback is None:
            connection.execute(delete(serving).where(serving.c.host_id == self._host_id))
        else:
            self.go_back_to(connection, fallback, failed.at)

    def quarantined(self, connection: Connection) -> list[QuarantinedModel]:
        """Return all stored failures, ordered by model."""
        return _QUARANTINE_DECODER.read(self._damaged, connection, _QUARANTINED, host_id=self._host_id)

    def forget_deleted(self, connection: Connection) -> None:
        """Delete the failures of models that are no longer stored."""
        gone = quarantined_models.c.model_id.not_in(select(models.c.id))
        connection.execute(delete(quarantined_models).where(quarantined_models.c.host_id == self._host_id, gone))

    def _serve(self, connection: Connection, model_id: int) -> None:
        """Store the active model; forget fallbacks and inputs out of range if another model was active."""
        own = serving.c.host_id == self._host_id
        active = self._stored_active(connection)
        if not self._has_row(connection):
            connection.execute(insert(serving).values(host_id=self._host_id, model_id=model_id))
        elif active is None or active.model_id != model_id:
            values = {"model_id": model_id, "fallbacks": None, "inputs_out_of_range": None}
            connection.execute(update(serving).where(own).values(values))

    def _has_row(self, connection: Connection) -> bool:
        own = select(serving.c.host_id).where(serving.c.host_id == self._host_id)
        return connection.execute(own).first() is not None

    def _stored_active(self, connection: Connection) -> ActiveModel | None:
        """Return the stored active model; None if there is none or its row is damaged."""
        return _ACTIVE_DECODER.first(self._damaged, connection, _SERVING, host_id=self._host_id)

    def _ids(self, connection: Connection, table: str, query: Any) -> list[int]:
        rows = _ID_DECODERS[table].read(self._damaged, connection, query, host_id=self._host_id)
        return [model_id for (model_id,) in rows]
