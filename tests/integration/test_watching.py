"""Anomalies from stored samples to events: a training, the daemon's watch with its clock moved on, the commands."""

import contextlib
import json
import sqlite3
import time
from dataclasses import replace

import numpy as np
import pytest

from monitor.config.loader import Config
from monitor.config.maintenance_windows import parse_windows
from monitor.config.schema import AnomalyConfig, SamplingConfig
from monitor.documents.anomalies import anomaly_count_document
from monitor.documents.status import status_document
from monitor.exporter.collector import StateCollector
from monitor.jobs.anomaly_detection import AnomalyDetectionJob
from monitor.queries.status import read_overview
from monitor.state import DaemonState
from monitor.stores import open_stores
from monitor.training.bootstrap_model import ensure_bootstrap_model
from monitor.training.exclusions import excluded_from_training
from monitor.training.records import read_active_model, read_model
from monitor.training.retrain import Request, retrain
from monitor.training.train_detector import detector_key, train_detector
from storage import SAMPLE_FIELDS, AnomalyRecord, MaintenanceWindow, StorageError, Verdict, open_database

pytestmark = pytest.mark.integration

DAY, STEP = 86400.0, 60.0
BEGIN = 1_793_491_200.0
LEARNED = 6 * DAY
SEEN = AnomalyRecord(0.0, None, 0.9, 0.0, "joint", {"cpu_usage": 1.0}, 1)
CONFIG = replace(Config(), sampling=SamplingConfig(interval=STEP))


def rows(begin, end, seed):
    """(samples, 1 + fields): a calm host, no high load at all."""
    times = np.arange(begin, end, STEP)
    rng = np.random.default_rng(seed)
    found = np.full((len(times), 1 + len(SAMPLE_FIELDS)), np.nan)
    found[:, 0] = times
    wave = np.sin(2 * np.pi * times / DAY)
    for name in ("cpu_usage", "memory_usage", "disk_busy", "load_per_cpu"):
        noise = np.convolve(rng.normal(size=len(times)), np.ones(5) / 5, "same")
        found[:, 1 + SAMPLE_FIELDS.index(name)] = 0.3 + 0.1 * wave + 0.02 * noise
    found[:, 1 + SAMPLE_FIELDS.index("network_receive")] = np.exp(8 + wave + 0.3 * rng.normal(size=len(times)))
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A database whose host was never under high load, after its first training."""
    path = tmp_path_factory.mktemp("watched") / "x.db"
    with open_stores(f"sqlite:///{path}") as stores:
        stores.samples.insert_missing(rows(BEGIN, BEGIN + LEARNED, 0))
        now = BEGIN + LEARNED
        ensure_bootstrap_model(stores, CONFIG, now)
        result = retrain(stores, CONFIG, Request(), lambda _: None, lambda: now)
        assert result.outcome == "skipped"
        assert "no high load" in result.reason
        assert "a new detector of anomalies serves" in result.reason
    return path


@pytest.fixture
def stores(trained, tmp_path):
    """A copy of it."""
    (tmp_path / "x.db").write_bytes(trained.read_bytes())
    with open_stores(f"sqlite:///{tmp_path / 'x.db'}") as opened:
        yield opened


class Host:
    """A host that goes on, and a daemon's job that watches it, an hour at a time."""

    interval = STEP

    def __init__(self, stores, config=CONFIG.anomaly):
        self.stores, self.now, self.states = stores, BEGIN + LEARNED, []
        self.start(config)

    def start(self, config=CONFIG.anomaly):
        self.job = AnomalyDetectionJob(self.stores, config, self.interval, self.states.append, lambda: self.now)

    @property
    def thresholds(self):
        return self.job._session._online.thresholds(0)

    @property
    def block_maxima(self):
        return self.thresholds.block_maxima

    def live(self, seconds, change=lambda found: None, every=3600.0):
        found = rows(self.now, self.now + seconds, seed=int(self.now) % 1000)
        change(found)
        end = self.now + seconds
        self.stores.samples.insert_missing(found)
        while self.now < end:
            self.now = min(self.now + every, end)
            self.job.run()
        return self.states[-1]


def busy(found, metric="cpu_usage", by=0.4):
    found[:, 1 + SAMPLE_FIELDS.index(metric)] += by


def test_a_host_that_was_never_under_load_is_watched_beside_the_prior(stores):
    host = Host(stores)
    state = host.live(2 * 3600.0)
    assert state.active is None
    assert 0 <= state.reading.score < 1
    assert set(state.metrics) >= {"cpu_usage", "network_receive"}
    overview = read_overview(stores, CONFIG, host.now)
    status = status_document(overview).anomalies
    assert (status.detecting, status.active, status.last_30_days, status.allowed_in_30_days) == (True, None, 0, 2.0)


