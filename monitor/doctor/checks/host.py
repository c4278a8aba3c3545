"""What the program stands on: versions, configuration, the kernel's figures."""

from __future__ import annotations

import os
import platform
import re
import threading
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import psutil

from monitor import DISTRIBUTION
from monitor.config.loader import Config, document
from monitor.doctor.context import Evidence
from monitor.doctor.results import Result, failed, ok, skipped, warning
from monitor.sampling.sampler import validated_value
from monitor.sampling.sources import Rates, Source, make_sources, procfs
from monitor.system.systemd_unit import CONFIG
from storage.inspection import SQLITE_VERSION

OLDEST_SQLITE = (3, 35)
"""INSERT ... RETURNING came with it."""

BETWEEN_READINGS = 0.25
"""Seconds."""

SUSPICIOUS = 0.995
"""A share of memory or swap in use from which on a host hardly lives, or its figures are not what they seem."""

ABSENT = {
    "swap_usage": "this host has no swap",
    "network_usage": "no link tells its speed",
}
"""Fields that are missing on many a host, and why; nothing is to be mended."""

UNKNOWN = {
    "pressure": (
        "the kernel tells no pressure (PSI)",
        'boot with psi=1 on the kernel command line, or leave "pressure" out of sampling.sources',
    ),
    "disk": ("the kernel tells no figures of disks", 'leave "disk" out of sampling.sources'),
}
"""By source: what it means that it cannot be read at all, and what to do."""


def versions() -> Iterator[Result]:
    """Python, libc and what the package needs."""
    needed = [re.split(r"[^\w.-]", line)[0] for line in requires(DISTRIBUTION) or () if "extra ==" not in line]
    found = {name: _version(name) for name in needed}
    libc = " ".join(part for part in platform.libc_ver() if part) or "libc unknown"
    told = [f"Python {platform.python_version()}", libc, f"SQLite {SQLITE_VERSION}"]
    told += [f"{name} {number}" for name, number in found.items()]
    line, missing = ", ".join(told), [name for name, number in found.items() if number == "missing"]
    if missing:
        yield failed("versions", line, f"install what is missing into this environment: {', '.join(missing)}")
    elif tuple(map(int, SQLITE_VERSION.split(".")[:2])) < OLDEST_SQLITE:
        yield failed("versions", line, f"use a Python with SQLite {'.'.join(map(str, OLDEST_SQLITE))} or newer")
    else:
        yield ok("versions", line)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def blas_threads() -> Iterator[Result]:
    """How many threads the matrix library has started in this process, which imports it as daemon and trainer do."""
    import numpy as np  # noqa: F401, PLC0415 - it starts its threads when it is imported

    beside = psutil.Process().num_threads() - threading.active_count()
    if beside > 0:
        mend = "set OPENBLAS_NUM_THREADS=1, OMP_NUM_THREADS=1 and MKL_NUM_THREADS=1 in the daemon's environment"
        yield warning("BLAS threads", f"{beside + 1}: training is slower, and they spin", mend)
    else:
        yield ok("BLAS threads", "1")


def configuration(evidence: Evidence) -> Iterator[Result]:
    """Which file it came from, and what it leads to."""
    config, default = evidence.config, document(Config())
    chosen = document(config)
    changed = [
        f"{section}.{key}"
        for section, keys in chosen.items()
        for key, value in keys.items()
        if value != default[section][key]
    ]
    told = f"{len(changed)} keys not at their defaults{': ' + ', '.join(changed) if changed else ''}"
    line = f"{config.path or 'no file, the defaults'}: valid, {told}; database {evidence.database}"
    if config.path not in (None, CONFIG) and config.path == Path.cwd() / "config.toml" and CONFIG.exists():
        mend = f"to look at the service instead: monitor --config {CONFIG} doctor"
        yield warning("configuration", f"{line}; it goes before {CONFIG} in this directory alone", mend)
    else:
        yield ok("configuration", line)


