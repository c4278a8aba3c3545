"""Dask executor: run the tasks of a fleet on the workers of a Dask scheduler."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from distributed import Client, as_completed
from distributed.scheduler import KilledWorker

from monitor.errors import MonitorError
from monitor.fleet.training.executors import ATTEMPTS, PENDING_PER_WORKER, Input, Lost, Output, take

CONNECT_SECONDS = 30
"""Time in which the scheduler must answer."""

MIN_PENDING = 8
"""Smallest number of submitted tasks: workers may join later."""


class DaskExecutor:
    """Executor on a Dask cluster, whose workers have the same release of this package installed.

    The scheduler runs a task again if its worker dies, also if the worker held a result that was not fetched yet.
    """

    def __init__(self, address: str) -> None:
        """Create an executor; it connects with the first task.

        Args:
            address: host and port of the scheduler.
        """
        self._address = address

    def run(self, function: Callable[[Input], Output], tasks: Iterable[Input]) -> Iterator[Output | Lost[Input]]:
        """Yield the results of a function for all tasks, see `Executor.run`.

        Raises:
            MonitorError: the scheduler cannot be reached.
        """
        try:
            client = Client(f"tcp://{self._address}", timeout=CONNECT_SECONDS, set_as_default=False)
        except OSError as error:
            raise MonitorError(f"fleet.executor: no Dask scheduler answers at {self._address}: {error}") from error
        with client:
            yield from self._run(client, function, iter(tasks))

    def _run(
        self, client: Any, function: Callable[[Input], Output], tasks: Iterator[Input]
    ) -> Iterator[Output | Lost[Input]]:
        """Yield the results of all tasks, of which at most PENDING_PER_WORKER per thread are submitted."""
        again: deque[Input] = deque()
        pending: dict[Any, Input] = {}
        deaths: Counter[int] = Counter()
        completed = as_completed(loop=client.loop)
        while True:
            limit = max(MIN_PENDING, PENDING_PER_WORKER * sum(client.nthreads().values()))
            while len(pending) < limit and (task := take(again, tasks)) is not None:
                # Impure, so that equal tasks of another run are not taken from the memory of the cluster.
                future = client.submit(function, task, pure=False)
                pending[future.key] = task
                completed.add(future)
            if not pending:
                return
            future = next(completed)
            task = pending.pop(future.key)
            try:
                result = future.result()
            except KilledWorker:
                deaths[id(task)] += 1
                if deaths[id(task)] < ATTEMPTS:
                    again.append(task)
                else:
                    yield Lost(task)
                continue
            yield result
