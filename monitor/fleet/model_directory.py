"""Model directory: pooled model and own models of a fleet as files."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from model.errors import SerializationError
from model.forecast.fleet.own_models import OwnModel
from model.forecast.predictor import Predictor
from model.forecast.pretrained import PretrainedModel
from model.forecast.serialization import loads_pretrained
from model.forecast.serialization.own_models import loads_own
from monitor.config.loader import Config, default_state_directory
from monitor.system.atomic_write import open_replacement
from monitor.system.logging import get_logger
from storage.inspection import database_path

log = get_logger(__name__)

MAX_BYTES = 16_000_000
"""Largest size of a file that is read."""


def model_directory(config: Config, step: float) -> ModelDirectory:
    """Return the directory of the models for the task of a configuration; it need not exist.

    It is next to an SQLite database, or else in the state directory. Another task has other models: rules, horizons
    and step are part of its name.

    Args:
        config: high-load rules, horizons and storage.
        step: seconds between samples.
    """
    high_load = config.high_load
    task = json.dumps([high_load.rules, high_load.sustained, high_load.horizons, step])
    digest = hashlib.sha256(task.encode()).hexdigest()[:16]
    database = database_path(config.database_url)
    parent = default_state_directory(os.environ) if database is None else database.parent
    return ModelDirectory(parent / "fleet-models" / digest)


class ModelDirectory:
    """Directory with the pooled model, a file per own model, and a file that changes with each of them.

    All files are replaced atomically. A file that cannot be read is logged and treated as missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def version(self) -> int:
        """Number that changes with each saved model; 0 for a directory without models."""
        return _modified(self._path / "version")

    def save_pooled(self, blob: bytes) -> None:
        """Save a serialized pooled model (`dumps_pretrained`).

        Raises:
            OSError: the file cannot be written.
        """
        self._save(self._path / "pooled.npz", blob)

    def save_own(self, host: str, blob: bytes) -> None:
        """Save the serialized own model of a host (`dumps_own`).

        Raises:
            OSError: the file cannot be written.
        """
        self._save(self._own_path(host), blob)

    def remove_own(self, host: str) -> None:
        """Delete the own model of a host; do nothing without one.

        Raises:
            OSError: the file cannot be deleted.
        """
        path = self._own_path(host)
        if path.exists():
            path.unlink()
            self._save(self._path / "version", b"")

    def own_version(self, host: str) -> int:
        """Return a number that changes with the own model of a host; 0 without one."""
        return _modified(self._own_path(host))

    def pooled_version(self) -> int:
        """Return a number that changes with the pooled model; 0 without one."""
        return _modified(self._path / "pooled.npz")

    def pooled_bytes(self) -> bytes | None:
        """Return the serialized pooled model; None without a usable one."""
        blob = _read(self._path / "pooled.npz")
        return None if blob is None or self.pooled() is None else blob

    def pooled(self) -> PretrainedModel | None:
        """Return the pooled model; None without a usable one."""
        path = self._path / "pooled.npz"
        blob = _read(path)
        try:
            return None if blob is None else loads_pretrained(blob)
        except SerializationError as error:
            log.error("fleet model unusable", path=path, error=error)
            return None

    def own(self, host: str, predictor: Predictor) -> OwnModel | None:
        """Return the own model of a host; None without a usable one.

        Args:
            host: value of the host label.
            predictor: shared predictor, whose features and horizons the model must have.
        """
        path = self._own_path(host)
        blob = _read(path)
        try:
            model = None if blob is None else loads_own(blob)
        except SerializationError as error:
            log.error("fleet model unusable", path=path, error=error)
            return None
        if model is None or model.fits(len(predictor.spec.names), len(predictor.horizons)):
            return model
        log.error("fleet model unusable", path=path, error="it has other features or horizons")
        return None

    def _own_path(self, host: str) -> Path:
        # A label may contain any character.
        name = hashlib.sha256(host.encode()).hexdigest()[:32]
        return self._path / "own" / f"{name}.npz"

    def _save(self, path: Path, blob: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for target, content in ((path, blob), (self._path / "version", b"")):
            with open_replacement(target) as file:
                file.write(content)


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        log.error("fleet model unusable", path=path, error=error)
        return None
