"""Serving model: follows the registry, survives damage and a clock that was set back."""

from dataclasses import replace

import numpy as np
import pytest

from model.features.labels import Rules
from model.features.scaling import Scaler
from model.forecast.blend import EMPTY_LOAD_TABLE
from model.forecast.ensemble import Ensemble
from model.forecast.online import FallbackBaseline, FallbackDecision, OnlineEngine
from model.forecast.online.input_ranges import InputRangeMonitor
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model, dumps
from model.nn.network import mlp
from monitor.inference import served_model
from monitor.inference.forecast import forecast_from_storage
from monitor.inference.quarantine import QuarantineReason
from monitor.inference.registry_follower import RegistryFollower
from storage import SAMPLE_FIELDS, Sample, StorageError, StorageErrorKind

pytestmark = pytest.mark.unit

STEP = 60.0
RULES = Rules(((("cpu_usage", 0.8),),), 0.0)
NOW = 1_700_000_000.0


class ServedModel(served_model.ServedModel):
    """Serving model that follows the registry before each sample."""

    def __init__(self, stores, rules, step):
        super().__init__(rules, step)
        self._follower = RegistryFollower(stores, self)

    def follow(self, until):
        self._follower.follow(until)

    def advance(self, sample):
        self.follow(sample.at - 0.0005)
        return super().advance(sample)


def make_blob(horizons=(300.0, 900.0)):
    return dumps(bootstrap_predictor(bundled_pretrained_model(), SAMPLE_FIELDS, RULES, horizons, STEP, 0.8))


class FakeStores:
    """Registry of blobs by id, and samples; `broken` lets reads of samples and writes fail."""

    def __init__(self, **blobs):
        self.blobs = {int(name[1:]): blob for name, blob in blobs.items()}
        self.active = max(self.blobs, default=None)
        self.broken = False
        self.reads = 0
        self.stored = []
        self.out_of_range = ()
        self.writes = []
        self.quarantined = []
        self.registry = self
        self.samples = self

    def active_id(self):
        return self.active

    def serving(self):
        return self.active, self.out_of_range

    def blob(self, model_id):
        blob = self.blobs[model_id]
        if isinstance(blob, Exception):
            raise blob
        return blob

    def record(self, model_id):
        return None

    def fallback_ids(self):
        return sorted((other for other in self.blobs if other < (self.active or 0)), reverse=True)

    def quarantine(self, failed):
        if self.broken:
            raise StorageError("disk full")
        self.quarantined.append((failed.model_id, failed.reason))
        if failed.model_id == self.active:
            self.active = next(iter(self.fallback_ids()), None)

    def activate(self, model_id):
        self.active = model_id
        self.out_of_range = ()

    def set_inputs_out_of_range(self, model_id, metrics):
        if self.broken:
            raise StorageError("disk full")
        self.out_of_range = metrics
        self.writes.append((model_id, metrics))

    def refuse_write(self, _):
        raise StorageError("disk full")

    def between(self, start, until, columns):
        if self.broken:
            raise StorageError("disk error")
        self.reads += 1
        rows = [[s.at, *(getattr(s, name) for name in columns)] for s in self.stored if start < s.at <= until]
        return np.array(rows, dtype=float).reshape(-1, 1 + len(columns))


def feed(served, count=1, at=NOW, cpu=0.3):
    for i in range(count):
        served.advance(Sample(at + i * STEP, cpu_usage=cpu))


def test_without_a_model_only_the_load_state_is_known():
    served = ServedModel(FakeStores(), RULES, STEP)
    assert served.high_load is None
    feed(served, cpu=0.9)
    assert served.high_load is True
    assert served.forecast() is None
    assert (served.model_id, served.serving, served.load_failed, served.fallback_active) == (
        None,
        None,
        False,
        False,
    )


def test_model_is_loaded_with_the_first_sample_and_replaced_by_a_promotion():
    stores = FakeStores(m1=make_blob(), m2=make_blob((600.0,)))
    stores.active = 1
    served = ServedModel(stores, RULES, STEP)
    feed(served)
    assert served.model_id == 1
    assert [p.horizon for p in served.forecast().predictions] == [300.0, 900.0]
    stores.active = 2
    feed(served, at=NOW + STEP)
    assert served.model_id == 2
    assert [p.horizon for p in served.forecast().predictions] == [600.0]


def test_history_is_read_once_per_model():
    stores = FakeStores(m1=make_blob(), m2=make_blob())
    stores.active = 1
    served = ServedModel(stores, RULES, STEP)
    feed(served, 5)
    reads = stores.reads
    assert reads > 0
    stores.active = 2
    feed(served, 5, at=NOW + 5 * STEP)
    assert (served.model_id, stores.reads) == (2, 2 * reads)


