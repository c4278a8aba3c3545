"""Report of the metrics outside their training range: log and registry."""

from __future__ import annotations

from monitor.system.logging import get_logger
from storage import ModelRegistry, StorageError

log = get_logger(__name__)


class OutOfRangeReport:
    """Metrics outside the training range of the serving model, logged and stored when they change."""

    def __init__(self, registry: ModelRegistry) -> None:
        self._registry = registry
        self._logged: tuple[str, ...] = ()

    def log(self, model_id: int, metrics: tuple[str, ...]) -> None:
        """Log the metrics, unless they are the same as in the last call."""
        if metrics == self._logged:
            return
        self._logged = metrics
        if metrics:
            log.warning("inputs out of range", model=model_id, metrics=", ".join(metrics))
        else:
            log.info("inputs in range", model=model_id)

    def store(self, model_id: int, metrics: tuple[str, ...], stored: tuple[str, ...]) -> None:
        """Store the metrics for `monitor status` if the stored ones differ; the next call retries a failure.

        Args:
            model_id: ID of the serving model.
            metrics: metrics outside their training range.
            stored: the stored ones, read in each cycle, because every activation in the registry deletes them.
        """
        if metrics == stored:
            return
        try:
            self._registry.set_inputs_out_of_range(model_id, metrics)
        except StorageError as error:
            log.debug("inputs out of range write failed", error=error)
