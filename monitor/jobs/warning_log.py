"""Warning log: a log event at the start and the end of each high-load warning."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitor.inference.forecast import Forecast
from monitor.state import LiveState
from monitor.system.formatting import format_duration
from monitor.system.logging import get_logger
from storage import Prediction

log = get_logger(__name__)


class WarningLog:
    """Observer of the sampling cycles that logs the changes of the warnings. For use by one thread."""

    def __init__(self, on_start: Callable[[Sequence[Prediction]], None]) -> None:
        """Initialize the log; `on_start` is called with the predictions of a forecast with which warnings start."""
        self._on_start = on_start
        self._newest: Forecast | None = None
        self._active: frozenset[float] = frozenset()

    def observe(self, live: LiveState) -> None:
        """Log the warnings that have started or ended since the last forecast; none without a forecast."""
        forecast = live.forecast
        if forecast is None or forecast is self._newest:
            return
        started = []
        for prediction in forecast.predictions:
            if prediction.warning == (prediction.horizon in self._active):
                continue
            horizon = format_duration(prediction.horizon)
            probability = round(prediction.probability, 3)
            if prediction.warning:
                base_rate = round(prediction.baseline_probability, 3)
                log.warning("warning started", horizon=horizon, probability=probability, base_rate=base_rate)
                started.append(prediction)
            else:
                is_high = prediction.high_load_since is not None
                log.info("warning ended", horizon=horizon, probability=probability, high_load=is_high)
        self._newest = forecast
        self._active = frozenset(prediction.horizon for prediction in forecast.predictions if prediction.warning)
        if started:
            self._on_start(started)