def test_damaged_model_is_replaced_by_the_model_before_it():
    stores = FakeStores(m1=make_blob(), m2=b"garbage")
    served = ServedModel(stores, RULES, STEP)
    feed(served, 2)
    assert served.model_id == 1
    assert served.load_failed
    assert stores.quarantined == [(2, QuarantineReason.UNREADABLE)]
    stores.blobs[3] = make_blob()
    stores.activate(3)
    feed(served, at=NOW + 2 * STEP)
    assert (served.model_id, served.load_failed) == (3, False)


def test_model_that_cannot_be_read_now_is_read_later():
    stores = FakeStores(m1=make_blob(), m2=StorageError("locked", StorageErrorKind.BUSY))
    stores.active = 1
    served = ServedModel(stores, RULES, STEP)
    feed(served)
    stores.activate(2)
    feed(served, at=NOW + STEP)
    assert (served.model_id, stores.quarantined) == (1, [])
    assert served.forecast() is not None
    stores.blobs[2] = make_blob()
    feed(served, at=NOW + 2 * STEP)
    assert served.model_id == 2


def fail_with(monkeypatch, stage, result):
    """Let the stage of the forecast return a value, or raise an exception."""

    def fail(*_, **__):
        if isinstance(result, BaseException):
            raise result
        return result

    monkeypatch.setattr(*stage, fail)


@pytest.mark.parametrize(
    ("stage", "result"),
    [
        ((OnlineEngine, "model_probabilities"), ZeroDivisionError("float division by zero")),
        ((OnlineEngine, "model_probabilities"), np.full((1, 1, 2), np.nan)),
        ((OnlineEngine, "model_probabilities"), np.full((1, 1, 2), 1.5)),
        ((InputRangeMonitor, "extend"), TypeError("unsupported operand")),
    ],
)
@pytest.mark.parametrize("broken", [False, True])
def test_model_that_fails_while_it_serves_is_quarantined(monkeypatch, stage, result, broken):
    stores = FakeStores(m1=make_blob(), m2=make_blob())
    served = ServedModel(stores, RULES, STEP)
    feed(served)
    assert served.forecast() is not None
    stores.quarantine = stores.refuse_write if broken else stores.quarantine
    with monkeypatch.context() as patch:
        fail_with(patch, stage, result)
        feed(served, at=NOW + STEP)
        assert served.forecast() is None
    assert (served.model_id, served.high_load, served.load_failed) == (None, False, True)
    feed(served, at=NOW + 2 * STEP)
    assert served.forecast().predictions[0].model_id == 1
    assert served.load_failed
    assert stores.quarantined == ([] if broken else [(2, QuarantineReason.FAILED)])
    reads = stores.reads
    feed(served, at=NOW + 3 * STEP)
    assert (served.model_id, stores.reads) == (1, reads), "nothing is loaded again"


def test_model_whose_engine_cannot_be_built_is_quarantined(monkeypatch):
    stores = FakeStores(m1=make_blob(), m2=make_blob())
    served = ServedModel(stores, RULES, STEP)
    with monkeypatch.context() as patch:
        fail_with(patch, ("monitor.inference.registry_follower.warm_up",), ZeroDivisionError())
        feed(served)
    assert stores.quarantined == [(2, QuarantineReason.FAILED)]
    feed(served, at=NOW + STEP)
    assert served.model_id == 1


def test_model_whose_attributions_fail_is_quarantined_at_the_next_sample(monkeypatch):
    stores = FakeStores(m1=make_blob(), m2=make_blob())
    served = ServedModel(stores, RULES, STEP)
    feed(served)
    fail_with(monkeypatch, ("monitor.inference.forecast.contributions",), [{"level": np.nan}])
    assert served.forecast().contributions == [{}, {}]
    feed(served, at=NOW + STEP)
    assert served.forecast() is None
    feed(served, at=NOW + 2 * STEP)
    assert stores.active == 1


def test_missing_memory_is_no_failure_of_the_model(monkeypatch):
    stores = FakeStores(m1=make_blob())
    served = ServedModel(stores, RULES, STEP)
    feed(served)
    fail_with(monkeypatch, (OnlineEngine, "model_probabilities"), MemoryError())
    with pytest.raises(MemoryError):
        served.forecast()
    assert (served.model_id, stores.quarantined) == (1, [])


def test_failing_storage_delays_the_history():
    stores = FakeStores(m1=make_blob())
    stores.broken = True
    served = ServedModel(stores, RULES, STEP)
    feed(served, 3)
    assert served.forecast() is not None
    stores.broken = False
    feed(served, at=NOW + 3 * STEP)
    assert stores.reads > 0
    assert served.forecast().predictions[0].at == NOW + 3 * STEP


