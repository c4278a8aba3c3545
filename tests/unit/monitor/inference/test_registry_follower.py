"""Registry follower: changed models, failing reads and another database."""

import pytest

from monitor.inference.registry_follower import RegistryFollower
from monitor.inference.served_model import ServedModel
from storage import Sample, StorageError

from .test_served_model import NOW, RULES, STEP, FakeStores, make_blob

pytestmark = pytest.mark.unit


@pytest.fixture
def served():
    return ServedModel(RULES, STEP)


def test_follower_hands_over_nothing_while_model_and_history_are_unchanged(served):
    stores = FakeStores(m1=make_blob())
    follower = RegistryFollower(stores, served)
    follower.follow(NOW)
    served.advance(Sample(NOW + STEP, cpu_usage=0.3))
    reads = stores.reads
    follower.follow(NOW + STEP)
    assert (served.model_id, stores.reads) == (1, reads)


def test_follower_feeds_the_samples_that_the_stored_history_lacks(served):
    stores = FakeStores(m1=make_blob())
    stores.stored = [Sample(NOW + i * STEP, cpu_usage=0.9) for i in range(3)]
    for i in range(6):
        served.advance(Sample(NOW + i * STEP, cpu_usage=0.9))
    RegistryFollower(stores, served).follow(NOW + 2 * STEP)
    served.advance(Sample(NOW + 6 * STEP, cpu_usage=0.9))
    assert served.model_id == 1
    assert served.high_load_since == NOW
    assert served.forecast().predictions[0].high_load_since == NOW


def test_follower_keeps_the_model_while_the_registry_cannot_be_read(served, caplog):
    stores = FakeStores(m1=make_blob())
    follower = RegistryFollower(stores, served)
    follower.follow(NOW)

    def fail():
        raise StorageError("disk error")

    stores.serving = fail
    follower.follow(NOW)
    served.advance(Sample(NOW + STEP, cpu_usage=0.3))
    assert served.model_id == 1
    assert [record.message for record in caplog.records].count("registry read failed") == 1


def test_follower_loads_a_model_with_the_same_id_from_another_database(served):
    stores = FakeStores(m1=make_blob())
    follower = RegistryFollower(stores, served)
    follower.follow(NOW)
    served.advance(Sample(NOW + STEP, cpu_usage=0.3))
    stores.blobs[1] = make_blob((600.0,))
    follower.reset()
    follower.follow(NOW + STEP)
    served.advance(Sample(NOW + 2 * STEP, cpu_usage=0.3))
    assert [prediction.horizon for prediction in served.forecast().predictions] == [600.0]


def test_follower_reads_the_history_again_after_the_clock_was_set_back(served):
    stores = FakeStores(m1=make_blob())
    follower = RegistryFollower(stores, served)
    follower.follow(NOW)
    for at in (NOW + STEP, NOW + 2 * STEP, NOW + STEP):
        served.advance(Sample(at, cpu_usage=0.3))
    assert served.needs_history
    reads = stores.reads
    follower.follow(NOW + STEP)
    served.advance(Sample(NOW + 2 * STEP, cpu_usage=0.3))
    assert stores.reads > reads
    assert not served.needs_history
