"""Whether time is told right: by the kernel, and by what is stored."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np

from model.array_types import Floats
from monitor.doctor.context import Evidence
from monitor.doctor.results import Result, failed, ok, skipped, warning
from monitor.queries.status import old_after
from monitor.sampling.sampler import GAP_FACTOR
from monitor.system.formatting import approximate_duration, format_time

UNSYNCHRONISED = 0x40
"""STA_UNSYNC of adjtimex(2)."""

MISSED_MUCH = 0.05
"""The share of a day's samples from which on it is worth a word."""

SYNCHRONISE = "run chrony or systemd-timesyncd: timedatectl set-ntp true"


class Timex(ctypes.Structure):
    """struct timex of adjtimex(2), as far as it is read, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    )


def synchronised() -> Iterator[Result]:
    """What the kernel says of its clock; asking sets nothing."""
    asked = Timex()
    ask = getattr(ctypes.CDLL(None), "adjtimex", None)
    if ask is None or ask(ctypes.byref(asked)) < 0:
        yield skipped("clock", "the kernel does not tell whether it is synchronised (adjtimex)")
    else:
        yield judge_kernel_clock(asked.status, asked.maxerror)


def judge_kernel_clock(status: int, error: int) -> Result:
    """Whether the kernel holds its clock for right.

    Args:
        status: bits of adjtimex(2).
        error: microseconds that it may be off at most.
    """
    if status & UNSYNCHRONISED:
        return warning("clock", "not synchronised, as far as the kernel knows", SYNCHRONISE)
    return ok("clock", f"synchronised, off by {error / 1000:.0f} ms at most")


def stored_times(evidence: Evidence) -> Iterator[Result]:
    """Samples of the future, the last one's age, and the holes of the last day."""
    stored, interval = evidence.stored, evidence.config.sampling.interval
    if stored is None:
        yield skipped("samples", "the database could not be read")
        return
    last, future = stored.overview.last_sample, stored.overview.future_at
    if stored.ahead and future is not None:
        last_at, now = format_time(future), format_time(evidence.now)
        told = f"{stored.ahead} lie in the future, the last at {last_at}; now it is {now}"
        yield failed("samples", told, f"set the clock right ({SYNCHRONISE}); samples stay as they are stored")
    elif last is None:
        yield warning("samples", "there is none yet", "start the daemon, or bring a history in: monitor import")
    else:
        yield judge_age(evidence.now - last.at, interval, running=evidence.daemon.running)
    if last is not None:
        yield judge_day(stored.recent, evidence.now, interval)


def judge_age(age: float, interval: float, *, running: bool | None) -> Result:
    """Whether the last sample is as young as it should be; `age` and `interval` in seconds."""
    told = f"last one {approximate_duration(max(age, 0.0))} ago, one every {interval:g} s"
    if age <= old_after(interval):
        return ok("samples", told)
    if running:
        return failed("samples", f"{told}, and the daemon runs", "see why in its log: journalctl -u monitor -n 50")
    if running is None:
        return warning("samples", told, "see whether the daemon runs, as root or as the user that it runs as")
    return warning("samples", f"{told}; no daemon runs", "start it: systemctl start monitor, or monitor run")


def judge_day(times: Floats, now: float, interval: float) -> Result:
    """The holes in the samples of the last day.

    Args:
        times: seconds, in order.
        now: seconds.
        interval: seconds between two samples.
    """
    if len(times) < 2:
        return skipped("last day", f"{len(times)} samples: too few to look for gaps")
    gaps = np.diff(times)
    holes = gaps[gaps > GAP_FACTOR * interval]
    # The sampler stores whole seconds, and a moment that is taken already as the next free millisecond.
    moved = int(np.sum((times % 1 > 0) & (times % 1 < 0.1)))
    expected = (now - float(times[0])) // interval + 1
    share = max(0.0, 1 - len(times) / expected)
    told = f"{len(times)} samples since {format_time(float(times[0]))}, {share:.1%} missed"
    if len(holes):
        told += f"; {len(holes)} gaps, the longest {approximate_duration(float(holes.max()))}"
    if moved:
        told += f"; {moved} at moments that were taken: the clock was set back"
    if moved:
        return warning("last day", told, f"let the clock be slewed and not set: {SYNCHRONISE}")
    if share > MISSED_MUCH:
        return warning(
            "last day", told, "was the daemon stopped, or the clock set, or the host too busy? See its log"
        )
    return ok("last day", told)