@pytest.mark.parametrize("broken", [False, True])
def test_clock_set_back_starts_a_new_history(broken):
    stores = FakeStores(m1=make_blob())
    served = ServedModel(stores, RULES, STEP)
    feed(served, 5)
    stores.broken = broken
    feed(served, at=NOW - 1000)
    assert served.forecast().predictions[0].at == NOW - 1000


def test_decisions_apply_to_their_model_only():
    served = ServedModel(FakeStores(m1=make_blob()), RULES, STEP)
    feed(served)
    before = served.forecast()
    baseline = FallbackBaseline("current value", EMPTY_LOAD_TABLE)
    decisions = (FallbackDecision(calm=baseline), FallbackDecision())
    served.set_decisions(2, decisions)
    assert served.forecast() == before
    assert not served.fallback_active
    served.set_decisions(1, decisions)
    assert [serving.predictor for serving in served.forecast().serving] == ["current value", "pretrained model"]
    assert served.fallback_active


def with_training_range(high):
    """Blob of a model whose only input is the CPU usage, with a training range up to `high`."""
    predictor = bootstrap_predictor(bundled_pretrained_model(), SAMPLE_FIELDS, RULES, (300.0, 900.0), STEP, 0.8)
    spec = replace(predictor.spec, inputs=("cpu_usage",))
    zeros = np.zeros(len(spec.names), np.float32)
    low, upper = (np.where(spec.is_metric, end, other).astype(np.float32) for end, other in ((0, -10), (high, 10)))
    scaler = Scaler(zeros, zeros + np.float32(0.001), low, upper)
    network = mlp((len(spec.names), 4, 2), np.random.default_rng(0))
    return dumps(replace(predictor, spec=spec, ensemble=Ensemble(scaler, (network,), (np.arange(len(zeros)),))))


def test_metrics_outside_their_training_range_are_logged_when_they_change(caplog):
    served = ServedModel(FakeStores(m1=with_training_range(0.5)), RULES, STEP)
    with caplog.at_level("INFO", logger="monitor.inference.served_model"):
        for i, cpu in enumerate([0.3] * 2 + [0.99] * 5 + [0.3] * 5):
            feed(served, at=NOW + i * STEP, cpu=cpu)
            served.forecast()
    events = [record.getMessage() for record in caplog.records]
    assert events.count("inputs out of range") == events.count("inputs in range") == 1
    assert caplog.records[events.index("inputs out of range")].fields["metrics"] == "cpu_usage"


def record(served, stores, cpus, start=0):
    """Store and serve one sample per CPU usage; return the last forecast."""
    for i, cpu in enumerate(cpus, start):
        sample = Sample(NOW + i * STEP, cpu_usage=cpu)
        stores.stored.append(sample)
        served.advance(sample)
        forecast = served.forecast()
    served.follow(sample.at)
    return forecast


def test_metrics_outside_their_training_range_are_stored_when_they_change():
    stores = FakeStores(m1=with_training_range(0.5))
    served = ServedModel(stores, RULES, STEP)
    record(served, stores, [0.3] * 2)
    stores.broken = True
    record(served, stores, [0.99] * 3, start=2)
    assert stores.writes == []
    stores.broken = False
    record(served, stores, [0.99] * 4 + [0.3] * 4, start=5)
    assert stores.writes == [(1, ("cpu_usage",)), (1, ())]


def test_metrics_outside_their_training_range_are_stored_again_after_every_activation():
    stores = FakeStores(m1=with_training_range(0.5), m2=with_training_range(0.5))
    served = ServedModel(stores, RULES, STEP)
    record(served, stores, [0.99] * 4)
    stores.activate(1)
    stores.activate(2)
    assert stores.out_of_range == ()
    record(served, stores, [0.99], start=4)
    assert (served.model_id, stores.out_of_range) == (2, ("cpu_usage",))
    stores.activate(1)
    record(served, stores, [0.99], start=5)
    assert stores.writes == [(2, ("cpu_usage",)), (2, ("cpu_usage",)), (1, ("cpu_usage",))]


def test_metrics_outside_their_training_range_are_not_stored_while_the_registry_names_a_damaged_model():
    stores = FakeStores(m1=with_training_range(0.5), m2=b"garbage")
    stores.quarantine = stores.refuse_write
    served = ServedModel(stores, RULES, STEP)
    assert record(served, stores, [0.99] * 4).inputs_out_of_range == ("cpu_usage",)
    assert (served.model_id, stores.active, stores.writes) == (1, 2, [])


