"""Ways to an answer: machines and people have one each, so that a scrape never waits for a picture of a month."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from monitor.web.connection import Answer, RequestHandler


class WorkerPool:
    """Some threads that ask the application, those who wait for them, and the answers on their way out.

    For one event loop. Each of the three is bounded: who is one too many hears 503, and of answers that nobody takes
    the oldest is cut.
    """

    def __init__(self, name: str, *, threads: int, waiting: int, unsent_bytes: int) -> None:
        self._executor = ThreadPoolExecutor(threads, name)
        self._turn = asyncio.Semaphore(threads)
        self._most_waiting, self._most_unsent = waiting, unsent_bytes
        self._waiting = self._unsent = 0
        self._sending: dict[RequestHandler, int] = {}

    async def answer(self, exchange: RequestHandler) -> None:
        """Has a request answered when it is its turn, unless its client has gone by then."""
        if self._waiting >= self._most_waiting:
            await exchange.refuse(503, "too many are asking; try again")
            return
        self._waiting += 1
        try:
            async with self._turn:
                if exchange.stream.closed():
                    return
                loop = asyncio.get_running_loop()
                answer = await loop.run_in_executor(self._executor, exchange.ask)
        finally:
            self._waiting -= 1
        await self._send(exchange, answer)
        answer.sent()

    def close(self) -> None:
        """Begins nothing more."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _send(self, exchange: RequestHandler, answer: Answer) -> None:
        self._sending[exchange] = len(answer.body)
        self._unsent += len(answer.body)
        self._make_room()
        try:
            await exchange.send(answer)
        finally:
            self._unsent -= self._sending.pop(exchange, 0)

    def _make_room(self) -> None:
        while self._unsent > self._most_unsent and len(self._sending) > 1:
            oldest = next(iter(self._sending))
            self._unsent -= self._sending.pop(oldest)
            oldest.stream.close()
