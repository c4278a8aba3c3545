"""One model as one file: what predicts, what watches beside it, and the report of its training.

For another host, or for a shelf. What comes in from outside is read within bounds, loaded, and used once as a daemon
would use it, before any of it is registered; it never serves by being brought in.
"""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.anomaly.serialization import loads_detector
from model.array_types import Floats
from model.errors import SerializationError
from model.forecast.drift import population_stability_index
from model.forecast.serialization import loads
from model.npz import MAX_BYTES, pack, unpack
from monitor import release
from monitor.config.durations import LATEST
from monitor.config.loader import Config
from monitor.errors import MonitorError
from monitor.exporter.model import of_holdout
from monitor.reports.training import model_report, training_lines
from monitor.stores import Stores
from monitor.system.atomic_write import created
from monitor.training.bootstrap_model import answers, question_asked
from monitor.training.records import is_pretrained
from storage import SAMPLE_FIELDS, ModelRecord

KIND, FORMAT = "model file", 1

NOT_A_REPORT = (KeyError, TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError)
"""What it raises to use something as a report that is none."""


@dataclass(frozen=True)
class Carried:
    """What a file carries. `host` is where the model was trained, `created_at` when (seconds)."""

    predictor: bytes
    detector: bytes | None
    report: dict[str, Any]
    created_at: float
    host: str


@dataclass(frozen=True)
class Imported:
    """What came of an import: the id, whether it was there already, and what an operator is to know."""

    model_id: int
    duplicate: bool
    carried: Carried
    notes: tuple[str, ...]


def export_model(stores: Stores, model_id: int, path: Path) -> int:
    """Writes a model to a file, whole or not at all; returns its size in bytes.

    Raises:
        UnknownModelError: there is no such model.
        StorageError: it is damaged.
        MonitorError: it cannot be read by this release, or the file cannot be written.
    """
    registry = stores.registry
    record, blob, detector = registry.record(model_id), registry.blob(model_id), registry.detector(model_id)
    host = record.report.get("imported_from") or socket.gethostname()
    try:
        data = packed(Carried(blob, detector, record.report, record.created_at, host))
        unpacked(data)
    except SerializationError as error:
        raise MonitorError(f"model {model_id} cannot be exported: {error}") from error
    _write_whole(path, data)
    return len(data)


def import_model(stores: Stores, config: Config, path: Path, now: float) -> Imported:
    """Registers the model of a file, which does not serve; one that is there already stays the only one.

    Args:
        stores: of the database.
        config: of this host, for what is said of the model.
        path: of the file.
        now: seconds since the epoch.

    Raises:
        MonitorError: the file cannot be read, or is not such a file; names it.
        StorageError: the database refuses it.
    """
    try:
        carried = unpacked(_read(path))
        _use(carried, config)
    except SerializationError as error:
        raise MonitorError(f"{path}: {error}") from error
    notes = _notes(carried, config)
    there = stores.registry.find(carried.predictor, carried.detector)
    if there is not None:
        return Imported(there, duplicate=True, carried=carried, notes=notes)
    report = {**carried.report, "imported_from": carried.host, "imported_at": now}
    model_id = stores.registry.register(carried.predictor, report, carried.created_at, carried.detector)
    return Imported(model_id, duplicate=False, carried=carried, notes=notes)


def packed(carried: Carried) -> bytes:
    """The file's bytes: the same content gives the same.

    Raises:
        SerializationError: more than a file may hold, or a report that is no plain JSON data.
    """
    parts = {"predictor": carried.predictor}
    if carried.detector is not None:
        parts["detector"] = carried.detector
    header = {
        "format": FORMAT,
        "kind": KIND,
        "monitor": release(),
        "host": carried.host,
        "created_at": carried.created_at,
        "report": carried.report,
        "parts": {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()},
    }
    arrays: dict[str, Any] = {name: np.frombuffer(part, np.uint8) for name, part in parts.items()}
    try:
        return pack(header, arrays)
    except ValueError as error:
        raise SerializationError(f"its report holds what JSON cannot: {error}") from error