def test_an_anomaly_is_an_event_from_its_first_minutes_to_its_end_and_is_told_everywhere(stores):
    host = Host(stores)
    host.live(3600.0)
    began = host.now
    state = host.live(1800.0, busy, every=60.0)
    assert state.active is not None
    assert 0 <= state.active.started_at - began <= 180
    assert next(iter(state.active.contributions)) == "cpu_usage"
    page = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in StateCollector(lambda: DaemonState("1", "3", anomaly=state)).collect()
        for sample in metric.samples
    }
    assert page["monitor_anomaly_active",] == 1
    assert page["monitor_anomaly_events_total",] == 1
    assert page["monitor_anomaly_started_timestamp_seconds",] == state.active.started_at
    assert sum(v for k, v in page.items() if k[0] == "monitor_anomaly_contribution") == pytest.approx(1)
    assert max(v for k, v in page.items() if k[0] == "monitor_anomaly_evidence_ratio") >= 1
    overview = read_overview(stores, CONFIG, host.now)
    assert status_document(overview).anomalies.active.id == state.active.id
    host.live(3 * 3600.0)
    # evidence of hours is left for as long, and a restart does not take it for another one
    host.start()
    host.live(3600.0, every=60.0)
    (event,) = stores.anomalies.since(0.0)
    assert event.ended_at is not None
    assert 1700 < event.ended_at - event.started_at < 2 * 3600
    assert host.states[-1].active is None


def test_a_restart_in_the_middle_goes_on_with_the_same_event(stores):
    host = Host(stores)
    host.live(3600.0)
    host.live(1200.0, busy)
    before = stores.anomalies.ongoing()
    assert before is not None
    host.start()
    host.live(600.0, busy, every=60.0)
    assert stores.anomalies.ongoing().id == before.id
    host.live(2 * 3600.0)
    assert [a.id for a in stores.anomalies.since(0.0)] == [before.id]
    # a daemon that was away while it ended closes it with what it last saw
    host.live(1200.0, busy)
    host.now += 6 * 3600.0
    host.start()
    host.live(600.0)
    assert stores.anomalies.ongoing() is None


def test_what_nobody_watches_any_more_does_not_go_on(stores):
    host = Host(stores)
    host.live(3600.0)
    host.live(1200.0, busy)
    assert stores.anomalies.ongoing() is not None
    host.start(AnomalyConfig(enabled=False))
    host.live(600.0)
    assert host.states[-1] is None
    assert stores.anomalies.ongoing() is None
    host.start()
    host.live(1200.0, busy)
    first = stores.registry.history()[-1].id
    stores.registry.rollback(first, host.now)
    host.live(600.0)
    assert stores.registry.detector(first) is None
    assert stores.anomalies.ongoing() is None


