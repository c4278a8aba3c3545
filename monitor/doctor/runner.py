"""Runner of the checks: parallel, each isolated from exceptions in the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat

from monitor.config.loader import Config
from monitor.doctor.checks import (
    channels,
    clock,
    database,
    disk,
    fleet,
    live,
    model,
    permissions,
    port,
    quality,
    service,
    software,
    sources,
)
from monitor.doctor.context import DoctorContext, read_context
from monitor.doctor.results import failed
from monitor.documents.doctor import CheckId, CheckResult, DoctorDocument
from monitor.system.redaction import redact_credentials

MESSAGE_LENGTH = 300
"""Largest length in characters of the message on a check that raised an exception."""

THREADS = 4
"""Number of checks that run in parallel; some wait for a port, for systemd, or for a second reading."""


@dataclass(frozen=True)
class Check:
    """A check of the installation.

    Attributes:
        id: ID of the first result, and of the failed result if the check raises an exception.
        run: yields the results, given the context; a check of the host alone ignores the context.
    """

    id: CheckId
    run: Callable[[DoctorContext], Iterable[CheckResult]]


HOST_CHECKS = (
    Check(CheckId.VERSIONS, software.check_versions),
    Check(CheckId.BLAS_THREADS, software.check_blas_threads),
    Check(CheckId.CLOCK, clock.check_kernel_clock),
    Check(CheckId.SERVICE, service.check_unit),
)
"""Checks that need no configuration."""

CONTEXT_CHECKS = (
    Check(CheckId.CONFIGURATION, software.check_configuration),
    Check(CheckId.SOURCE, sources.check_sources),
    Check(CheckId.MEMORY_LIMIT, sources.check_memory_limit),
    Check(CheckId.FLEET_SOURCE, fleet.check_fleet_source),
    Check(CheckId.STATE_DIRECTORY, permissions.check_state_directory),
    Check(CheckId.WRITE_ACCESS, permissions.check_write_access),
    Check(CheckId.CONFIG_PERMISSIONS, permissions.check_config_permissions),
    Check(CheckId.KEY_PERMISSIONS, permissions.check_key_permissions),
    Check(CheckId.SECRET_PERMISSIONS, permissions.check_secret_permissions),
    Check(CheckId.DAEMON, service.check_daemon),
    Check(CheckId.WRITES, live.check_writes),
    Check(CheckId.JOBS, live.check_jobs),
    Check(CheckId.NEWEST_SAMPLE, clock.check_samples),
    Check(CheckId.DISK_SPACE, disk.check_space),
    Check(CheckId.FILE_SYSTEM, disk.check_file_system),
    Check(CheckId.DATABASE, database.check_database),
    Check(CheckId.INTEGRITY, database.check_integrity),
    Check(CheckId.ROWS, database.check_rows),
    Check(CheckId.WRITE_AHEAD_LOG, database.check_files),
    Check(CheckId.PORT, port.check_port),
    Check(CheckId.MODEL, model.check_model),
    Check(CheckId.TRAININGS, quality.check_trainings),
    Check(CheckId.LIVE_SKILL, quality.check_predictions),
    Check(CheckId.DETECTOR, model.check_detector),
    Check(CheckId.NOTIFICATIONS, channels.check_channels),
)
"""Checks of a configured installation, in the order of the report."""


def examine(config: Config, now: float) -> DoctorDocument:
    """Run all checks without changing anything; return the results in the order of the report.

    Args:
        config: configuration of the daemon.
        now: seconds since the epoch.
    """
    # Read the context before any check runs: it opens and closes database files that no check may hold open then.
    context = read_context(config, now)
    return DoctorDocument(tuple(run_checks((*HOST_CHECKS, *CONTEXT_CHECKS), context)))


def examine_invalid_configuration(problems: Sequence[str], now: float) -> DoctorDocument:
    """Run the checks that need no configuration, and report the problems of an invalid configuration.

    Args:
        problems: one sentence per problem.
        now: seconds since the epoch.
    """
    results = run_checks(HOST_CHECKS, DoctorContext(now, Config()))
    return DoctorDocument((*results, *software.configuration_problems(problems)))


def run_checks(checks: Sequence[Check], context: DoctorContext) -> list[CheckResult]:
    """Run checks in parallel; return their results in order."""
    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        return [result for results in pool.map(run_check, checks, repeat(context)) for result in results]


def run_check(check: Check, context: DoctorContext) -> list[CheckResult]:
    """Run one check; convert an exception that it raises to a failed result."""
    results: list[CheckResult] = []
    try:
        results.extend(check.run(context))
    except Exception as error:
        detail = redact_credentials(" ".join(str(error).split()))
        message = f"the check raised {type(error).__name__}: {detail}"[:MESSAGE_LENGTH]
        results.append(
            failed(check.id, message, "report this: a fault in monitor, or a host that it does not support")
        )
    return results
