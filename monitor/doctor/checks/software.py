"""Checks of the software: versions, BLAS threads, configuration."""

from __future__ import annotations

import platform
import re
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import psutil

from monitor import DISTRIBUTION
from monitor.config.loader import Config
from monitor.config.reference import effective_values
from monitor.doctor.context import DoctorContext
from monitor.doctor.results import failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.system.service.unit import CONFIG
from storage.inspection import SQLITE_VERSION

MIN_SQLITE = (3, 35)
"""First version of SQLite with INSERT ... RETURNING."""

MISSING = "missing"


def check_versions(_: DoctorContext) -> Iterator[CheckResult]:
    """Report all versions; yield a failure if a required package is missing or SQLite is too old."""
    versions = {name: _installed_version(name) for name in _required_packages()}
    libc = " ".join(part for part in platform.libc_ver() if part) or "libc unknown"
    parts = [f"Python {platform.python_version()}", libc, f"SQLite {SQLITE_VERSION}"]
    parts += [f"{name} {number}" for name, number in versions.items()]
    message = ", ".join(parts)
    missing = [name for name, number in versions.items() if number == MISSING]
    if missing:
        fix = f"install the missing packages into this environment: {', '.join(missing)}"
        yield failed(CheckId.VERSIONS, message, fix)
    elif tuple(map(int, SQLITE_VERSION.split(".")[:2])) < MIN_SQLITE:
        fix = f"use a Python with SQLite {'.'.join(map(str, MIN_SQLITE))} or newer"
        yield failed(CheckId.VERSIONS, message, fix)
    else:
        yield ok(CheckId.VERSIONS, message)


def _required_packages() -> list[str]:
    """Return the names of the required distributions; requirements of extras are left out."""
    requirements = requires(DISTRIBUTION) or []
    return [re.split(r"[^\w.-]", line)[0] for line in requirements if "extra ==" not in line]


def _installed_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return MISSING


def check_blas_threads(_: DoctorContext) -> Iterator[CheckResult]:
    """Check that NumPy's BLAS starts no threads in this process, which has the same thread limits as the daemon."""
    import numpy as np  # noqa: F401, PLC0415 - the import starts the threads

    extra_threads = psutil.Process().num_threads() - threading.active_count()
    if extra_threads > 0:
        fix = "set OPENBLAS_NUM_THREADS=1, OMP_NUM_THREADS=1 and MKL_NUM_THREADS=1 in the daemon's environment"
        yield warning(CheckId.BLAS_THREADS, f"{extra_threads + 1}: they make training slower", fix)
    else:
        yield ok(CheckId.BLAS_THREADS, "1")


def check_configuration(context: DoctorContext) -> Iterator[CheckResult]:
    """Report the path of the configuration and the keys that differ from their defaults.

    A config.toml in the current directory gets a warning if it is used instead of the service's configuration.
    """
    config = context.config
    changed = _changed_keys(config)
    keys = f"{len(changed)} keys differ from their defaults"
    if changed:
        keys += f": {', '.join(changed)}"
    message = f"{config.path or 'no file, the defaults'}: valid, {keys}; database {context.name}"
    is_local = config.path not in (None, CONFIG) and config.path == Path.cwd() / "config.toml"
    if is_local and CONFIG.exists():
        fix = f"to check the service instead, run `monitor --config {CONFIG} doctor`"
        yield warning(CheckId.CONFIGURATION, f"{message}; in this directory it is used instead of {CONFIG}", fix)
    else:
        yield ok(CheckId.CONFIGURATION, message)


def _changed_keys(config: Config) -> list[str]:
    defaults = effective_values(Config())
    return [
        f"{section}.{key}"
        for section, values in effective_values(config).items()
        for key, value in values.items()
        if value != defaults[section][key]
    ]


def configuration_problems(problems: Sequence[str]) -> list[CheckResult]:
    """Return one failed result per problem, and one skipped result for the checks that need a configuration."""
    fix = "correct the key; `monitor check-config` lists all problems"
    results = [failed(CheckId.CONFIGURATION, problem, fix) for problem in problems]
    return [*results, skipped(CheckId.REMAINING_CHECKS, "need a valid configuration")]
