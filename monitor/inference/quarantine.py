"""Model quarantine: models that failed while they served, in this process and in the registry."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

from model.errors import SerializationError
from monitor.system.logging import get_logger
from storage import ModelPart, ModelRegistry, QuarantinedModel, StorageError, StorageErrorKind

log = get_logger(__name__)

MAX_DETAIL = 300
"""Largest number of characters of a stored detail."""

RETRY_SECONDS = 10.0
"""Seconds between two attempts to store a failure while the database cannot be written."""


class QuarantineReason(StrEnum):
    """Reason why a model does not serve."""

    UNREADABLE = "unreadable"
    """Its bytes are damaged, have an unsupported format, or fail the validation."""

    FAILED = "failed"
    """It raised an exception, or returned a number that is not finite or no probability."""


class ModelQuarantine:
    """Failed models of one part: predictors or detectors. Not thread-safe.

    A failure is recorded in the registry, so that a restarted daemon does not use the model either. This object
    remembers it while the database cannot be written.
    """

    def __init__(
        self,
        registry: ModelRegistry,
        part: ModelPart,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Initialize without failures of this process.

        Args:
            registry: model registry.
            part: part of the models that this object quarantines.
            clock: returns the current time in seconds since the epoch.
            monotonic: returns the time of a monotonic clock in seconds.
        """
        self._registry = registry
        self._part = part
        self._clock = clock
        self._monotonic = monotonic
        self._not_stored: dict[int, QuarantinedModel] = {}
        self._retry_at = 0.0

    def __contains__(self, model_id: object) -> bool:
        """Return True for a model whose failure could not be stored; the registry leaves out the others itself."""
        return model_id in self._not_stored

    def add(self, model_id: int, reason: QuarantineReason, error: BaseException) -> None:
        """Log a failure and record it in the registry, which activates the model that served before."""
        detail = f"{type(error).__name__}: {error}" if reason is QuarantineReason.FAILED else str(error)
        log.error("model quarantined", model=model_id, part=self._part, reason=reason, error=detail[:MAX_DETAIL])
        failed = QuarantinedModel(model_id, self._part, self._clock(), reason, detail[:MAX_DETAIL])
        self._not_stored[model_id] = failed
        self._retry_at = 0.0
        self.store()

    def store(self) -> None:
        """Record the failures that are not in the registry yet; do nothing if the last attempt was a moment ago."""
        if not self._not_stored or self._monotonic() < self._retry_at:
            return
        self._retry_at = self._monotonic() + RETRY_SECONDS
        for model_id, failed in list(self._not_stored.items()):
            try:
                self._registry.quarantine(failed)
            except StorageError as error:
                if error.kind is not StorageErrorKind.UNKNOWN_MODEL:
                    log.debug("quarantine write failed", model=model_id, error=error)
                    return
            del self._not_stored[model_id]


def is_damage(error: StorageError | SerializationError) -> bool:
    """Return True if a model cannot be read because it is damaged or missing, not because of the database."""
    damaged = (StorageErrorKind.MODEL_DAMAGED, StorageErrorKind.UNKNOWN_MODEL)
    return isinstance(error, SerializationError) or error.kind in damaged
