"""Executors: run the tasks of a fleet in local processes or on Dask."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Generic, Protocol, TypeVar

from monitor.errors import ConfigError
from monitor.system.processes import lower_priority

Input = TypeVar("Input")
Output = TypeVar("Output")

LOCAL = "local"
"""Name of the executor in processes of this machine."""

DASK_PREFIX = "dask://"
"""Start of the address of a Dask scheduler."""

ATTEMPTS = 3
"""Number of workers that may die in a task before it is given up."""

PENDING_PER_WORKER = 2
"""Number of submitted tasks per worker: more would only need memory."""

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that limit a worker to one thread; sums round differently with another number of threads."""


class Lost(Generic[Input]):
    """Task that was given up, because its worker died in each of ATTEMPTS attempts."""

    def __init__(self, task: Input) -> None:
        self.task = task


class Executor(Protocol):
    """Way to run many independent tasks."""

    def run(self, function: Callable[[Input], Output], tasks: Iterable[Input]) -> Iterator[Output | Lost[Input]]:
        """Yield the results of a function for all tasks, as they are completed; no task is left out.

        Args:
            function: pure function of a module, which other processes import.
            tasks: values that can be pickled; they are read as workers become free.

        Raises:
            Exception: the function raised it.
        """
        ...


def create_executor(name: str, workers: int) -> Executor:
    """Return the executor with a name.

    Args:
        name: LOCAL, or the address of a Dask scheduler, such as "dask://scheduler:8786".
        workers: number of processes of the local executor; 0 for one per CPU.

    Raises:
        ConfigError: the name is neither, or the extra `fleet-dask` is not installed.
    """
    if name == LOCAL:
        return LocalExecutor(workers or len(os.sched_getaffinity(0)))
    if name.startswith(DASK_PREFIX) and len(name) > len(DASK_PREFIX):
        try:
            from monitor.fleet.training.dask_executor import DaskExecutor  # noqa: PLC0415  an optional dependency
        except ImportError as error:
            fix = "pip install 'monitor-early-warning[fleet-dask]'"
            raise ConfigError([f'fleet.executor = "{name}" needs {error.name}: {fix}']) from error
        return DaskExecutor(name.removeprefix(DASK_PREFIX))
    raise ConfigError([f'fleet.executor = "{name}": use "{LOCAL}" or "{DASK_PREFIX}HOST:PORT"'])


class LocalExecutor:
    """Executor with a limited number of processes of this machine, at the lowest priority.

    A worker that dies breaks the pool. Its tasks then run one by one in new pools, until the one that kills its
    worker is known.
    """

    def __init__(self, workers: int) -> None:
        """Create an executor; its processes start with the first task.

        Args:
            workers: largest number of processes.
        """
        self._workers = workers

    def run(self, function: Callable[[Input], Output], tasks: Iterable[Input]) -> Iterator[Output | Lost[Input]]:
        """Yield the results of a function for all tasks, see `Executor.run`."""
        remaining = iter(tasks)
        while True:
            suspects: list[Input] = []
            yield from self._run_pool(function, remaining, suspects)
            if not suspects:
                return
            for task in suspects:
                yield self._run_alone(function, task)

    def _run_pool(
        self, function: Callable[[Input], Output], tasks: Iterator[Input], suspects: list[Input]
    ) -> Iterator[Output]:
        """Yield results until all tasks are completed, or the pool breaks; then add its open tasks to `suspects`."""
        with _pool(self._workers) as pool:
            pending: dict[Future[Output], Input] = {}
            try:
                while True:
                    free = self._workers * PENDING_PER_WORKER - len(pending)
                    for task in islice(tasks, free):
                        # Before the submission, which raises if the pool is broken.
                        suspects.append(task)
                        pending[pool.submit(function, task)] = task
                        suspects.pop()
                    if not pending:
                        return
                    for future in wait(pending, return_when=FIRST_COMPLETED).done:
                        result = future.result()
                        del pending[future]
                        yield result
            except BrokenProcessPool:
                suspects.extend(pending.values())

    def _run_alone(self, function: Callable[[Input], Output], task: Input) -> Output | Lost[Input]:
        for _ in range(ATTEMPTS):
            try:
                with _pool(1) as pool:
                    return pool.submit(function, task).result()
            except BrokenProcessPool:
                continue
        return Lost(task)


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Create a pool of new processes with one thread each; a `with` block that fails does not wait for its tasks."""
    context = multiprocessing.get_context("spawn")
    previous = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=lower_priority)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in previous.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def take(queue: deque[Input], tasks: Iterator[Input]) -> Input | None:
    """Return the next task to run: one that was put back first; None if there is none."""
    return queue.popleft() if queue else next(tasks, None)
