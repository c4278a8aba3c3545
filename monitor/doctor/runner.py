"""Runner of the checks: parallel, each isolated from exceptions in the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from monitor.config.loader import Config
from monitor.doctor.checks import (
    clock,
    database,
    disk,
    kernel,
    model,
    permissions,
    port,
    quality,
    service,
    software,
)
from monitor.doctor.context import DoctorContext, read_context
from monitor.doctor.results import failed
from monitor.documents.doctor import CheckId, CheckResult, DoctorDocument
from monitor.system.logging import redact_credentials

MESSAGE_LENGTH = 300
"""Largest length of the message of an exception, in characters."""

THREADS = 4
"""Number of checks that run in parallel; some wait for a port, for systemd, or for a second reading."""


@dataclass(frozen=True)
class Check:
    """A check without arguments, and its first subject, which names it if it raises."""

    id: CheckId
    run: Callable[[], Iterable[CheckResult]]


HOST_CHECKS = (
    Check(CheckId.VERSIONS, software.check_versions),
    Check(CheckId.BLAS_THREADS, software.check_blas_threads),
    Check(CheckId.CLOCK, clock.check_kernel_clock),
    Check(CheckId.SERVICE, service.check_unit),
)
"""Checks that need no configuration."""

CONTEXT_CHECKS: tuple[tuple[CheckId, Callable[[DoctorContext], Iterable[CheckResult]]], ...] = (
    (CheckId.CONFIGURATION, software.check_configuration),
    (CheckId.SOURCE, kernel.check_sources),
    (CheckId.MEMORY_LIMIT, kernel.check_memory_limit),
    (CheckId.STATE_DIRECTORY, permissions.check_state_directory),
    (CheckId.CONFIG_PERMISSIONS, permissions.check_config_permissions),
    (CheckId.KEY_PERMISSIONS, permissions.check_key_permissions),
    (CheckId.DAEMON, service.check_daemon),
    (CheckId.NEWEST_SAMPLE, clock.check_samples),
    (CheckId.DISK_SPACE, disk.check_space),
    (CheckId.FILE_SYSTEM, disk.check_file_system),
    (CheckId.DATABASE, database.check_database),
    (CheckId.INTEGRITY, database.check_integrity),
    (CheckId.WRITE_AHEAD_LOG, database.check_files),
    (CheckId.PORT, port.check_port),
    (CheckId.MODEL, model.check_model),
    (CheckId.TRAININGS, quality.check_trainings),
    (CheckId.LIVE_SKILL, quality.check_predictions),
    (CheckId.DETECTOR, model.check_detector),
)
"""Checks of a configured installation, in the order of the report."""


def examine(config: Config, now: float) -> DoctorDocument:
    """Run every check; nothing is changed.

    Args:
        config: configuration of the daemon.
        now: seconds since the epoch.
    """
    # Read the context first: it opens and closes the database files, which no check may hold open meanwhile.
    context = read_context(config, now)
    checks = [Check(check, partial(function, context)) for check, function in CONTEXT_CHECKS]
    return DoctorDocument(tuple(run_checks([*HOST_CHECKS, *checks])))


def examine_invalid_configuration(problems: Sequence[str]) -> DoctorDocument:
    """Run the checks that need no configuration, and report the problems of an invalid one."""
    return DoctorDocument((*run_checks(HOST_CHECKS), *software.configuration_problems(problems)))


def run_checks(checks: Sequence[Check]) -> list[CheckResult]:
    """Run checks in parallel; return their results in order."""
    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        return [result for results in pool.map(run_check, checks) for result in results]


def run_check(check: Check) -> list[CheckResult]:
    """Run one check; convert an exception that it raises to a failed result."""
    results: list[CheckResult] = []
    try:
        results.extend(check.run())
    except Exception as error:
        detail = redact_credentials(" ".join(str(error).split()))
        message = f"the check raised {type(error).__name__}: {detail}"[:MESSAGE_LENGTH]
        results.append(
            failed(check.id, message, "report this: a fault in monitor, or a host that it does not support")
        )
    return results
