"""Clock checks: synchronisation of the kernel clock, age and gaps of the samples."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np

from model.array_types import Floats
from model.features.spacing import follows_gap, sample_spacing
from monitor.doctor.context import DoctorContext, StoredRecords
from monitor.doctor.fixes import show_log, start_daemon, synchronise_clock
from monitor.doctor.results import DATABASE_NOT_READ, failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.queries.overview import max_sample_age
from monitor.system.formatting import approximate_duration, format_count, format_time

UNSYNCHRONISED = 0x40
"""Status bit STA_UNSYNC of adjtimex(2): the clock is not synchronised."""

MISSED_RATIO = 0.05
"""Fraction of missed samples in the last day above which the check warns."""

SHIFTED_SECONDS = 0.1
"""Upper bound of the seconds past a whole second to which a duplicate timestamp is shifted."""


class Timex(ctypes.Structure):
    """struct timex of adjtimex(2): the fields up to `status`, and padding for the others."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    )


def check_kernel_clock(_: DoctorContext) -> Iterator[CheckResult]:
    """Check that adjtimex(2) reports a synchronised clock; the call does not change the clock."""
    timex = Timex()
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None or adjtimex(ctypes.byref(timex)) < 0:
        yield skipped(CheckId.CLOCK, "the kernel does not report the state of its clock (adjtimex)")
    else:
        yield assess_kernel_clock(timex.status, timex.maxerror)


def assess_kernel_clock(status: int, max_error: int) -> CheckResult:
    """Return a warning if the clock is not synchronised, otherwise ok with its maximum error.

    Args:
        status: status bits of adjtimex(2).
        max_error: maximum error in microseconds.
    """
    if status & UNSYNCHRONISED:
        return warning(CheckId.CLOCK, "not synchronised according to the kernel", synchronise_clock())
    return ok(CheckId.CLOCK, f"synchronised to at most {max_error / 1000:.0f} ms")


def check_samples(context: DoctorContext) -> Iterator[CheckResult]:
    """Check that no sample is in the future and that the newest is recent; look for gaps in the last day."""
    records = context.records
    if records is None:
        yield skipped(CheckId.NEWEST_SAMPLE, DATABASE_NOT_READ)
        return
    interval = context.config.sampling.interval
    newest = records.overview.last_sample
    if records.future and records.overview.future_at is not None:
        yield _future_samples(records, records.overview.future_at, context.now)
    elif newest is None:
        fix = "start the daemon, or import a history: `monitor import FILE`"
        yield warning(CheckId.NEWEST_SAMPLE, "no sample is stored yet", fix)
    else:
        yield assess_sample_age(context.now - newest.at, interval, running=context.daemon.running)
    if newest is not None:
        yield assess_gaps(records.recent)


def _future_samples(records: StoredRecords, newest_at: float, now: float) -> CheckResult:
    samples = format_count(records.future, "sample")
    message = f"{samples} in the future, the last at {format_time(newest_at)}; now {format_time(now)}"
    return failed(
        CheckId.NEWEST_SAMPLE, message, f"set the clock and {synchronise_clock()}; stored samples keep their time"
    )


def assess_sample_age(age: float, interval: float, *, running: bool | None) -> CheckResult:
    """Compare the age of the newest sample with `max_sample_age`.

    An old sample is a failure if the daemon runs, otherwise a warning.

    Args:
        age: seconds since the newest sample.
        interval: seconds between two samples.
        running: True if a daemon runs on this database; None if unknown.
    """
    message = f"newest {approximate_duration(max(age, 0.0))} old, interval {interval:g} s"
    if age <= max_sample_age(interval):
        return ok(CheckId.NEWEST_SAMPLE, message)
    if running:
        return failed(CheckId.NEWEST_SAMPLE, f"{message}, although the daemon runs", show_log())
    if running is None:
        fix = "run this as root or as the daemon's user, to see whether the daemon runs"
        return warning(CheckId.NEWEST_SAMPLE, message, fix)
    return warning(CheckId.NEWEST_SAMPLE, f"{message}; no daemon runs", start_daemon())


def assess_gaps(times: Floats) -> CheckResult:
    """Return a warning if more than MISSED_RATIO of the samples were missed, or if a timestamp was shifted.

    The recent spacing of the samples determines how many of them are missing in a gap: imported samples may be
    spaced differently from the sampling interval. `assess_sample_age` covers the time since the newest sample.

    Args:
        times: (samples,) times of the samples of the last day in seconds since the epoch, ascending.
    """
    if len(times) < 2:
        return skipped(
            CheckId.SAMPLE_GAPS, f"{format_count(len(times), 'sample')} in the last day: too few to find gaps"
        )
    intervals = np.diff(times)
    spacing = sample_spacing(times)[1:]
    after_gap = follows_gap(intervals, spacing)
    gaps = intervals[after_gap]
    missing = float(np.sum(np.round(gaps / spacing[after_gap]) - 1))
    fraction = times % 1
    shifted = int(np.sum((fraction > 0) & (fraction < SHIFTED_SECONDS)))
    missed = missing / (len(times) + missing)
    message = f"{len(times)} samples since {format_time(float(times[0]))}, {missed:.1%} missed"
    if len(gaps):
        message += f"; {format_count(len(gaps), 'gap')}, the longest {approximate_duration(float(gaps.max()))}"
    if shifted:
        message += f"; {format_count(shifted, 'sample')} shifted from a duplicate timestamp: the clock was set back"
        return warning(CheckId.SAMPLE_GAPS, message, f"slew the clock instead of setting it: {synchronise_clock()}")
    if missed > MISSED_RATIO:
        fix = f"find out whether the daemon was stopped, the clock set, or the host overloaded; {show_log()}"
        return warning(CheckId.SAMPLE_GAPS, message, fix)
    return ok(CheckId.SAMPLE_GAPS, message)
