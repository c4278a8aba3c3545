"""Bounded worker pool: application threads with limits on queued requests and unsent responses."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from monitor.web.connection import RequestHandler, WsgiResponse

log = get_logger(__name__)


class WorkerPool:
    """Threads that call the application, with limits on queued requests and on unsent responses.

    A pool belongs to one event loop. A request beyond `max_pending` is rejected with status 503. When the unsent
    responses exceed their limit, the connections with the oldest responses are closed.
    """

    def __init__(self, name: str, *, threads: int, max_pending: int, max_unsent_bytes: int) -> None:
        """Initialize the pool; threads start on demand.

        Args:
            name: prefix of the thread names.
            threads: number of requests processed in parallel.
            max_pending: largest number of requests processed or queued.
            max_unsent_bytes: largest total size of the responses that clients have not received yet.
        """
        self._name = name
        self._failure = RecurringFailure(log, "request failed", "requests recovered", level=logging.CRITICAL)
        self._executor = ThreadPoolExecutor(threads, name)
        self._free_threads = asyncio.Semaphore(threads)
        self._max_pending = max_pending
        self._max_unsent_bytes = max_unsent_bytes
        self._pending = 0
        self._unsent_bytes = 0
        self._unsent: dict[RequestHandler, int] = {}

    async def process(self, handler: RequestHandler, *, in_loop: bool = False) -> None:
        """Run the application for a request and send the response, unless the client has disconnected.

        A request beyond `max_pending` gets status 503 instead.

        Args:
            handler: the request.
            in_loop: True to run the application in the thread of the event loop, which must not wait: a scrape takes
                a millisecond there, and longer in another thread. The check of a password takes longer.
        """
        if self._pending >= self._max_pending:
            await handler.reject(503, "too many pending requests; try again later")
            return
        self._pending += 1
        try:
            async with self._free_threads:
                if handler.stream.closed():
                    return
                if in_loop:
                    response = handler.call_application()
                else:
                    loop = asyncio.get_running_loop()
                    response = await loop.run_in_executor(self._executor, handler.call_application)
        finally:
            self._pending -= 1
        if response.error is None:
            self._failure.success(pool=self._name)
        else:
            self._failure.failure(exc_info=response.error, pool=self._name)
        await self._send(handler, response)
        response.on_sent()

    def close(self) -> None:
        """Cancel the queued requests and stop the threads after their current request."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _send(self, handler: RequestHandler, response: WsgiResponse) -> None:
        self._unsent[handler] = len(response.body)
        self._unsent_bytes += len(response.body)
        self._evict_oldest()
        try:
            await handler.send(response)
        finally:
            self._unsent_bytes -= self._unsent.pop(handler, 0)

    def _evict_oldest(self) -> None:
        """Close the connections with the oldest unsent responses until the limit holds or one response is left."""
        while self._unsent_bytes > self._max_unsent_bytes and len(self._unsent) > 1:
            oldest = next(iter(self._unsent))
            self._unsent_bytes -= self._unsent.pop(oldest)
            oldest.stream.close()
