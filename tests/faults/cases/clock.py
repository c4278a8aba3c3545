"""Steps of the wall clock."""

import time

from tests.faults.scenarios import preloaded
from tests.faults.table import case

YEAR = 365.25 * 86400
HELD = "at most 2 s without a sample; every earlier sample kept; distinct times; `/-/healthy` 200 throughout"
SET = "CLOCK_REALTIME through LD_PRELOAD"


def assert_steps(lab, *steps):
    """Set the clock to each offset in turn; return the longest time without a sample in seconds."""
    daemon, preload = preloaded(lab)
    daemon.wait_stored(5)
    kept = daemon.sample_times()
    longest = 0.0
    for offset in steps:
        missed = daemon.metric("samples_missed_total")
        preload.set(clock=offset)
        daemon.wait_sampled(1)
        daemon.wait_sampled(10)
        longest = max(longest, daemon.interval * (daemon.metric("samples_missed_total") - missed))
        assert daemon.healthy()
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    times = daemon.sample_times()
    assert set(kept) <= set(times)
    assert len(set(times)) == len(times)
    assert max(times) - max(kept) > max(steps) - 60
    assert longest <= 2.0 + recovery
    return longest


@case("clock set back by 60 s", SET, 7, HELD)
def clock_back_a_minute(lab):
    return assert_steps(lab, -60)


@case("clock set back by a day", SET, 7, HELD)
def clock_back_a_day(lab):
    return assert_steps(lab, -86400)


@case("clock set forward by 60 s", SET, 7, HELD)
def clock_forward_a_minute(lab):
    return assert_steps(lab, 60)


@case("clock set forward by 30 days", SET, 7, HELD)
def clock_forward_a_month(lab):
    return assert_steps(lab, 30 * 86400)


@case("clock set forward by 10 years", SET, 7, HELD)
def clock_forward_ten_years(lab):
    return assert_steps(lab, 10 * YEAR)


@case("clock set forward by 100 years, and back", SET, 7, HELD)
def clock_forward_a_century(lab):
    return assert_steps(lab, 100 * YEAR, 0)


@case("clock that jumps to and fro", f"{SET}: +1 h, -1 h, +1 d, -1 d, +1 year, 0", 7, HELD)
def clock_to_and_fro(lab):
    return assert_steps(lab, 3600, -3600, 86400, -86400, YEAR, 0)


@case(
    "retention while the clock is 100 years ahead",
    f'{SET} to 4 s before a full hour, when the retention job runs; `retention = "1h"`',
    7,
    "no sample deleted",
)
def retention_in_the_future(lab):
    daemon, preload = preloaded(lab)
    daemon.set_training('[training]\ninterval = "365d"\nmin_history = "10m"\n')
    daemon.config.write_text(daemon.config.read_text().replace("[high_load]", 'retention = "1h"\n[high_load]'))
    daemon.stop()
    daemon.start(env=preload.env)
    kept = daemon.sample_times()
    now = time.time()
    preload.set(clock=100 * YEAR + 3600 - 4 - (now + 100 * YEAR) % 3600)
    daemon.wait(lambda: daemon.metric('job_runs_total{job="retention"}') > 0)
    daemon.wait_sampled(5)
    assert set(kept) <= set(daemon.sample_times())
    preload.set(clock=0)
    recovery = daemon.wait_stored(3)
    assert set(kept) <= set(daemon.sample_times())
    daemon.assert_stops()
    return recovery


@case(
    "start with the clock 100 years ahead, then corrected",
    f"{SET} before a restart; set back while running",
    7,
    "every sample kept; sampling continues after both",
)
def start_in_the_future(lab):
    daemon, preload = preloaded(lab)
    daemon.assert_stops()
    kept = daemon.sample_times()
    preload.set(clock=100 * YEAR)
    daemon.start(env=preload.env)
    assert daemon.healthy()
    preload.set(clock=0)
    recovery = daemon.wait_stored(5)
    assert daemon.healthy()
    daemon.assert_stops()
    assert set(kept) <= set(daemon.sample_times())
    return recovery


@case(
    "start in 1970",
    f"{SET} before a restart; corrected while running",
    7,
    "starts, samples, keeps every sample",
)
def start_in_1970(lab):
    daemon, preload = preloaded(lab)
    daemon.assert_stops()
    kept = daemon.sample_times()
    preload.set(clock=86400 - time.time())
    daemon.start(env=preload.env)
    assert daemon.healthy()
    preload.set(clock=0)
    recovery = daemon.wait_stored(5)
    daemon.assert_stops()
    assert set(kept) <= set(daemon.sample_times())
    return recovery
