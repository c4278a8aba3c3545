"""Tests of monitor.web.worker_pool."""

import asyncio
import threading

import pytest

from monitor.web.connection import WsgiResponse
from monitor.web.worker_pool import WorkerPool

pytestmark = pytest.mark.unit


class Stream:
    """Connection that can be closed."""

    def __init__(self, *, closed=False):
        self._closed = closed

    def closed(self):
        return self._closed

    def close(self):
        self._closed = True


class Handler:
    """Request whose response is sent when `received` is set."""

    def __init__(self, size=1, *, disconnected=False):
        self.stream = Stream(closed=disconnected)
        self.rejections = []
        self.calls = 0
        self.callbacks = 0
        self.thread = None
        self.received = asyncio.Event()
        self._size = size

    def call_application(self):
        self.calls += 1
        self.thread = threading.current_thread()
        return WsgiResponse("200 OK", [], b"x" * self._size, self._on_sent)

    async def reject(self, code, message):
        self.rejections.append(code)

    async def send(self, response):
        await self.received.wait()

    def _on_sent(self):
        self.callbacks += 1


async def process(pool, *handlers):
    """Let all requests reach the point where their response is being sent, then let the clients receive it."""
    tasks = [asyncio.create_task(pool.process(handler)) for handler in handlers]
    await asyncio.sleep(0)
    while pool._pending:
        await asyncio.sleep(0.01)
    for handler in handlers:
        handler.received.set()
    await asyncio.gather(*tasks)


def run(coroutine_function):
    """Run a test body with a pool of one thread, two pending requests and 100 unsent bytes."""

    async def body():
        pool = WorkerPool("test", threads=1, max_pending=2, max_unsent_bytes=100)
        try:
            await coroutine_function(pool)
        finally:
            pool.close()

    asyncio.run(body())


def test_pool_sends_responses_and_runs_their_callbacks():
    async def body(pool):
        handler = Handler()
        await process(pool, handler)
        assert (handler.calls, handler.callbacks) == (1, 1)

    run(body)


@pytest.mark.parametrize("in_loop", [False, True])
def test_pool_runs_the_application_in_the_chosen_thread(in_loop):
    async def body(pool):
        handler = Handler()
        handler.received.set()
        await pool.process(handler, in_loop=in_loop)
        assert (handler.thread is threading.current_thread()) is in_loop
        assert (handler.calls, handler.callbacks) == (1, 1)

    run(body)


def test_pool_rejects_requests_beyond_its_queue():
    async def body(pool):
        handlers = [Handler() for _ in range(3)]
        await process(pool, *handlers)
        assert [handler.rejections for handler in handlers] == [[], [], [503]]
        assert [handler.calls for handler in handlers] == [1, 1, 0]

    run(body)


def test_pool_skips_requests_of_disconnected_clients():
    async def body(pool):
        handler = Handler(disconnected=True)
        await pool.process(handler)
        assert handler.calls == 0

    run(body)


def test_pool_closes_the_oldest_unsent_responses_beyond_its_limit():
    async def body(pool):
        handlers = [Handler(60), Handler(60)]
        await process(pool, *handlers)
        assert [handler.stream.closed() for handler in handlers] == [True, False]
        assert pool._unsent_bytes == 0

    run(body)
