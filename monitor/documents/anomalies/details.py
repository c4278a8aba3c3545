"""Anomaly details documents: expected values, curves, similar events, processes."""

from __future__ import annotations

from dataclasses import dataclass

from model.array_types import Floats
from monitor.documents.anomalies.events import AnomalyDocument, anomaly_document
from monitor.documents.anomalies.processes import ProcessSnapshotDocument, process_snapshot_document
from monitor.queries.event_context import AnomalyDetails, Expectation, MetricValue, MissingExpectation
from monitor.queries.similar_events import SimilarEvent
from storage import ProcessSnapshot, Verdict

CURVES = 4
"""Largest number of metrics with curves: those with the largest contributions."""

SIGNIFICANT_DIGITS = 6
"""Significant digits of the values; a band is not known more precisely."""

Curve = tuple[float | None, ...]
"""One value per row; None where it is unknown."""


@dataclass(frozen=True)
class MetricValueDocument:
    """Actual and expected value of one metric in the row of an event that deviates most from its forecast.

    Attributes:
        metric: name of the metric.
        contribution: contribution to the anomaly score at the peak of the event.
        at: start of the row in seconds since the epoch; None, like the values, if the samples or a forecast are
            missing.
        actual: mean value of the row, in the unit of the metric.
        expected: forecast of the detector from the rows before.
        lower: lower end of the band that about 99 of 100 normal rows lie in.
        upper: upper end of this band.
        usual: mean at this time of day in the training data; None for a detector of an older release.
    """

    metric: str
    contribution: float
    at: float | None
    actual: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    usual: float | None


@dataclass(frozen=True)
class ExpectationDocument:
    """Source of the expected values.

    Attributes:
        model_id: ID of the model whose detector computed the forecasts; None without expected values.
        detected: True if this detector reported the event; False if it is that of the active model, or if the event
            was found in a replay, whose detector is not stored.
        missing: reason why there are no expected values: no_detector or no_samples; None if there are.
        message: the reason in words; empty if there are expected values.
    """

    model_id: int | None
    detected: bool
    missing: MissingExpectation | None
    message: str


@dataclass(frozen=True)
class MetricCurveDocument:
    """Actual and expected values of one metric around an event, one value per row; None where unknown.

    Attributes:
        metric: name of the metric.
        actual: mean values.
        expected: forecasts from the rows before.
        lower: lower ends of the band.
        upper: upper ends of the band.
    """

    metric: str
    actual: Curve
    expected: Curve
    lower: Curve
    upper: Curve


@dataclass(frozen=True)
class CurvesDocument:
    """Rows from two hours before an event until two hours after it, of the metrics with the largest contributions.

    Attributes:
        step: row interval in seconds; rows without samples are left out.
        at: starts of the rows in seconds since the epoch.
        metrics: curves by metric, largest contribution first; at most four.
    """

    step: float
    at: tuple[float, ...]
    metrics: tuple[MetricCurveDocument, ...]


@dataclass(frozen=True)
class SimilarEventDocument:
    """Earlier event with similar contributions.

    Attributes:
        id: ID of the event.
        started_at: seconds since the epoch.
        channel: kind of evidence that started the event.
        similarity: cosine similarity of the contributions, 0.8 to 1.
        verdict: the operator's verdict; None if there is none.
        note: the operator's note; None if there is none.
    """

    id: int
    started_at: float
    channel: str
    similarity: float
    verdict: Verdict | None
    note: str | None


@dataclass(frozen=True)
class AnomalyDetailsDocument(AnomalyDocument):
    """One anomaly event with its context; result of `monitor anomalies show` and /api/v1/anomalies/ID.

    Attributes:
        values: actual and expected value of each metric, largest contribution first.
        expectation: source of the expected values.
        curves: values of the rows around the event; None if there are no expected values.
        similar: similar earlier events, most similar first; at most five.
        processes: processes when the event began; None if they were not recorded, as for a replayed event.
    """

    values: tuple[MetricValueDocument, ...]
    expectation: ExpectationDocument
    curves: CurvesDocument | None
    similar: tuple[SimilarEventDocument, ...]
    processes: ProcessSnapshotDocument | None


def anomaly_details_document(details: AnomalyDetails) -> AnomalyDetailsDocument:
    """Convert an event with its context to its JSON document."""
    expectation = details.expectation
    return AnomalyDetailsDocument(
        **vars(anomaly_document(details.event)),
        values=tuple(map(_value_document, details.values)),
        expectation=ExpectationDocument(
            model_id=None if expectation is None else expectation.model_id,
            detected=expectation is not None and expectation.detected,
            missing=details.missing,
            message="" if details.missing is None else details.missing.message,
        ),
        curves=None if expectation is None else _curves(expectation, tuple(details.event.contributions)),
        similar=tuple(map(_similar_document, details.similar)),
        processes=_processes(details.processes),
    )


def _processes(snapshot: ProcessSnapshot | None) -> ProcessSnapshotDocument | None:
    return None if snapshot is None else process_snapshot_document(snapshot, snapshot.at)


def _value_document(value: MetricValue) -> MetricValueDocument:
    return MetricValueDocument(
        metric=value.metric,
        contribution=value.contribution,
        at=value.at,
        actual=_rounded(value.actual),
        expected=_rounded(value.expected),
        lower=_rounded(value.lower),
        upper=_rounded(value.upper),
        usual=_rounded(value.usual),
    )


def _similar_document(similar: SimilarEvent) -> SimilarEventDocument:
    event = similar.event
    return SimilarEventDocument(
        id=event.id,
        started_at=event.started_at,
        channel=event.channel,
        similarity=round(similar.similarity, 3),
        verdict=event.verdict,
        note=event.note,
    )


def _curves(expectation: Expectation, ranked: tuple[str, ...]) -> CurvesDocument:
    """Return the curves of the first CURVES monitored metrics of `ranked`, which is in order of contribution."""
    values = expectation.values
    columns = {metric: expectation.metrics.index(metric) for metric in ranked if metric in expectation.metrics}
    return CurvesDocument(
        step=expectation.step,
        at=tuple(values.times.tolist()),
        metrics=tuple(
            MetricCurveDocument(
                metric=metric,
                actual=_curve(values.actual[:, column]),
                expected=_curve(values.expected[:, column]),
                lower=_curve(values.lower[:, column]),
                upper=_curve(values.upper[:, column]),
            )
            for metric, column in list(columns.items())[:CURVES]
        ),
    )


def _curve(values: Floats) -> Curve:
    # A comparison with itself finds NaN without NumPy.
    return tuple(_rounded(value) if value == value else None for value in values.tolist())  # noqa: PLR0124


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{SIGNIFICANT_DIGITS}g}")
