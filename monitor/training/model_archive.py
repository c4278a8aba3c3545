"""Model archive: one model as one file, with its detector and training report.

An archive from another host is untrusted: it is read within size bounds, and every part is loaded before anything is
registered. An imported model does not serve until an operator activates it.
"""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from model.anomaly.serialization import loads_detector
from model.array_types import Floats
from model.errors import SerializationError
from model.forecast.serialization import loads
from model.npz import MAX_BYTES, pack, unpack
from monitor import release
from monitor.config.loader import Config
from monitor.errors import MonitorError
from monitor.stores import Stores
from monitor.system.atomic_write import open_atomic
from monitor.system.formatting import LATEST
from monitor.system.json_codec import DecodeError, from_plain
from monitor.system.standard_streams import STANDARD_INPUT, STANDARD_OUTPUT
from monitor.training.bootstrap_model import task_differences
from monitor.training.records import read_model
from monitor.training.report import ReportError, TrainingReport
from storage import SAMPLE_FIELDS

KIND = "model file"
FORMAT = 2
"""Version of the archive format; version 1 differs only in the form of the training report."""

LONGEST_HOST = 255
"""Number of characters to which a host name is truncated."""


@dataclass(frozen=True)
class ModelArchive:
    """Content of a model archive.

    Attributes:
        predictor: serialized predictor.
        detector: serialized anomaly detector; None if the model has none.
        report: training report.
        created_at: time at which the model was trained, in seconds since the epoch.
        host: name of the host that trained the model.
    """

    predictor: bytes
    detector: bytes | None
    report: TrainingReport
    created_at: float
    host: str


@dataclass(frozen=True)
class _Header:
    """Validated header fields of an archive; `parts` maps the name of each part to its SHA-256 checksum."""

    host: str
    created_at: float
    parts: dict[str, str]


@dataclass(frozen=True)
class ImportResult:
    """Result of the import of a model archive.

    Attributes:
        model_id: ID in the registry.
        duplicate: True if the model was in the registry before the import.
        archive: content of the file.
        task_differences: fields of the forecasting task in which the model differs from the configuration.
    """

    model_id: int
    duplicate: bool
    archive: ModelArchive
    task_differences: tuple[str, ...]


def export_model(stores: Stores, model_id: int, path: Path, *, force: bool = False) -> int:
    """Write a model with its detector and report to an archive, and return the size of the archive in bytes.

    Args:
        stores: repositories.
        model_id: ID of the model.
        path: archive to write atomically, or STANDARD_OUTPUT.
        force: True to replace an existing file.

    Raises:
        UnknownModelError: the registry has no such model.
        StorageError: the stored model is damaged.
        MonitorError: this release cannot read the model or its report, the file exists, or it cannot be written.
    """
    if path != STANDARD_OUTPUT and path.is_file() and not force:
        raise MonitorError(f"{path}: exists; --force replaces it")
    model = read_model(stores, model_id)
    predictor = stores.registry.blob(model_id)
    detector = stores.registry.detector(model_id)
    try:
        loads(predictor)
        if model.report is None:
            problem = "there is none" if model.report_problem is None else model.report_problem.message
            raise SerializationError(f"its training report cannot be used: {problem}")
        host = model.report.imported_from or socket.gethostname()
        data = pack_archive(ModelArchive(predictor, detector, model.report, model.created_at, host))
        unpack_archive(data)
    except SerializationError as error:
        raise MonitorError(f"model {model_id} cannot be exported: {error}") from error
    _replace_file(path, data)
    return len(data)


