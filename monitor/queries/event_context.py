"""Event context: values, expected values and reasons, as read for one anomaly event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from monitor.queries.similar_events import SimilarEvent
from storage import AnomalyRecord, ProcessSnapshot

if TYPE_CHECKING:
    # Imports the detector, which most readers of these types do not need.
    from model.anomaly.expectation import ExpectedValues


class MissingExpectation(StrEnum):
    """Reason why there are no expected values for an event."""

    NO_DETECTOR = "no_detector"
    NO_SAMPLES = "no_samples"

    @property
    def message(self) -> str:
        """Explanation of the reason, for reports and the page."""
        return _MESSAGES[self]


_MESSAGES = {
    MissingExpectation.NO_DETECTOR: "no stored model has a detector that can forecast this time",
    MissingExpectation.NO_SAMPLES: "the samples of this time are no longer stored (storage.retention, monitor purge)",
}


@dataclass(frozen=True)
class MetricValue:
    """Actual and expected value of one metric in the row of an event that deviates most from its forecast.

    Attributes:
        metric: name of the metric.
        contribution: contribution to the anomaly score at the peak of the event.
        at: start of the row in seconds since the epoch; None if the metric has no value, or no forecast is possible.
        actual: mean value of the row.
        expected: forecast from the rows before.
        lower: lower end of the band that about 99 of 100 normal rows lie in.
        upper: upper end of this band.
        usual: mean at this time of day in the training data.
    """

    metric: str
    contribution: float
    at: float | None = None
    actual: float | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    usual: float | None = None


@dataclass(frozen=True)
class Expectation:
    """Actual and expected values of the rows around an event.

    Attributes:
        model_id: ID of the model whose detector computed the forecasts.
        detected: True if this detector reported the event; False for another one, because the detector of a replay
            is not stored and an old model may have been deleted.
        step: row interval in seconds.
        metrics: names of the metrics of the arrays in `values`.
        values: rows from two hours before the event until two hours after it.
    """

    model_id: int
    detected: bool
    step: float
    metrics: tuple[str, ...]
    values: ExpectedValues


@dataclass(frozen=True)
class AnomalyDetails:
    """One anomaly event with its context.

    Attributes:
        event: stored event.
        values: one entry per contribution of the event, largest first.
        expectation: rows around the event; None if there are none, for the reason `missing`.
        missing: reason why there are no expected values; None if there are.
        similar: similar earlier events, most similar first.
        processes: processes when the event began; None if they were not recorded.
    """

    event: AnomalyRecord
    values: tuple[MetricValue, ...]
    expectation: Expectation | None
    missing: MissingExpectation | None
    similar: tuple[SimilarEvent, ...]
    processes: ProcessSnapshot | None
