"""Write buffer: order, batches, outages and refused values."""

import pytest

from monitor.sampling.write_buffer import MAX_DELAY, STALL_SECONDS, WriteBuffer
from storage import Prediction, Sample, StorageError, StorageErrorKind

pytestmark = pytest.mark.unit

FULL = StorageError("disk full", StorageErrorKind.DISK_FULL)


class FakeCycles:
    """Cycle repository that records transactions, stores samples `late` seconds late, or raises `error`.

    With `room`, a transaction of more samples fails. Predictions with a negative probability are refused.
    """

    def __init__(self):
        self.error = None
        self.late = 0.0
        self.room = 10**6
        self.commits = []
        self.attempts = 0

    def append(self, samples, predictions, *, repeated=False):
        self.attempts += 1
        if self.error is not None or len(samples) > self.room:
            raise self.error or FULL
        if any(prediction.probability < 0 for prediction in predictions):
            raise StorageError("constraint", StorageErrorKind.OTHER)
        self.commits.append(([sample.at for sample in samples], [prediction.at for prediction in predictions]))
        return [sample.at + self.late for sample in samples]

    @property
    def stored(self):
        return [at for samples, _ in self.commits for at in samples]

    @property
    def predicted(self):
        return [predictions for _, predictions in self.commits if predictions]


@pytest.fixture
def cycles():
    return FakeCycles()


@pytest.fixture
def make_buffer(cycles, clock):
    return lambda **options: WriteBuffer(cycles, monotonic=clock, **options)


def prediction_at(at, probability=0.5):
    return Prediction(at, 300.0, 1, probability, 0.1, 0.9)


def run_cycle(buffer, at, probability=0.5):
    buffer.add(Sample(at))
    buffer.add_predictions([prediction_at(at, probability)])
    buffer.write()


def test_buffer_stores_a_sample_and_its_prediction_in_one_transaction(make_buffer, cycles):
    buffer = make_buffer()
    run_cycle(buffer, 5.0)
    assert cycles.commits == [([5.0], [5.0])]
    assert (buffer.state().samples_buffered, buffer.state().problem) == (0, None)


def test_buffer_stores_samples_without_predictions(make_buffer, cycles):
    buffer = make_buffer()
    buffer.add(Sample(4.0))
    buffer.write()
    run_cycle(buffer, 5.0)
    assert cycles.commits == [([4.0], []), ([5.0], [5.0])]


def test_buffer_moves_waiting_predictions_with_their_sample(make_buffer, cycles):
    buffer = make_buffer()
    cycles.late = 0.001
    append = cycles.append

    def predict_meanwhile(samples, predictions, **_):
        buffer.add_predictions([prediction_at(5.0)])
        cycles.append = append
        return append(samples, predictions)

    cycles.append = predict_meanwhile
    buffer.add(Sample(5.0))
    buffer.write()
    assert cycles.commits == [([5.0], []), ([], [5.001])]


def test_buffer_keeps_samples_during_an_outage_and_stores_them_oldest_first(make_buffer, cycles, clock, caplog):
    buffer = make_buffer()
    run_cycle(buffer, 0.0)
    cycles.error = FULL
    for at in (5.0, 10.0, 15.0):
        clock.now = at
        run_cycle(buffer, at)
    state = buffer.state()
    assert (state.samples_buffered, state.problem, state.message) == (3, StorageErrorKind.DISK_FULL, "disk full")
    assert state.write_failures >= 2
    cycles.error = None
    clock.now += MAX_DELAY
    run_cycle(buffer, 20.0)
    assert cycles.stored == [0, 5, 10, 15, 20]
    assert (buffer.state().samples_buffered, buffer.state().problem) == (0, None)
    events = [record.message for record in caplog.records]
    assert events.count("storage write failed") == 1


def test_buffer_waits_between_attempts_for_at_most_the_longest_delay(make_buffer, cycles, clock):
    buffer = make_buffer()
    cycles.error = FULL
    for second in range(60):
        clock.now = float(second)
        run_cycle(buffer, float(second))
    assert 60 / MAX_DELAY <= cycles.attempts <= 20
    attempts = cycles.attempts
    clock.now += MAX_DELAY
    buffer.write()
    assert cycles.attempts == attempts + 1


def test_buffer_uses_smaller_transactions_on_a_nearly_full_disk(make_buffer, cycles, clock):
    buffer = make_buffer()
    cycles.error = FULL
    for at in range(1000):
        buffer.add(Sample(float(at)))
    buffer.write()
    cycles.error = None
    cycles.room = 10
    clock.now += MAX_DELAY
    buffer.write()
    assert cycles.stored == list(range(1000))
    assert max(len(samples) for samples, _ in cycles.commits) <= 10


def test_buffer_counts_dropped_samples(make_buffer, cycles, caplog):
    buffer = make_buffer(capacity=2)
    cycles.error = FULL
    for at in (1.0, 2.0, 3.0, 4.0):
        run_cycle(buffer, at)
    assert (buffer.state().samples_dropped, buffer.state().samples_buffered) == (2, 2)
    cycles.error = None
    buffer.retry_at = 0.0
    buffer.write()
    assert cycles.stored == [3.0, 4.0]
    assert [record.message for record in caplog.records].count("samples dropped") == 1


def test_buffer_discards_only_predictions_that_the_database_refuses(make_buffer, cycles):
    buffer = make_buffer()
    for at, probability in ((0.0, 0.5), (5.0, -1.0), (10.0, 0.5)):
        run_cycle(buffer, at, probability)
    assert cycles.commits == [([0.0], [0.0]), ([5.0], []), ([10.0], [10.0])]
    assert (buffer.state().write_failures, buffer.state().problem) == (1, None)


@pytest.mark.parametrize("error", [FULL, StorageError("no such table"), TypeError("unexpected")])
def test_buffer_keeps_samples_whatever_the_error(make_buffer, cycles, clock, error):
    buffer = make_buffer()
    cycles.error = error
    run_cycle(buffer, 0.0)
    assert buffer.state().samples_buffered == 1
    cycles.error = None
    clock.now += MAX_DELAY
    buffer.write()
    assert cycles.commits == [([0.0], [0.0])]


def test_buffer_states_that_the_database_does_not_respond(cycles, make_buffer, clock):
    states = []

    def append(samples, predictions, **_):
        buffer.add(Sample(2.0))
        buffer.add(Sample(3.0))
        states.append(buffer.state())
        clock.now += STALL_SECONDS
        states.append(buffer.state())
        cycles.append = lambda samples, predictions, **_: [sample.at for sample in samples]
        return [sample.at for sample in samples]

    cycles.append = append
    buffer = make_buffer()
    run_cycle(buffer, 1.0)
    assert [state.problem for state in states] == [None, StorageErrorKind.NO_RESPONSE]
    assert (states[1].samples_buffered, buffer.state().samples_buffered) == (3, 0)


def test_waiting_samples_are_written_to_another_repository_at_once(cycles, clock):
    buffer = WriteBuffer(cycles, monotonic=clock)
    cycles.error = FULL
    buffer.add(Sample(1.0))
    buffer.write()
    other = FakeCycles()
    buffer.use(other)
    buffer.add(Sample(2.0))
    assert buffer.write() == 2.0
    assert (other.stored, cycles.stored) == ([1.0, 2.0], [])
