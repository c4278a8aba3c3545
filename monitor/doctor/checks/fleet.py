"""Checks of the source of a fleet: server, hosts, fields, scrape targets, clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.doctor.context import DoctorContext
from monitor.doctor.results import failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from monitor.fleet.source.examination import SourceExamination

MAX_SKEW = 5.0
"""Difference of the clocks in seconds from which the check warns: samples of the last step may be missing."""

LISTED = 3
"""Largest number of hosts or warnings that a message lists."""


def check_fleet_source(context: DoctorContext) -> Iterator[CheckResult]:
    """Read one step of the source; yield nothing if the source is this host."""
    if not context.config.source.is_fleet:
        return
    from monitor.fleet.source.examination import examine_source  # noqa: PLC0415

    try:
        examination = examine_source(context.config, context.now)
    except ConfigError as error:
        yield failed(CheckId.FLEET_SOURCE, str(error), "correct source.http_config_file")
    except SourceError as error:
        fix = "check source.url, the credentials in source.http_config_file, and the log of the server"
        yield failed(CheckId.FLEET_SOURCE, str(error), fix)
    else:
        yield from assess_source(examination)


def assess_source(examination: SourceExamination) -> Iterator[CheckResult]:
    """Yield the results for one step of a source."""
    statistics = examination.statistics
    message = f"{examination.url}: {examination.hosts} hosts in {statistics.duration:.2f} s"
    if not examination.hosts:
        fix = "check source.selector, source.preset and source.host_label: no series match them, or all are older"
        yield failed(CheckId.FLEET_SOURCE, message, fix)
        return
    if statistics.last_warnings:
        listed = "; ".join(statistics.last_warnings[:LISTED])
        yield warning(CheckId.FLEET_SOURCE, f"{message}; warnings: {listed}", "look into the log of the server")
    else:
        yield ok(CheckId.FLEET_SOURCE, message)
    yield from _assess_fields(examination)
    yield _assess_targets(examination)
    if examination.clock_skew is not None and abs(examination.clock_skew) > MAX_SKEW:
        direction = "ahead of" if examination.clock_skew > 0 else "behind"
        message = f"the clock of the server is {abs(examination.clock_skew):.0f} s {direction} the clock of this host"
        yield warning(CheckId.FLEET_CLOCK, message, "synchronise both clocks, for example with chrony")


def _assess_fields(examination: SourceExamination) -> Iterator[CheckResult]:
    """Yield a failure for each failed query, a warning for each field without values, or one good result."""
    statistics = examination.statistics
    for field, error in statistics.errors.items():
        yield failed(CheckId.FLEET_FIELD, error, f"correct or remove {field} in source.fields", subject=field)
    for field, count in statistics.rejected.items():
        fix = f"correct {field} in source.fields: ratios are 0 to 1, never percent"
        yield warning(CheckId.FLEET_FIELD, f"{count} values outside the bounds", fix, subject=field)
    empty = [field for field, count in examination.counts.items() if not count and field not in statistics.errors]
    for field in (field for field in empty if field not in statistics.rejected):
        fix = "enable the collector of the exporter, state an expression in source.fields, or ignore this"
        yield warning(CheckId.FLEET_FIELD, "no host has a value", fix, subject=field)
    if not statistics.errors and not empty and not statistics.rejected:
        least = min(examination.counts.values())
        yield ok(CheckId.FLEET_FIELD, f"{len(examination.counts)} fields have values of {least} hosts or more")


def _assess_targets(examination: SourceExamination) -> CheckResult:
    """Return a warning if hosts have several series or scrape targets."""
    duplicates = examination.statistics.duplicate_labels
    if duplicates:
        host, labels = next(iter(duplicates.items()))
        message = f"{len(duplicates)} hosts have several series of a field, such as {host}: {labels}"
        return failed(CheckId.FLEET_TARGETS, message, "aggregate the expression in source.fields, e.g. with max by")
    if examination.targets is None:
        return skipped(CheckId.FLEET_TARGETS, "the scrape targets of the hosts are unknown")
    if examination.targets:
        host, targets = next(iter(examination.targets.items()))
        message = f"{len(examination.targets)} hosts have several scrape targets, such as {host}: "
        message += " and ".join(targets[:LISTED])
        fix = "if these are different machines, use another source.host_label, or a narrower source.selector"
        return warning(CheckId.FLEET_TARGETS, message, fix)
    return ok(CheckId.FLEET_TARGETS, "each host has one scrape target")