def test_a_watch_remembers_its_evidence_over_a_restart(stores):
    host = Host(stores)
    host.live(4 * 3600.0)
    model = stores.registry.active_id()
    kept = stores.anomalies.peaks(detector_key(stores.registry.detector(model)), BEGIN + LEARNED)
    # the half hour that is not over yet is not
    assert len(kept) == 3 * 7
    host.start()
    host.live(600.0)
    for peak in kept:
        found = host.block_maxima.get(int(peak.at // 1800))
        assert found[("joint", "spike", "overall").index(peak.channel)] == pytest.approx(peak.peak, rel=0.2)


def test_nothing_is_called_an_anomaly_in_maintenance_and_one_that_goes_on_ends(stores):
    host = Host(stores)
    host.live(3600.0)
    window = stores.anomalies.add_maintenance_window(MaintenanceWindow(host.now, host.now + 3600.0, "disks"))
    assert host.live(3000.0, busy).in_maintenance
    assert stores.anomalies.count() == 0
    assert [listed.note for listed in stores.anomalies.maintenance_windows(host.now)] == ["disks"]
    stores.anomalies.end_maintenance_window(window, host.now)
    host.live(1200.0, busy)
    assert stores.anomalies.ongoing() is not None


def test_hours_of_the_configuration_are_quiet_and_left_out(stores):
    begins = time.strftime("%H:%M", time.gmtime(BEGIN + LEARNED + 3600))
    windows = parse_windows([f"daily {begins}-{time.strftime('%H:%M', time.gmtime(BEGIN + LEARNED + 7200))}"])
    host = Host(stores, AnomalyConfig(maintenance=windows))
    host.live(3600.0)
    assert host.live(3000.0, busy).in_maintenance
    host.live(1800.0)
    assert stores.anomalies.count() == 0
    out = excluded_from_training(stores, windows, np.array([host.now - 2 * 3600.0, host.now - 3600.0]), host.now)
    assert out.tolist() == [False, True]


def test_a_hole_a_clock_set_back_and_no_samples_are_no_anomaly(stores):
    host = Host(stores)
    host.live(3600.0)
    host.now += 5 * 3600.0
    host.live(2 * 3600.0)
    host.now -= 3 * 3600.0
    host.job.run()
    host.now += 3600.0
    host.job.run()
    assert stores.anomalies.count() == 0
    assert host.states[-1] is not None


def test_the_operator_s_word_changes_what_is_learned(stores):
    host = Host(stores)
    host.live(3600.0)
    host.live(1800.0, busy)
    host.live(2 * 3600.0)
    (event,) = stores.anomalies.since(0.0)
    report = read_active_model(stores).report.detector
    times = stores.samples.between(0.0, host.now)
    assert train_detector(stores, CONFIG, times[:, 0], times[:, 1:], host.now).report.kept
    stores.anomalies.set_verdict(event.id, Verdict.INCIDENT, "a leak", host.now)
    counts = anomaly_count_document(stores.anomalies.since(0.0), 2.0, host.now)
    assert (counts.anomalies, counts.verdicts["incident"]) == (1, 1)
    again = train_detector(stores, CONFIG, times[:, 0], times[:, 1:], host.now)
    assert not again.report.kept
    assert again.report.excluded_share > report.excluded_share == 0
    # expected: the same at the same time of the next day is routine
    stores.anomalies.set_verdict(event.id, Verdict.EXPECTED, None, host.now)
    host.live(DAY - 2.5 * 3600.0)
    assert stores.anomalies.count() == 1
    host.live(1800.0, busy)
    host.live(3600.0)
    assert stores.anomalies.count() == 1


def busy_database(path):
    """A writer that holds the database."""
    held = sqlite3.connect(path, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    return held


@pytest.mark.parametrize("when", ["load", "half hour", "begin", "rows"])
def test_a_busy_database_costs_turns_and_nothing_else(trained, tmp_path, when):
    (tmp_path / "x.db").write_bytes(trained.read_bytes())
    with open_stores(f"sqlite:///{tmp_path / 'x.db'}", busy_timeout=0.05) as stores:
        host = Host(stores)
        if when == "load":
            stores.anomalies.add(replace(SEEN, started_at=host.now - 7200.0))
        else:
            host.live(13 * 3600.0)
        found = rows(host.now, host.now + 3600.0, seed=1)
        if when == "begin":
            busy(found)
        stores.samples.insert_missing(found)
        held = busy_database(tmp_path / "x.db")
        host.now += 3600.0
        try:
            for _ in range(2):
                if when == "rows" and host.job._session is not None:
                    host.job._session.scored_until = host.now - 60.0
                with contextlib.suppress(StorageError):
                    host.job.run()
        finally:
            held.rollback()
            held.close()
        state = host.live(1800.0, busy if when == "begin" else lambda _: None, every=60.0)
        assert state.reading.at >= host.now - 2 * STEP
        assert host.job._session.scored_until == host.now // STEP * STEP
        assert (stores.anomalies.ongoing() is not None) == (when == "begin")


def test_the_same_detector_under_another_model_keeps_its_evidence(stores):
    host = Host(stores)
    host.live(16 * 3600.0)
    first = stores.registry.active_id()
    before = host.thresholds.levels
    record, detector = stores.registry.record(first), stores.registry.detector(first)
    second = stores.registry.register(stores.registry.blob(first), record.report_json, host.now, detector)
    stores.registry.promote(second, host.now)
    host.live(600.0)
    assert host.job._model_id == second
    slots = range(int((BEGIN + LEARNED + 13 * 3600.0) // 1800), int(host.now // 1800) - 1)
    assert all(host.block_maxima.get(slot) is not None for slot in slots)
    assert host.thresholds.levels == pytest.approx(before, rel=0.3)


def test_samples_rarer_than_its_rows_leave_a_detector_out_until_another_is_learned(stores):
    host = Host(stores)
    host.interval = 300.0
    host.start()
    host.live(600.0)
    assert host.states[-1] is None
    rarer = replace(CONFIG, sampling=SamplingConfig(interval=300.0))
    overview = read_overview(stores, rarer, host.now)
    assert not overview.detection.detecting
    assert "the next training" in overview.detection.waiting_for
    times = stores.samples.between(0.0, host.now)
    again = train_detector(stores, rarer, times[:, 0], times[:, 1:], host.now)
    assert (again.report.step, again.report.kept) == (300.0, False)


def test_a_short_incident_is_left_out_with_the_half_hour_after_it(stores):
    host = Host(stores)
    host.live(13 * 3600.0)
    began = host.now
    event = stores.anomalies.add(replace(SEEN, started_at=began + 120.0, ended_at=began + 840.0))
    stores.anomalies.set_verdict(event, Verdict.INCIDENT, None, began)
    host.live(3600.0)
    slot = int(began // 1800)
    assert {slot, slot + 1} <= host.block_maxima._excluded
    assert slot + 2 not in host.block_maxima._excluded


def test_a_training_before_the_first_start_has_its_detector_beside_the_prior(tmp_path):
    with open_stores(f"sqlite:///{tmp_path / 'y.db'}") as stores:
        stores.samples.insert_missing(rows(BEGIN, BEGIN + LEARNED, 0))
        result = retrain(stores, CONFIG, Request(), lambda _: None, lambda: BEGIN + LEARNED)
        assert result.report.detector.metrics
        active = stores.registry.active_id()
        assert stores.registry.detector(active) is not None
        assert len(read_model(stores, active).report.detector.metrics) == 5


def test_why_no_detector_could_be_learned_is_told(tmp_path):
    with open_stores(f"sqlite:///{tmp_path / 'y.db'}") as stores:
        found = rows(BEGIN, BEGIN + LEARNED, 0)
        found[:, 1:] = np.where(np.isnan(found[:, 1:]), np.nan, 0.25)
        stores.samples.insert_missing(found)
        result = retrain(stores, CONFIG, Request(), lambda _: None, lambda: BEGIN + LEARNED)
        assert "no detector of anomalies: no metric varies" in result.reason
        overview = read_overview(stores, CONFIG, BEGIN + LEARNED)
        assert overview.detection.waiting_for.startswith("no metric varies")


def test_a_damaged_detector_is_named_and_the_daemon_goes_on(stores, caplog):
    host = Host(stores)
    model = stores.registry.active_id()
    blob = bytearray(stores.registry.detector(model))
    blob[len(blob) // 2] ^= 1
    path = stores.database.name
    with open_database(f"sqlite:///{path}") as database, database.writing() as connection:
        connection.exec_driver_sql("UPDATE models SET detector = ? WHERE id = ?", (bytes(blob), model))
    host.live(600.0)
    assert host.states[-1] is None
    assert "detector load failed" in caplog.text
    times = stores.samples.between(0.0, host.now)
    assert not train_detector(stores, CONFIG, times[:, 0], times[:, 1:], host.now).report.kept


def test_a_short_history_and_a_switch_say_why_nothing_is_watched(tmp_path):
    with open_stores(f"sqlite:///{tmp_path / 'y.db'}") as stores:
        found = rows(BEGIN, BEGIN + DAY, 0)
        stores.samples.insert_missing(found)
        ensure_bootstrap_model(stores, CONFIG, BEGIN + DAY)
        young = train_detector(stores, CONFIG, found[:, 0], found[:, 1:], BEGIN + DAY)
        assert young.blob is None
        assert "1 d of the 3 d" in young.report.reason
        overview = read_overview(stores, CONFIG, BEGIN + DAY)
        assert overview.detection.waiting_for == "not enough history: 1 d of the 3 d it needs"
        off = replace(CONFIG, anomaly=AnomalyConfig(enabled=False))
        assert (
            train_detector(stores, off, found[:, 0], found[:, 1:], BEGIN + DAY).report.reason
            == "anomaly.enabled is false"
        )


def test_the_commands_name_what_is_wrong(admin, capsys):
    admin.fill(10)
    assert admin("anomalies", "list") == (0, "no anomaly in the last 30 d\n", "")
    assert admin("anomalies", "maintenance")[1] == "no maintenance is active or planned\n"
    code, _, error = admin("anomalies", "show", "7")
    assert (code, "there is no anomaly 7" in error) == (1, True)
    assert admin("anomalies", "show")[0] == 2
    code, _, error = admin("anomalies", "ack", "7")
    assert (code, "--as" in error) == (2, True)
    code, out, _ = admin("anomalies", "maintenance", "--for", "2h", "--note", "disks", "--json")
    assert json.loads(out)["ends_at"] - json.loads(out)["starts_at"] == 7200
    assert "disks" in admin("anomalies", "maintenance")[1]
    assert admin("anomalies", "maintenance", "--end", "1")[0] == 0
    for wrong in (
        ("maintenance", "--from", "2030-01-01"),
        ("maintenance", "3"),
        ("maintenance", "--end", "1", "--for", "2h"),
        ("maintenance", "--for", "1h", "--from", "2020-01-01"),
        ("maintenance", "--note", "x"),
        ("list", "--as", "expected"),
        ("list", "5"),
    ):
        assert admin("anomalies", *wrong)[0] == 2, wrong
    assert admin("anomalies", "show", "9" * 20)[0] == 2