def kernel_figures(evidence: Evidence) -> Iterator[Result]:
    """Two raw readings of each source, and what comes of them."""
    sampling = evidence.config.sampling
    sources = make_sources(sampling.sources, sampling.network_exclude)
    before = {source.name: _tried(source) for source in sources}
    started = time.monotonic()
    time.sleep(BETWEEN_READINGS)
    for source in sources:
        first, second = before[source.name], _tried(source)
        problem = next((reading for reading in (first, second) if isinstance(reading, Exception)), None)
        if problem is not None:
            yield unreadable_source(source.name, problem)
            continue
        yield judge_figures(source, source.rates(first, second, time.monotonic() - started))


def _tried(source: Source) -> Any:
    try:
        return source.read()
    except Exception as error:
        return error


def unreadable_source(name: str, error: Exception) -> Result:
    """What it means that a source cannot be read."""
    told = f"{type(error).__name__}: {error}"[:200]
    if name in UNKNOWN and isinstance(error, OSError | NotImplementedError):
        meaning, mend = UNKNOWN[name]
        return warning(f"source {name}", f"{meaning}: {told}", mend)
    mend = f'see whether {psutil.PROCFS_PATH} is the kernel\'s own; else leave "{name}" out of sampling.sources'
    return failed(f"source {name}", f"cannot be read: {told}", mend)


def judge_figures(source: Source, rates: Rates) -> Result:
    """The figures that a source made of two readings.

    Args:
        source: which.
        rates: as it made them, not yet checked.
    """
    name, values = f"source {source.name}", {field: validated_value(field, rates[field]) for field in source.fields}
    known = ", ".join(f"{field} {value:.4g}" for field, value in values.items() if value is not None)
    impossible = [f"{f} {rates[f]:.4g}" for f in source.fields if rates[f] is not None and values[f] is None]
    lacking = [field for field in source.fields if rates[field] is None]
    notes = [f"no {field}: {ABSENT[field]}" for field in lacking if field in ABSENT]
    unexplained = [field for field in lacking if field not in ABSENT]
    line = "; ".join(part for part in (known, *notes) if part)
    if impossible:
        mend = f"see who stands between the kernel and {psutil.PROCFS_PATH}: such values are left out"
        return warning(name, f"cannot be: {', '.join(impossible)}; {line}", mend)
    if unexplained:
        mend = f'a container may hide it: run on the host itself, or leave "{source.name}" out of sampling.sources'
        return warning(name, f"no {', no '.join(unexplained)}{'; ' if line else ''}{line}", mend)
    full = [f for f in ("memory_usage", "swap_usage") if (values.get(f) or 0.0) >= SUSPICIOUS]
    if full:
        return warning(name, line, "free some, or see whether the figures are those of a container's limit")
    return ok(name, line)


def container_limits(evidence: Evidence) -> Iterator[Result]:  # noqa: ARG001
    """Whether limits hold here that the kernel's figures do not show."""
    memory = _first_number("memory.max", "memory/memory.limit_in_bytes")
    total = psutil.virtual_memory().total
    through = "; meminfo comes through lxcfs" if _is_lxcfs() else ""
    line = f"{total / 2**30:.1f} GiB of memory, {os.cpu_count()} CPUs{through}"
    if memory is not None and memory < total:
        mend = "run monitor on the host itself, or mount lxcfs over /proc/meminfo"
        told = (
            f"{line}: of the host; this container may use {memory / 2**30:.1f} GiB, which memory_usage does not show"
        )
        yield warning("limits", told, mend)
    else:
        yield ok("limits", f"{line}; no limit below that")


def _first_number(*names: str) -> int | None:
    """The first of some files under the root of the control groups that is there, as a number; None for no limit."""
    for name in names:
        try:
            text = (procfs.SYSFS / "fs" / "cgroup" / name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        return int(text) if text.isdecimal() else None
    return None


def _is_lxcfs() -> bool:
    return any(
        part.mountpoint == "/proc/meminfo" and "lxcfs" in part.fstype for part in psutil.disk_partitions(all=True)
    )


def broken_configuration(problems: tuple[str, ...]) -> list[Result]:
    """One result for each problem of a configuration, and what could not be looked at for that."""
    mend = "correct the key; config.toml of the package has every one with its default: monitor check-config"
    rest = skipped("the rest", "needs a configuration that is valid")
    return [*(failed("configuration", problem, mend) for problem in problems), rest]
