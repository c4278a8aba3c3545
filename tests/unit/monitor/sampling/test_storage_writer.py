"""Storage writer: wakes, preparations, repeated attempts and the end of its thread."""

import threading

import pytest

from monitor.sampling.storage_writer import StorageWriter
from monitor.sampling.write_buffer import WriteBuffer
from storage import Sample, StorageError, StorageErrorKind
from storage.recovery.events import OpeningRefusedError

pytestmark = pytest.mark.unit

LIMIT = 10
"""Seconds after which a test fails."""


class FakeCycles:
    """Cycle repository that records the stored samples, and sets `attempted`; it raises `error`, or waits."""

    def __init__(self):
        self.error = None
        self.stored = []
        self.attempted = threading.Event()
        self.proceed = threading.Event()
        self.proceed.set()

    def append(self, samples, predictions, *, repeated=False):
        self.attempted.set()
        self.proceed.wait()
        if self.error is not None:
            raise self.error
        self.stored += [sample.at for sample in samples]
        return [sample.at for sample in samples]


@pytest.fixture
def cycles():
    return FakeCycles()


@pytest.fixture
def buffer(cycles):
    return WriteBuffer(cycles)


def test_writer_survives_a_failing_preparation(buffer, caplog):
    def fail():
        raise ValueError("unexpected")

    writer = StorageWriter(buffer, 5.0, fail)
    writer.prepare()
    writer.prepare()
    assert [record.message for record in caplog.records] == ["sample preparation failed"]


def test_writer_prepares_the_first_sample_once_the_database_is_open(cycles):
    steps = []
    buffer = WriteBuffer(cycles, lambda: steps.append("open"))
    writer = StorageWriter(buffer, 5.0, lambda: steps.append("prepare"))
    writer.start()
    writer.wait_started(LIMIT)
    assert steps == ["open", "prepare"]
    assert writer.close(LIMIT)


def test_writer_calls_another_function_at_once(buffer):
    writer = StorageWriter(buffer, 3600.0)
    writer.start()
    writer.wait_started(LIMIT)
    called = threading.Event()
    writer.use(3600.0, called.set)
    assert called.wait(LIMIT)
    assert writer.close(LIMIT)


def test_writer_opens_the_database_later_if_it_is_unavailable_at_the_start(cycles):
    refusals = [StorageError("read-only", StorageErrorKind.READ_ONLY)]

    def ready():
        if refusals:
            raise refusals.pop()

    buffer = WriteBuffer(cycles, ready)
    writer = StorageWriter(buffer, 5.0)
    writer.start()
    writer.wait_started(LIMIT)
    assert buffer.state().problem is StorageErrorKind.READ_ONLY
    buffer.add(Sample(1.0))
    assert writer.close(LIMIT)
    assert (cycles.stored, buffer.state().problem) == ([1.0], None)


def test_writer_stores_after_a_wake_and_at_its_end_and_prepares_the_next_sample(buffer, cycles):
    prepared = threading.Event()
    writer = StorageWriter(buffer, 0.1, prepared.set)
    writer.start()
    buffer.add(Sample(1.0))
    writer.wake(True)
    assert cycles.attempted.wait(LIMIT)
    prepared.clear()
    assert prepared.wait(LIMIT)
    assert cycles.stored == [1.0]
    buffer.add(Sample(2.0))
    assert writer.close(LIMIT)
    assert cycles.stored == [1.0, 2.0]


def test_writer_tries_again_without_a_wake(buffer, cycles):
    cycles.error = StorageError("disk full", StorageErrorKind.DISK_FULL)
    writer = StorageWriter(buffer, 60.0)
    writer.start()
    buffer.add(Sample(1.0))
    writer.wake(True)
    assert cycles.attempted.wait(LIMIT)
    cycles.attempted.clear()
    assert cycles.attempted.wait(LIMIT)
    cycles.error = None
    assert writer.close(LIMIT)
    assert cycles.stored == [1.0]


def test_writer_accepts_samples_while_the_database_does_not_respond(buffer, cycles):
    cycles.proceed.clear()
    writer = StorageWriter(buffer, 1.0)
    writer.start()
    buffer.add(Sample(1.0))
    writer.wake(True)
    assert cycles.attempted.wait(LIMIT)
    for at in (2.0, 3.0):
        buffer.add(Sample(at))
        writer.wake(True)
    assert not writer.close(0.0)
    assert buffer.state().samples_buffered == 3
    cycles.proceed.set()
    assert writer.close(LIMIT)
    assert cycles.stored == [1.0, 2.0, 3.0]


def test_writer_opens_the_database_without_a_sample_and_does_not_spin_meanwhile(cycles):
    attempts = []
    opened = threading.Event()

    def ready():
        attempts.append(1)
        if len(attempts) < 3:
            raise StorageError("read-only", StorageErrorKind.READ_ONLY)
        opened.set()

    buffer = WriteBuffer(cycles, ready)
    writer = StorageWriter(buffer, 60.0)
    writer.start()
    assert opened.wait(LIMIT)
    assert writer.close(LIMIT)
    assert (len(attempts), buffer.state().problem, buffer.state().write_failures) == (3, None, 2)


def test_writer_ends_without_a_log_line_if_the_opening_is_refused(cycles, caplog):
    error = OpeningRefusedError("held", StorageErrorKind.LOCK_HELD)
    attempts = []

    def ready():
        attempts.append(1)
        raise error

    prepared = []
    buffer = WriteBuffer(cycles, ready)
    writer = StorageWriter(buffer, 1.0, lambda: prepared.append(1))
    writer.start()
    writer.wait_started(LIMIT)
    buffer.add(Sample(1.0))
    assert writer.close(LIMIT)
    assert (len(attempts), writer.refusal, prepared, cycles.stored) == (1, error, [], [])
    assert caplog.records == []
