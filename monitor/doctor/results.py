"""Check results: one constructor per status."""

from __future__ import annotations

from monitor.documents.doctor import CheckId, CheckResult, CheckStatus

DATABASE_NOT_READ = "the database could not be read"
"""Message of a check that needs records from a database that could not be read."""


def ok(check: CheckId, message: str, subject: str = "") -> CheckResult:
    """Return the result of a check that found no problem."""
    return CheckResult(check, CheckStatus.OK, message, subject=subject)


def warning(check: CheckId, message: str, fix: str, subject: str = "") -> CheckResult:
    """Return the result of a check that found a degradation or an imminent failure."""
    return CheckResult(check, CheckStatus.WARNING, message, fix, subject)


def failed(check: CheckId, message: str, fix: str, subject: str = "") -> CheckResult:
    """Return the result of a check that found a failure."""
    return CheckResult(check, CheckStatus.FAILED, message, fix, subject)


def skipped(check: CheckId, message: str, subject: str = "") -> CheckResult:
    """Return the result of a check that could not run; the message is the reason."""
    return CheckResult(check, CheckStatus.SKIPPED, message, subject=subject)
