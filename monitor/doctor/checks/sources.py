"""Checks of the sampling sources: readable figures, plausible values, memory limit of a container."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from typing import Any

import psutil

from monitor.doctor.context import DoctorContext
from monitor.doctor.results import failed, ok, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.sampling.sources import Source, Values, make_sources, procfs
from monitor.sampling.value_bounds import validated_value

READING_INTERVAL = 0.25
"""Seconds between the two readings of a source."""

FULL_RATIO = 0.995
"""Fraction of memory or swap in use from which the check warns: overload, or the limit of a container."""

EXPLAINED_GAPS = {
    "swap_usage": "this host has no swap",
    "network_usage": "no interface reports its link speed",
}
"""Fields that many hosts do not provide, each with the reason; a missing value is not reported as a problem."""

UNSUPPORTED_SOURCES = {
    "pressure": (
        "the kernel provides no pressure stall information",
        'boot with psi=1 on the kernel command line, or remove "pressure" from sampling.sources',
    ),
    "disk": ("the kernel provides no disk statistics", 'remove "disk" from sampling.sources'),
}
"""Sources that some kernels do not provide, each with message and fix."""


def check_sources(context: DoctorContext) -> Iterator[CheckResult]:
    """Read each source twice, READING_INTERVAL seconds apart; yield one result per source."""
    sampling = context.config.sampling
    sources = make_sources(sampling.sources, sampling.network_exclude)
    first_readings = {source.name: _read(source) for source in sources}
    started = time.monotonic()
    time.sleep(READING_INTERVAL)
    for source in sources:
        first = first_readings[source.name]
        now = time.monotonic()
        second = _read(source)
        error = next((reading for reading in (first, second) if isinstance(reading, Exception)), None)
        if error is not None:
            yield unreadable_source(source.name, error)
        else:
            source.compute(first, started, math.inf)
            yield assess_rates(source, source.compute(second, now, math.inf))


def _read(source: Source) -> Any:
    """Return a reading of a source, or the exception that it raised."""
    try:
        return source.read()
    except Exception as error:
        return error


def unreadable_source(name: str, error: Exception) -> CheckResult:
    """Return a warning if the kernel does not provide the source (UNSUPPORTED_SOURCES), otherwise a failure."""
    detail = f"{type(error).__name__}: {error}"[:200]
    if name in UNSUPPORTED_SOURCES and isinstance(error, OSError | NotImplementedError):
        message, fix = UNSUPPORTED_SOURCES[name]
        return warning(CheckId.SOURCE, f"{message}: {detail}", fix, subject=name)
    fix = f'check that {procfs.PROCFS} is the kernel\'s own, or remove "{name}" from sampling.sources'
    return failed(CheckId.SOURCE, f"cannot be read: {detail}", fix, subject=name)


def assess_rates(source: Source, rates: Values) -> CheckResult:
    """Return a warning if a metric is implausible, unexpectedly missing, or shows full memory or swap.

    Args:
        source: source of the metrics.
        rates: value of each field, computed from two readings; None for a missing value.
    """
    name = source.name
    values = {field: validated_value(field, rates[field]) for field in source.fields}
    message = _describe_rates(source, rates, values)
    implausible = [f"{f} {rates[f]:.4g}" for f in source.fields if values[f] is None and rates[f] is not None]
    if implausible:
        fix = f"check what provides {procfs.PROCFS}; such values are not stored"
        return warning(CheckId.SOURCE, _join(f"implausible: {', '.join(implausible)}", message), fix, subject=name)
    unexplained = [field for field in _missing_fields(source, rates) if field not in EXPLAINED_GAPS]
    if unexplained:
        fix = f'run monitor on the host itself, not in a container, or remove "{name}" from sampling.sources'
        return warning(CheckId.SOURCE, _join(f"missing: {', '.join(unexplained)}", message), fix, subject=name)
    if _is_full(values):
        fix = "free memory, or check whether the figure is the limit of a container"
        return warning(CheckId.SOURCE, message, fix, subject=name)
    return ok(CheckId.SOURCE, message, subject=name)


def _describe_rates(source: Source, rates: Values, values: Values) -> str:
    """Return a text with the valid values, and with each missing field that EXPLAINED_GAPS explains."""
    figures = [f"{field} {value:.4g}" for field, value in values.items() if value is not None]
    notes = [
        f"no {field}: {EXPLAINED_GAPS[field]}" for field in _missing_fields(source, rates) if field in EXPLAINED_GAPS
    ]
    return _join(", ".join(figures), *notes)


def _missing_fields(source: Source, rates: Values) -> list[str]:
    return [field for field in source.fields if rates[field] is None]


def _is_full(values: Values) -> bool:
    return any((values.get(field) or 0.0) >= FULL_RATIO for field in ("memory_usage", "swap_usage"))


def _join(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def check_memory_limit(_: DoctorContext) -> Iterator[CheckResult]:
    """Yield a warning if the memory limit of this container is below the total in /proc/meminfo."""
    limit = _control_group_limit("memory.max", "memory/memory.limit_in_bytes")
    total = psutil.virtual_memory().total
    message = f"{total / 2**30:.1f} GiB of memory, {os.cpu_count()} CPUs"
    if _is_lxcfs():
        message += "; /proc/meminfo comes from lxcfs"
    if limit is not None and limit < total:
        fix = "run monitor on the host itself, or mount lxcfs over /proc/meminfo"
        detail = f"this container is limited to {limit / 2**30:.1f} GiB, which memory_usage does not reflect"
        yield warning(CheckId.MEMORY_LIMIT, f"{message} on the host; {detail}", fix)
    else:
        yield ok(CheckId.MEMORY_LIMIT, f"{message}; no lower limit")


def _control_group_limit(*names: str) -> int | None:
    """Return the memory limit of the control group in bytes; None if there is none.

    Args:
        names: paths of the limit below /sys/fs/cgroup; the first readable file is used.
    """
    for name in names:
        try:
            text = (procfs.SYSFS / "fs" / "cgroup" / name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        return int(text) if text.isdecimal() else None
    return None


def _is_lxcfs() -> bool:
    partitions = psutil.disk_partitions(all=True)
    return any(part.mountpoint == "/proc/meminfo" and "lxcfs" in part.fstype for part in partitions)