def import_model(stores: Stores, config: Config, path: Path, now: float) -> ImportResult:
    """Register the model in a file without promoting it, unless the registry contains it already.

    Args:
        stores: repositories.
        config: forecasting task of this host.
        path: the archive.
        now: seconds since the epoch.

    Raises:
        MonitorError: the file cannot be read or is not an archive; the message names the file.
        StorageError: the database cannot be read or written.
    """
    try:
        archive = unpack_archive(_read(path))
    except SerializationError as error:
        raise MonitorError(f"{path}: {error}") from error
    differences = task_differences(archive.report, config)
    registered = stores.registry.find_id(archive.predictor, archive.detector)
    if registered is not None:
        return ImportResult(registered, duplicate=True, archive=archive, task_differences=differences)
    report = replace(archive.report, imported_from=archive.host, imported_at=now).to_json()
    model_id = stores.registry.register(archive.predictor, report, archive.created_at, archive.detector)
    return ImportResult(model_id, duplicate=False, archive=archive, task_differences=differences)


def pack_archive(archive: ModelArchive) -> bytes:
    """Return the bytes of an archive; equal content yields identical bytes.

    Raises:
        SerializationError: the content exceeds the size limit.
    """
    parts = {"predictor": archive.predictor}
    if archive.detector is not None:
        parts["detector"] = archive.detector
    header = {
        "format": FORMAT,
        "kind": KIND,
        "monitor": release(),
        "host": archive.host,
        "created_at": archive.created_at,
        "report": archive.report.to_plain(),
        "parts": {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()},
    }
    arrays: dict[str, Any] = {name: np.frombuffer(part, np.uint8) for name, part in parts.items()}
    return pack(header, arrays)


def unpack_archive(data: bytes) -> ModelArchive:
    """Return the content of an archive after checking that every part can be loaded.

    Raises:
        SerializationError: the data is not an archive, is damaged, has a newer format, or uses metrics unknown to
            this release.
    """
    content, arrays = unpack(data, KIND, FORMAT)
    try:
        header = from_plain(_Header, content)
        report = TrainingReport.from_plain(content.get("report"))
    except (DecodeError, ReportError) as error:
        raise SerializationError(f"not a {KIND} of monitor: {error}") from error
    if arrays.keys() != header.parts.keys() or not {"predictor"} <= arrays.keys() <= {"predictor", "detector"}:
        raise SerializationError(f"not a {KIND} of monitor: it holds {', '.join(sorted(arrays))}")
    if not 0 <= header.created_at <= LATEST:
        raise SerializationError(f"not a {KIND} of monitor: created_at is {header.created_at}")
    parts = {name: _part(name, arrays[name], sha256) for name, sha256 in header.parts.items()}
    predictor, detector = parts["predictor"], parts.get("detector")
    if loads(predictor, holdout_model=True).spec.columns != SAMPLE_FIELDS:
        raise SerializationError("its model uses other metrics than this release samples")
    if detector is not None and not {*loads_detector(detector).columns} <= {*SAMPLE_FIELDS}:
        raise SerializationError("its detector uses metrics that this release does not sample")
    return ModelArchive(predictor, detector, report, header.created_at, header.host[:LONGEST_HOST])


def _part(name: str, array: Floats, sha256: str) -> bytes:
    part = array.tobytes()
    if hashlib.sha256(part).hexdigest() != sha256:
        raise SerializationError(f"its {name} is damaged: its checksum does not match")
    return part


def _read(path: Path) -> bytes:
    """Return the bytes of a regular file or of standard input, at most MAX_BYTES.

    Raises:
        MonitorError: the file cannot be read, is not a regular file, or is too large.
    """
    is_stream = path == STANDARD_INPUT
    # Opening a FIFO without a writer would block forever.
    flags = os.O_RDONLY | os.O_CLOEXEC | (0 if is_stream else os.O_NONBLOCK)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not is_stream and not path.is_file():
                raise MonitorError(f"{path}: not a regular file")
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise MonitorError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise MonitorError(f"{path}: more than the {MAX_BYTES} bytes that a {KIND} may have")
    return data


def _replace_file(path: Path, data: bytes) -> None:
    """Write `data` to a regular file atomically, replacing its content, or to standard output.

    Raises:
        MonitorError: the path exists and is not a regular file, or the file cannot be written.
    """
    if path != STANDARD_OUTPUT and path.exists() and not path.is_file():
        raise MonitorError(f"{path}: exists and is not a regular file")
    with open_atomic(path, 0o600) as file:
        file.write(data)
