"""The detector over made-up hosts: what is said row by row, what alarms, what does not."""

from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.backtest import backtest_detector
from model.anomaly.detector import fit_detector
from model.anomaly.events import QUIET, next_event, residual_event
from model.anomaly.online_detector import DetectorReading, OnlineDetector
from model.anomaly.serialization import dumps_detector, loads_detector
from model.anomaly.thresholds import SLOT_SECONDS
from model.anomaly.validation import DetectorValidation, validate_detector
from model.errors import NotEnoughHistoryError, SerializationError
from model.npz import pack, unpack

pytestmark = pytest.mark.unit

STEP, DAY = 300.0, 288
BEGINNING = 1.7e9 - 1.7e9 % 86400
COLUMNS = ("cpu", "memory", "disk", "traffic", "swap")
SWAP, LEARNED = 4, 14 * DAY


def host(days, seed=0):
    """Days of a host: a daily wave, noise that lasts a little, traffic with a long tail, swap that is never used."""
    rng = np.random.default_rng(seed)
    n = int(days * DAY)
    wave = np.sin(2 * np.pi * np.arange(n) / DAY)
    noise = rng.normal(size=(n, 4))
    lasting = np.stack([np.convolve(noise[:, j], np.ones(6) / 6, "same") for j in range(4)], axis=1)
    x = np.full((n, 5), 0.0)
    x[:, :3] = 0.4 + 0.1 * wave[:, None] + 0.03 * lasting[:, :3] + 0.02 * rng.normal(size=(n, 3))
    x[:, 3] = np.exp(8 + wave + lasting[:, 3])
    return x


def times(n, first=0):
    return BEGINNING + STEP * (first + np.arange(n))


@pytest.fixture(scope="module")
def detector():
    return fit_detector(times(LEARNED), host(14), COLUMNS, STEP)


def watched(detector, x, first=LEARNED, allowed=2.0, past=None):
    """Readings of rows that follow the past."""
    watch = OnlineDetector(detector, allowed)
    past = host(14)[-3 * DAY :] if past is None else past
    for at, row in zip(times(len(past), first - len(past)), past, strict=True):
        watch.step(at, row)
    return [watch.step(at, row) for at, row in zip(times(len(x), first), x, strict=True)]


def alarms(readings):
    return np.array([r is not None and r.alarm for r in readings])


def test_a_month_as_the_past_was_has_few_alarms(detector):
    found = watched(detector, host(44)[LEARNED:])
    begins = np.flatnonzero(np.diff(alarms(found), prepend=False))
    assert len(begins[::2]) <= 3
    scores = np.array([r.score for r in found])
    assert ((scores >= 0) & (scores <= 1)).all()
    assert np.median(scores) < 0.6
    assert all(r.contributions.sum() == pytest.approx(1) and (r.contributions >= 0).all() for r in found)