@pytest.mark.parametrize(("first", "second", "expected"), [(0.5, 1.5, ()), (1.5, 0.5, ("cpu_usage",))])
def test_new_model_has_the_metrics_outside_its_range_that_the_stored_samples_determine(first, second, expected):
    stores = FakeStores(m1=with_training_range(first), m2=with_training_range(second))
    stores.activate(1)
    served = ServedModel(stores, RULES, STEP)
    before = record(served, stores, [0.99] * 5)
    stores.activate(2)
    forecast = record(served, stores, [0.99], start=5)
    assert before.inputs_out_of_range != expected
    assert forecast.inputs_out_of_range == expected
    stored = forecast_from_storage(stores, NOW + 5 * STEP, STEP)
    assert (stored.inputs_out_of_range, stored.serving) == (expected, forecast.serving)
    assert [p.probability for p in stored.predictions] == [p.probability for p in forecast.predictions]


def test_no_prediction_while_no_metric_of_the_rules_has_a_value():
    served = ServedModel(FakeStores(m1=make_blob()), RULES, STEP)
    feed(served, count=3)
    assert served.forecast() is not None
    served.advance(Sample(NOW + 3 * STEP, cpu_usage=None, load_per_cpu=0.2))
    assert served.forecast() is None
    assert served.high_load is None
    feed(served, at=NOW + 4 * STEP)
    assert served.forecast() is not None
    assert served.high_load is False


def seconds(first, count, cpu=0.3):
    return [Sample(first + i, cpu_usage=cpu + 0.01 * (i % 7)) for i in range(count)]


def serving_each_second():
    stores = FakeStores(m1=make_blob())
    served = ServedModel(stores, RULES, 1.0)
    return stores, served


def test_forecast_is_due_once_per_sixtieth_of_the_shortest_horizon():
    _, served = serving_each_second()
    due = [sample.at for sample in seconds(NOW, 16) if served.advance(sample)]
    assert due == [NOW, NOW + 5, NOW + 10, NOW + 15]
    assert served.forecast().predictions[0].at == NOW + 15


def test_forecast_equals_that_of_a_model_which_predicts_at_every_sample():
    _, served = serving_each_second()
    stores = FakeStores(m1=make_blob())
    stores.stored = seconds(NOW, 40)
    for sample in seconds(NOW, 41):
        served.advance(sample)
    every = ServedModel(stores, RULES, 1.0)
    every.advance(seconds(NOW, 41)[-1])
    assert served.forecast() == every.forecast()


def test_new_model_serves_from_the_next_sample_on_without_losing_waiting_samples():
    stores, served = serving_each_second()
    samples = seconds(NOW, 44)
    for sample in samples[:43]:
        served.advance(sample)
    stores.blobs[2] = make_blob((600.0,))
    stores.active = 2
    stores.stored = samples[:42]
    assert served.advance(samples[43])
    every = ServedModel(stores, RULES, 1.0)
    stores.stored = samples[:43]
    every.advance(samples[43])
    assert served.model_id == 2
    assert served.forecast() == every.forecast()


def test_forecast_is_due_before_and_after_a_sample_without_rule_metric():
    _, served = serving_each_second()
    served.advance(Sample(NOW, cpu_usage=0.3))
    assert not served.advance(Sample(NOW + 1, cpu_usage=0.3))
    assert served.advance(Sample(NOW + 2, memory_usage=0.3))
    assert served.forecast() is None
    assert served.advance(Sample(NOW + 3, cpu_usage=0.3))
    assert served.forecast().predictions[0].at == NOW + 3


def test_forecast_is_due_after_the_clock_was_set_back():
    _, served = serving_each_second()
    for sample in seconds(NOW, 5):
        served.advance(sample)
    assert served.advance(Sample(NOW + 2, cpu_usage=0.3))
    assert served.needs_history
    assert served.forecast().predictions[0].at == NOW + 2


def test_model_that_fails_at_its_installation_leaves_the_recent_samples_in_order(monkeypatch):
    stores, served = serving_each_second()
    for sample in seconds(NOW, 43):
        served.advance(sample)
    extend = InputRangeMonitor.extend

    def fail_for_model_2(ranges, *samples):
        if served.model_id == 2:
            raise TypeError("unsupported operand")
        return extend(ranges, *samples)

    monkeypatch.setattr(InputRangeMonitor, "extend", fail_for_model_2)
    stores.blobs[2] = make_blob()
    stores.active = 2
    for sample in seconds(NOW, 45)[43:]:
        served.advance(sample)
    assert (served.model_id, stores.quarantined) == (1, [(2, QuarantineReason.FAILED)])
    assert served.forecast().predictions[0].at == NOW + 44
