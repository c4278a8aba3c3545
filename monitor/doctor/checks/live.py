"""Checks of the running daemon: writes to the database, and jobs."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.doctor.context import DoctorContext
from monitor.doctor.fixes import restart_daemon, show_log
from monitor.doctor.results import failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.documents.storage import storage_problems
from monitor.system.formatting import format_time

NO_ANSWER = "no daemon runs, or it does not answer without a password"


def check_writes(context: DoctorContext) -> Iterator[CheckResult]:
    """Check that the daemon stores its samples, and has lost none."""
    if context.live is None:
        yield skipped(CheckId.WRITES, NO_ANSWER)
        return
    storage = context.live.storage
    problems = storage_problems(storage)
    if not problems:
        yield ok(CheckId.WRITES, "every sample is stored")
    for problem in problems:
        result = failed if storage.problem is not None else warning
        yield result(CheckId.WRITES, problem, show_log())


def check_jobs(context: DoctorContext) -> Iterator[CheckResult]:
    """Check that no job of the daemon hangs."""
    if context.live is None:
        yield skipped(CheckId.JOBS, NO_ANSWER)
        return
    if not context.live.hung_jobs:
        yield ok(CheckId.JOBS, "none hangs")
    for hung in context.live.hung_jobs:
        fix = f"{show_log()}; `job hung` has its call stack. Then {restart_daemon()}"
        yield failed(CheckId.JOBS, f"hangs since {format_time(hung.since)}", fix, subject=hung.job)