FAULTS = {
    "a metric that stays away": lambda x: x.__setitem__((slice(0, 72), 1), x[:72, 1] + 0.25),
    "a jump of one metric": lambda x: x.__setitem__((3, 0), x[3, 0] + 0.5),
    "a metric that froze": lambda x: x.__setitem__((slice(0, 72), 2), x[0, 2]),
    "all that froze": lambda x: x.__setitem__(slice(0, 72), x[0]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_its_metric_named(detector, fault):
    x = host(15)[LEARNED:]
    assert not alarms(watched(detector, x)).any()
    FAULTS[fault](x)
    found = watched(detector, x)
    assert alarms(found).any()
    worst = max((r for r in found if r is not None), key=lambda r: r.threshold_ratio)
    expected = {"a metric that stays away": "memory", "a jump of one metric": "cpu", "a metric that froze": "disk"}
    if fault in expected:
        assert detector.metrics[int(np.argmax(worst.contributions))] == expected[fault]
    channel = {"a jump of one metric": "spike", "a metric that froze": "flatline"}.get(fault, "joint")
    assert max(r.threshold_ratios[channel] for r in found if r is not None) >= 1 or fault == "all that froze"


def test_a_past_that_holds_anomalies_hides_no_greater_one(detector):
    x = host(14)
    x[1000:1010, 1] += 0.15
    x[2000:2020, :3] += 0.1
    learned = fit_detector(times(LEARNED), x, COLUMNS, STEP)
    assert learned.deviation == pytest.approx(detector.deviation, rel=0.1)
    later = host(15)[LEARNED:]
    FAULTS["all that froze"](later)
    later[150:170, :3] += 0.4
    found = alarms(watched(learned, later))
    assert found[:80].any()
    assert found[150:175].any()


def test_a_metric_that_never_varied_and_one_that_is_missing_are_no_evidence(detector):
    assert detector.metrics == COLUMNS[:SWAP]
    x = host(16)[LEARNED:]
    x[:, SWAP] = 7.0
    x[100:200, 1] = np.nan
    x[300:330] = np.nan
    found = watched(detector, x)
    assert not alarms(found).any()
    assert all(r is None for r in found[300:346])
    assert found[347] is not None


def test_a_hole_in_time_and_the_first_hours_raise_no_alarm(detector):
    watch = OnlineDetector(detector, 2.0)
    x = host(18)[LEARNED:]
    x[200:] += 0.2  # another level after a night without power
    at = times(len(x), LEARNED)
    at[200:] += 40 * STEP
    found = [watch.step(a, row) for a, row in zip(at, x, strict=True)]
    assert all(r is None for r in found[:16])
    assert all(r is None for r in found[200:216])
    with pytest.raises(ValueError, match="order of time"):
        watch.step(at[-1], x[-1])
    young = fit_detector(times(200), host(1)[:200], COLUMNS, STEP)
    assert not alarms(watched(young, host(2)[200:400], 200, past=host(1)[:200])).any()


def nightly(x, days, hour, height=0.4):
    for day in days:
        start = int(day * DAY + hour * 12)
        x[start : start + 9, [0, 2]] += height


def test_a_nightly_job_stops_alarming_and_the_same_load_by_day_alarms(detector):
    x = host(30)[LEARNED:]
    nightly(x, range(2, 12), hour=3)
    nightly(x, [12], hour=14)
    found = alarms(watched(detector, x))
    by_night = [found[d * DAY + 36 : d * DAY + 50].any() for d in range(2, 12)]
    assert by_night[0]
    assert not any(by_night[3:])
    assert found[12 * DAY + 14 * 12 : 12 * DAY + 14 * 12 + 14].any()


def test_a_weekly_job_stops_alarming_from_the_fourth_time_on(detector):
    x = host(14 + 44)[LEARNED:]
    nightly(x, range(2, 44, 7), hour=3)
    nightly(x, [41], hour=14)
    found = alarms(watched(detector, x))
    weekly = [found[d * DAY + 36 : d * DAY + 50].any() for d in range(2, 44, 7)]
    assert weekly[0]
    assert not any(weekly[3:])
    assert found[41 * DAY + 14 * 12 : 41 * DAY + 14 * 12 + 14].any()


def test_what_stays_at_its_limit_is_learned_within_hours(detector):
    x = host(17)[LEARNED:]
    x[100:, 0] = 1.0
    found = np.flatnonzero(alarms(watched(detector, x)))
    assert found[0] < 103
    # twelve hours and what a frozen value is given
    assert found[-1] < 100 + 12 * 20


def test_evidence_is_the_same_row_by_row_and_at_once(detector):
    """The peaks of the training, made at once, are those that a watch finds over the same rows with that forecast."""
    x = host(14)
    watch = OnlineDetector(replace(detector, slots=np.zeros(0, np.int64), peaks=np.zeros((0, 3))), 2.0)
    for at, row in zip(times(LEARNED), x, strict=True):
        watch.step(at, row)
    slots = [slot for slot in detector.slots.tolist() if slot * SLOT_SECONDS > BEGINNING + 86400]
    found = np.array([watch.peaks.of(slot) for slot in slots])
    expected = detector.peaks[-len(slots) :]
    # learned from the rest of it rather than from all: nearly the same
    close = np.abs(found - expected) < 0.25 * expected + 0.2
    assert close.mean() > 0.9


def test_a_detector_survives_as_bytes_and_damage_is_seen(detector):
    blob = dumps_detector(detector)
    assert dumps_detector(loads_detector(blob)) == blob
    x = host(15)[LEARNED:]
    first, second = watched(detector, x), watched(loads_detector(blob), x)
    assert [r.score for r in first] == [r.score for r in second]
    with pytest.raises(SerializationError):
        loads_detector(blob[:-100] + b"x" + blob[-99:])
    header, arrays = unpack(blob, "detector", 1)
    for name, wrong in (("mean", np.full(4, np.nan)), ("scales", np.ones(3)), ("heard", np.zeros(5, np.uint8))):
        with pytest.raises(SerializationError, match=r"shape|finite|flags"):
            loads_detector(pack(header, {**arrays, name: wrong}))
    with pytest.raises(SerializationError, match="not a detector"):
        loads_detector(pack({k: v for k, v in header.items() if k != "step"}, arrays))


def test_nothing_can_be_learned_of_what_does_not_move_or_was_not_watched():
    with pytest.raises(NotEnoughHistoryError, match="varies"):
        fit_detector(times(500), np.ones((500, 2)), ("a", "b"), STEP)
    with pytest.raises(NotEnoughHistoryError):
        fit_detector(times(20), host(1)[:20], COLUMNS, STEP)
    holes = host(1)
    holes[::4] = holes[1::4] = holes[2::4] = np.nan
    with pytest.raises(NotEnoughHistoryError, match="hole"):
        fit_detector(times(len(holes)), holes, COLUMNS, STEP)


def test_a_past_is_lived_through_before_a_detector_may_serve(detector):
    trial = validate_detector(detector, 2.0)
    assert trial.days == 7
    assert not trial.refusal
    noisy = replace(detector, peaks=detector.peaks * np.where(np.arange(len(detector.peaks)) % 13, 1, 40.0)[:, None])
    late = np.where((detector.slots > detector.slots[-1] - 5 * 48)[:, None], noisy.peaks, detector.peaks)
    assert validate_detector(replace(noisy, peaks=late), 2.0).alarms >= trial.alarms + 3
    assert "12 alarms in 7 days" in DetectorValidation(12, 7, 2.0).refusal
    assert np.isnan(DetectorValidation(0, 0, 2.0).monthly)
    assert validate_detector(replace(detector, slots=np.zeros(0, np.int64), peaks=np.zeros((0, 3))), 2.0).days == 0


def reading(at, ratio, score=0.5, present=1.0):
    return DetectorReading(
        at, score, {"joint": ratio, "spike": 0.0, "flatline": 0.0}, present, np.array([0.25, 0.75])
    )


def test_an_anomaly_begins_at_once_goes_on_below_and_ends_after_quiet():
    names, episode = ("a", "b"), None
    assert next_event(None, reading(0, 0.99), names, 60) is None
    assert next_event(None, reading(0, 3.0, present=0.9), names, 60) is None
    episode = next_event(None, reading(60, 1.2, 0.9), names, 60)
    assert (episode.began_at, episode.channel, episode.peak) == (60, "joint", 0.9)
    assert episode.shares == {"b": 0.75, "a": 0.25}
    episode = next_event(episode, reading(120, 0.8), names, 60)
    assert (episode.until, episode.peak) == (180, 0.9)
    episode = next_event(episode, reading(180, 2.0, np.nan), names, 60)
    assert (episode.peak, episode.peak_at) == (0.0, 180)
    last = episode.until
    for at in np.arange(240, last + QUIET - 60, 60):
        # evidence of hours outlives what it is of
        episode = next_event(episode, reading(at, 1.5, present=0.5), names, 60)
        assert not episode.ended
    episode = next_event(episode, reading(last + QUIET, 0.5), names, 60)
    assert episode.ended
    assert episode.until == last


def test_what_an_anomaly_has_left_behind_is_not_another_one():
    names = ("a", "b")
    episode = next_event(None, reading(0, 3.0), names, 60)
    for at in np.arange(60, QUIET + 120, 60):
        episode = next_event(episode, reading(at, 2.5, present=0.5), names, 60)
    assert episode.ended
    episode = next_event(episode, reading(4000, 2.4), names, 60)
    assert episode.ended, "less than was left alarms of nothing"
    assert next_event(episode, reading(4060, 3.5), names, 60).ended, "nor does not much more"
    again = next_event(episode, reading(4060, 3.7), names, 60)
    assert (again.ended, again.began_at, again.channel) == (False, 4060, "joint")
    other = DetectorReading(4060, 0.9, {"joint": 2.3, "spike": 1.1, "flatline": 0.0}, 1.0, np.array([0.25, 0.75]))
    assert next_event(episode, other, names, 60).channel == "spike"
    fallen = next_event(episode, reading(4060, 1.0, present=0.5), names, 60)
    assert not next_event(fallen, reading(4120, 1.6), names, 60).ended, "what had fallen comes up again"
    assert next_event(fallen, reading(4120, 0.5), names, 60) is None
    assert not next_event(residual_event(reading(0, 2.0)), reading(60, 3.1), names, 60).ended
    assert residual_event(reading(0, 0.5)) is None
    assert residual_event(None) is None


def test_a_past_watched_again_says_what_a_watch_would_have_said_and_knows_nothing_of_later():
    x = host(20)
    x[16 * DAY : 16 * DAY + 40, :3] += 0.4
    at = times(len(x))
    seen = backtest_detector(at, x, COLUMNS, at[LEARNED], None, 2.0)
    readings = watched(
        fit_detector(times(LEARNED), x[:LEARNED], COLUMNS, STEP), x[LEARNED:], past=x[LEARNED - 3 * DAY : LEARNED]
    )
    assert seen.scores == pytest.approx(np.array([r.score for r in readings]), abs=1e-3)
    assert any(e.began_at <= at[16 * DAY + 3] and e.until >= at[16 * DAY + 30] for e in seen.events)
    half = len(x) - 3 * DAY
    cut = backtest_detector(at[:half], x[:half], COLUMNS, at[LEARNED], 2 * 86400.0, 2.0)
    whole = backtest_detector(at, x, COLUMNS, at[LEARNED], 2 * 86400.0, 2.0)
    assert cut.scores == pytest.approx(whole.scores[: len(cut.scores)])


def test_samples_within_a_minute_are_scored_once_it_is_over():
    x = np.repeat(host(6), 5, axis=0)  # a sample each twelve seconds, in rows of a minute
    at = BEGINNING + 12.0 * np.arange(len(x))
    seen = backtest_detector(at, x, COLUMNS, at[4 * DAY * 5], None, 2.0)
    first, second = seen.scores[20 * 5 : 21 * 5], seen.scores[21 * 5 : 22 * 5]
    assert len(seen.scores) == len(x) - 4 * DAY * 5
    assert (first == first[0]).all()
    assert second[0] != first[0]


def test_a_metric_that_has_only_just_come_is_not_heard_yet():
    x = host(14)
    x[:-100, 1] = np.nan
    young = fit_detector(times(LEARNED), x, COLUMNS, STEP)
    assert young.metrics == ("cpu", "disk", "traffic")
    x = host(14)
    x[: 8 * DAY, 1] = np.nan
    later = fit_detector(times(LEARNED), x, COLUMNS, STEP)
    assert later.metrics == COLUMNS[:SWAP]
    # not the hours of a metric whose every noise is news
    assert alarms(watched(later, host(19)[LEARNED:])).mean() < 0.01
