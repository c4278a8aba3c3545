"""Details of an anomaly event, from stored samples and a stored detector."""

import math
from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.online_detector import FLATLINE
from monitor.queries.anomaly_details import MARGIN, read_anomaly_details
from monitor.queries.event_context import MissingExpectation
from storage import AnomalyRecord, UnknownAnomalyError
from tests.unit.monitor.jobs.anomaly_host import (
    OVERLOAD,
    STEP,
    detector_blob,
    overloaded_samples,
    promote_model,
)

pytestmark = pytest.mark.unit

NOW = OVERLOAD + 6 * 3600.0
EVENT = AnomalyRecord(
    started_at=OVERLOAD + STEP,
    ended_at=OVERLOAD + 3600.0,
    peak=0.99,
    peak_at=OVERLOAD + 1800.0,
    channel="joint",
    contributions={"cpu_usage": 0.9, "disk_busy": 0.06, "swap_usage": 0.04},
    model_id=1,
)


@pytest.fixture
def host(stores):
    """Database with a detector, and the samples from eight hours before the overload on."""
    stores.samples.insert_missing(overloaded_samples(OVERLOAD - 8 * 3600.0, NOW))
    assert promote_model(stores, detector_blob()) == EVENT.model_id
    return stores


def details_of(stores, event=EVENT, now=NOW):
    return read_anomaly_details(stores, stores.anomalies.add(event), now)


def test_values_are_those_of_the_row_that_deviates_most(host):
    details = details_of(host)
    cpu, disk, swap = details.values
    assert (cpu.metric, cpu.contribution, cpu.at) == ("cpu_usage", 0.9, OVERLOAD)
    assert cpu.actual - cpu.expected == pytest.approx(0.5, abs=0.05)
    assert cpu.lower < cpu.expected < cpu.upper < cpu.actual
    assert cpu.usual == pytest.approx(cpu.expected, abs=0.1)
    assert disk.lower < disk.expected < disk.upper
    assert (swap.contribution, swap.at, swap.actual, swap.expected) == (0.04, None, None, None)


def test_rows_cover_two_hours_before_and_after_the_event(host):
    expectation = details_of(host).expectation
    times = expectation.values.times
    assert times[0] == EVENT.started_at - MARGIN
    assert times[-1] == EVENT.ended_at + MARGIN - STEP
    assert (np.diff(times) == STEP).all()
    assert np.isfinite(expectation.values.expected).all()
    assert (expectation.model_id, expectation.detected, expectation.step) == (EVENT.model_id, True, STEP)


def test_rows_of_an_event_in_progress_end_now(host):
    now = OVERLOAD + 1900.0
    times = details_of(host, replace(EVENT, ended_at=None), now).expectation.values.times
    assert times[-1] == now // STEP * STEP - STEP


def test_values_stay_within_the_bounds_of_their_metrics(host):
    values = details_of(host).expectation.values
    for table in (values.expected, values.lower, values.upper, values.usual):
        assert ((table >= 0) & (table <= 1)).all()


def test_values_of_a_flatline_are_those_of_the_peak(host):
    (value, *_) = details_of(host, replace(EVENT, channel=FLATLINE)).values
    assert value.at == EVENT.peak_at


def test_detector_of_the_active_model_replaces_a_deleted_one(host):
    details = details_of(host, replace(EVENT, model_id=77))
    assert (details.expectation.model_id, details.expectation.detected) == (1, False)
    assert details.values[0].actual > details.values[0].upper


def test_damaged_detector_is_replaced_by_that_of_the_active_model(host):
    damaged = host.registry.register(b"predictor", "{}", NOW, b"damaged")
    assert details_of(host, replace(EVENT, model_id=damaged)).expectation.model_id == 1


def test_detector_of_a_replay_is_not_stored(host):
    assert not details_of(host, replace(EVENT, replayed=True)).expectation.detected


def test_event_without_a_detector_has_contributions_only(stores):
    details = details_of(stores)
    assert (details.missing, details.expectation) == (MissingExpectation.NO_DETECTOR, None)
    assert [(value.metric, value.actual) for value in details.values] == [
        (name, None) for name in EVENT.contributions
    ]


def test_event_whose_samples_are_deleted_has_contributions_only(host):
    host.samples.purge_between(OVERLOAD - 3600.0, OVERLOAD + 3600.0)
    details = details_of(host)
    assert (details.missing, details.expectation) == (MissingExpectation.NO_SAMPLES, None)
    assert [value.contribution for value in details.values] == list(EVENT.contributions.values())


def test_event_after_a_gap_has_actual_values_without_expected_ones(host):
    host.samples.purge_between(-math.inf, OVERLOAD - STEP)
    details = details_of(host)
    assert details.missing is None
    assert details.values[0].expected is None
    assert np.isfinite(details.expectation.values.actual[:, 0]).all()


def test_similar_events_are_earlier_ones(host):
    event_id = host.anomalies.add(replace(EVENT, started_at=OVERLOAD - 86400.0, ended_at=OVERLOAD - 80_000.0))
    (similar,) = details_of(host).similar
    assert (similar.event.id, similar.similarity) == (event_id, pytest.approx(1))


def test_unknown_event_is_an_error(host):
    with pytest.raises(UnknownAnomalyError):
        read_anomaly_details(host, 5, NOW)