def unpacked(data: bytes) -> Carried:
    """What `packed` was given, each part as it was and loadable.

    Raises:
        SerializationError: not such a file, a damaged one, or one of a newer format.
    """
    header, arrays = unpack(data, KIND, FORMAT)
    try:
        parts = {name: _part(name, arrays, sha256) for name, sha256 in header["parts"].items()}
        carried = Carried(
            parts["predictor"],
            parts.get("detector"),
            dict(header["report"]),
            float(header["created_at"]),
            str(header["host"])[:255],
        )
    except NOT_A_REPORT as error:
        raise SerializationError(f"not a {KIND} of monitor: {error}") from error
    if arrays.keys() != parts.keys() or not parts.keys() <= {"predictor", "detector"}:
        raise SerializationError(f"not a {KIND} of monitor: it holds {', '.join(sorted(arrays))}")
    if not 0 <= carried.created_at <= LATEST:
        raise SerializationError(f"not a {KIND} of monitor: made at {carried.created_at}")
    if loads(carried.predictor, holdout_model=True).spec.columns != SAMPLE_FIELDS:
        raise SerializationError("its model is of other metrics than this release samples")
    if carried.detector is not None and not {*loads_detector(carried.detector).columns} <= {*SAMPLE_FIELDS}:
        raise SerializationError("its detector is of other metrics than this release samples")
    return carried


def _part(name: str, arrays: dict[str, Floats], sha256: str) -> bytes:
    part = arrays[name].tobytes()
    if hashlib.sha256(part).hexdigest() != sha256:
        raise SerializationError(f"its {name} is damaged: its checksum does not match")
    return part


def _use(carried: Carried, config: Config) -> None:
    """Does with the report what daemon and commands will do with it: better it fails here."""
    report = carried.report
    record = ModelRecord(1, carried.created_at, "0" * 64, len(carried.predictor), report, None)
    try:
        model_report(record, None) if is_pretrained(record) else training_lines(report)
        list(of_holdout(record))
        answers(_made_for(report), question_asked(config))
        for reference in report.get("inputs", {}).values():
            population_stability_index(np.zeros(1), reference)
        float(report.get("to") or 0.0)
        float(report.get("detector", {}).get("step", 0.0))
    except NOT_A_REPORT as error:
        raise SerializationError(f"its report is none of a training: {type(error).__name__}: {error}") from error


def _made_for(report: dict[str, Any]) -> dict[str, Any]:
    return report.get("prior") or report.get("task") or {}


def _notes(carried: Carried, config: Config) -> tuple[str, ...]:
    """What an operator would want to know before it serves."""
    notes = []
    wanted, made_for = question_asked(config), _made_for(carried.report)
    other = [key for key in made_for if made_for[key] != wanted[key]]
    if other:
        notes.append(
            f"it was made for other {', '.join(other)} than are configured: at the daemon's next start the prior, or"
            " a model for those, takes its place"
        )
    if carried.detector is None:
        notes.append("it has no detector: while it serves nothing watches for anomalies until the next training")
    return tuple(notes)


def _read(path: Path) -> bytes:
    """The bytes of a file of a size that such a file may have."""
    try:
        # A pipe without a writer would be waited for, for ever.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not path.is_file():
                raise MonitorError(f"{path}: not a file")
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise MonitorError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise MonitorError(f"{path}: more than the {MAX_BYTES} bytes that a {KIND} may have")
    return data


def _write_whole(path: Path, data: bytes) -> None:
    """Replaces a file as a whole; after a power cut there is the old one or the new one."""
    if path.exists() and not path.is_file():
        raise MonitorError(f"{path}: is there and not a file")
    with created(path, 0o600) as file:
        file.write(data)


def imported_text(found: Imported) -> str:
    """What an import did, and what makes the model serve."""
    if found.duplicate:
        return f"model {found.model_id} is this one already: nothing was registered"
    return "\n".join(
        [
            f"model {found.model_id} registered, of {found.carried.host}; it does not serve",
            *found.notes,
            f"to let it serve, unjudged by the gate on this host: monitor models rollback {found.model_id}",
        ]
    )


def imported_document(found: Imported) -> dict[str, Any]:
    """The same as plain JSON data."""
    return {
        "model_id": found.model_id,
        "duplicate": found.duplicate,
        "imported_from": found.carried.host,
        "created_at": found.carried.created_at,
        "detector": found.carried.detector is not None,
        "notes": list(found.notes),
    }
