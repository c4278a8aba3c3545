"""Synthetic hosts and changes of them, for the benchmark of predictions after a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.units import DAY, HOUR, MINUTE

COLUMNS = ("cpu_usage", "memory_usage", "network_receive", "network_transmit", "disk_busy")
CPU, MEMORY, RECEIVE, TRANSMIT, DISK = range(len(COLUMNS))
STEP = 5.0
TRAINING_SECONDS = 6 * DAY
LIVE_SECONDS = DAY / 2
START = 1_750_000_000.0 // DAY * DAY

Change = Callable[[Floats, Floats], Floats]
"""From times since the change in seconds (rows,) and values (rows, columns) to changed values."""


@dataclass(frozen=True)
class Shift:
    """Change of a host after the training.

    Attributes:
        name: for the report.
        change: of the values.
        step: seconds between live samples.
        rule: True if a metric of the high-load rule changes, and with it the outcomes.
        gap: seconds without samples at the start.
    """

    name: str
    change: Change
    step: float = STEP
    rule: bool = False
    gap: float = 0.0


def unchanged(_: Floats, values: Floats) -> Floats:
    """Return the values as they are."""
    return values


def column(position: int, change: Callable[[Floats], Floats]) -> Change:
    """Return a change of one column (rows,)."""

    def apply(_: Floats, values: Floats) -> Floats:
        changed = values.copy()
        changed[:, position] = change(values[:, position])
        return changed

    return apply


def level(position: int, difference: float) -> Change:
    """Return a change of the level of a ratio."""
    return column(position, lambda x: np.clip(x + difference, 0, 1))


def scale(position: int, factor: float, most: float = np.inf) -> Change:
    """Return a change of the scale of a metric, which stays at most `most`."""
    return column(position, lambda x: np.minimum(x * factor, most))


def reboot(elapsed: Floats, values: Floats) -> Floats:
    """Return the values after a reboot: two busy minutes, memory that fills within hours, no network at first."""
    changed = values.copy()
    changed[elapsed < 2 * MINUTE, CPU] = 0.97
    changed[:, MEMORY] = np.minimum(values[:, MEMORY], 0.06 + 0.5 * elapsed / (8 * HOUR))
    changed[elapsed < 2 * MINUTE, RECEIVE : TRANSMIT + 1] = 0
    return changed


def shifts() -> Iterator[Shift]:
    """Yield all shifts; the first one changes nothing."""
    yield Shift("unchanged", unchanged)
    for position, amount in ((MEMORY, 0.4), (DISK, 0.3)):
        yield Shift(f"{COLUMNS[position]} higher", level(position, amount))
        yield Shift(f"{COLUMNS[position]} lower", level(position, -amount))
    for position in (RECEIVE, TRANSMIT):
        yield Shift(f"{COLUMNS[position]} x 10", scale(position, 10))
        yield Shift(f"{COLUMNS[position]} / 10", scale(position, 0.1))
    for position in range(1, len(COLUMNS)):
        yield Shift(f"{COLUMNS[position]} constant", column(position, lambda x: np.full(len(x), x[0])))
        yield Shift(f"{COLUMNS[position]} missing", column(position, lambda x: np.full(len(x), np.nan)))
    yield Shift("cpu_usage higher", level(CPU, 0.1), rule=True)
    yield Shift("cpu_usage lower", level(CPU, -0.1), rule=True)
    yield Shift("half as many CPUs", scale(CPU, 2, most=1.0), rule=True)
    yield Shift("more CPUs", scale(CPU, 0.88), rule=True)
    yield Shift("sampling every 1 s", unchanged, step=1.0)
    yield Shift("sampling every 60 s", unchanged, step=60.0)
    yield Shift("reboot", reboot, rule=True, gap=3 * MINUTE)


def host_samples(seed: int) -> tuple[Floats, Floats]:
    """Return times (rows,) every second of the training and after it, and values (rows, columns), of one host.

    Batch jobs of 10 to 40 minutes start every few hours. Some ten minutes before each of them network traffic rises,
    and the load a little.
    """
    rng = np.random.default_rng(seed)
    times = START + np.arange(0, TRAINING_SECONDS + LIVE_SECONDS)
    n = len(times)
    busy = np.zeros(n)
    ahead = np.zeros(n)
    start = 2 * HOUR
    while start < n:
        length = rng.uniform(10, 40) * MINUTE
        busy[int(start) : int(start + length)] = 1
        ahead[int(start - rng.uniform(5, 15) * MINUTE) : int(start + length)] = 1
        start += length + rng.uniform(1, 4) * HOUR
    slow = np.repeat(rng.normal(size=n // 60 + 1), 60)[:n]
    hour = times % DAY / HOUR
    cpu = 0.3 + 0.1 * np.sin(hour / 12 * np.pi) + 0.1 * ahead + 0.52 * busy + 0.02 * slow + rng.normal(0, 0.03, n)
    memory = 0.54 + 0.02 * np.sin(hour / 12 * np.pi) + 0.004 * slow
    receive = np.exp(11 + 1.2 * ahead + 0.3 * rng.normal(size=n))
    transmit = np.exp(10 + 0.6 * busy + 0.3 * rng.normal(size=n))
    disk = 0.35 + 0.2 * busy + 0.05 * slow + rng.normal(0, 0.02, n)
    values = np.column_stack([np.clip(cpu, 0, 1), memory, receive, transmit, np.clip(disk, 0, 1)])
    return times, values
