"""Tests of the queued stderr."""

import logging
import os
import sys
import threading
from contextlib import suppress

import pytest

from monitor.system.queued_stderr import QueuedStderr, dropped_log_lines, queued_stderr

pytestmark = pytest.mark.unit

LONG = 30.0


@pytest.fixture
def pipe():
    """Return the descriptors of a pipe that nobody reads, filled up."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 4096)
    os.set_blocking(writer, True)
    yield reader, writer
    os.close(reader)
    os.close(writer)


def read_until(reader, end):
    data = b""
    while not data.endswith(end):
        data += os.read(reader, 65536)
    return data


def test_lines_are_written_in_order_and_drained():
    reader, writer = os.pipe()
    stream = QueuedStderr(writer)
    for number in range(100):
        stream.write(f"{number}\n")
    assert stream.drain(LONG)
    os.close(writer)
    assert os.read(reader, 65536).decode().split() == [str(number) for number in range(100)]
    os.close(reader)
    assert stream.dropped == 0


def test_write_to_a_full_pipe_returns_and_text_beyond_the_capacity_is_dropped(pipe):
    reader, writer = pipe
    stream = QueuedStderr(writer, capacity=10)
    assert [stream.write(text) for text in ("first\n", "second\n", "2nd\n")] == [6, 7, 4]
    assert stream.dropped == 1
    assert read_until(reader, b"first\n2nd\n")
    assert stream.drain(LONG)


def test_drain_gives_up_after_its_patience_and_drops_later_text(pipe):
    stream = QueuedStderr(pipe[1])
    stream.write("waits\n")
    assert not stream.drain(0.01)
    stream.write("too late\n")
    assert stream.dropped == 1
    assert read_until(pipe[0], b"waits\n")


def test_dropped_lines_are_logged_once_the_pipe_is_read_again(pipe):
    logged = threading.Event()
    records = []

    class Handler(logging.Handler):
        def emit(self, record):
            records.append((record.getMessage(), record.fields))
            logged.set()

    handler = Handler()
    logging.getLogger("monitor.system.queued_stderr").addHandler(handler)
    stream = QueuedStderr(pipe[1], capacity=10)
    for _ in range(3):
        stream.write("123456\n")
    read_until(pipe[0], b"6\n")
    assert logged.wait(LONG)
    logging.getLogger("monitor.system.queued_stderr").removeHandler(handler)
    assert records == [("log lines dropped", {"lines": 2})]
    assert stream.drain(LONG)


def test_failing_descriptor_counts_dropped_lines():
    reader, writer = os.pipe()
    os.close(reader)
    stream = QueuedStderr(writer)
    stream.write("lost\n")
    assert stream.drain(LONG)
    assert stream.dropped == 1
    os.close(writer)


def test_non_blocking_descriptor_is_written_completely(pipe):
    reader, writer = pipe
    os.set_blocking(writer, False)
    stream = QueuedStderr(writer)
    stream.write("line\n")
    assert read_until(reader, b"line\n")
    assert stream.drain(LONG)
    assert stream.dropped == 0


def test_queued_stderr_replaces_the_stream_during_the_block():
    previous = sys.stderr
    assert dropped_log_lines() == 0
    with queued_stderr() as stream:
        assert sys.stderr is stream
        stream.dropped = 3
        assert dropped_log_lines() == 3
    assert sys.stderr is previous
