"""Tests of monitor.web.ui.page: figures of each panel, escaping, and states without data."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from model.features.labels import Rules
from model.serving import REDUCED_MODEL, Serving, ServingReason
from monitor.config.loader import Config
from monitor.config.schema import HighLoadSection
from monitor.documents.anomalies.actions import ActionsDocument
from monitor.queries.channels import ChannelOverview
from monitor.queries.detection import DetectionState
from monitor.queries.overview import ServingFallback
from monitor.queries.what_if import Setting, WhatIfError
from monitor.state import DaemonState
from monitor.web.api import Api
from monitor.web.ui.page import render_page
from storage import ChannelHealth, MaintenanceWindow, StorageErrorKind
from tests.unit.monitor.conftest import NOW
from tests.unit.monitor.documents.samples import SCORECARD
from tests.unit.monitor.web.wsgi import stored_documents

from .html import Page

pytestmark = pytest.mark.unit

MALICIOUS_NAME = '<b onclick="x">cpu</b>'
EVENT = {
    "id": 7,
    "started_at": 1_800_000_000.0,
    "ended_at": None,
    "channel": "joint",
    "peak": 0.997,
    "contributions": {MALICIOUS_NAME: 0.9, "disk_busy": 0.1},
    "verdict": None,
    "replayed": False,
}
MODEL = {
    "id": 3,
    "created_at": 1_800_000_000.0,
    "promoted_at": 1_800_000_100.0,
    "size": 263_000,
    "pretrained": False,
    "imported_from": None,
    "serving": True,
    "quarantined": (),
}


class Records:
    """Database with one anomaly event and a scorecard."""

    def anomalies(self):
        return [EVENT]

    def scorecard(self):
        return SCORECARD


@pytest.fixture
def detecting(state):
    """The full state, with a detector that serves."""
    return replace(state, overview=replace(state.overview, detection=DetectionState(detecting=True)))


def html_of(state, records=None, path="/"):
    return render_page(Api(lambda: state, lambda: records), "web-1", path)


def page_of(state, records=None, path="/"):
    return Page(html_of(state, records, path))


def test_status_panel_shows_high_load_and_warnings(state):
    page = page_of(state)
    assert "chip good" in page.classes
    assert page.classes.count("chip bad") == 4
    assert "capacity warning" in page.sections["status"]
    assert "/#capacity" in page.links
    assert "card warning" in page.classes


def test_page_states_that_load_is_unknown_while_no_metric_of_the_rules_is_known(state):
    live = replace(state.live, forecast=None, high_load=None)
    waiting = replace(state.overview, covered=720.0, last_run=None)
    page = page_of(replace(state, live=live, overview=waiting))
    assert "load unknown" in page.sections["status"]
    assert "%" not in page.sections["prediction"]
    assert "high-load rules" in page.sections["prediction"]


def test_prediction_panel_shows_probability_base_rate_and_threshold(state):
    text = page_of(state).sections["prediction"]
    assert re.findall(r"\d+%", text)[:3] == ["70%", "10%", "60%"]
    assert "within 5 min" in text


def test_page_leads_with_high_load(state, live):
    predictions = tuple(replace(p, warning=False, high_load_since=NOW - 300) for p in live.forecast.predictions)
    forecast = replace(live.forecast, predictions=predictions)
    high = replace(state, live=replace(live, forecast=forecast, high_load=True, high_load_since=NOW - 300))
    page = page_of(high)
    assert "High load since 2027-01-15 07:55 UTC" in page.sections["prediction"]
    assert "continues or returns" in page.sections["prediction"]
    assert "no warnings while load is high" in page.sections["prediction"]
    assert "card warning" not in page.classes


def test_prediction_panel_shows_no_threshold_where_none_can_be_reached(state, live):
    predictions = tuple(replace(p, threshold=1.0, warning=False) for p in live.forecast.predictions)
    forecast = replace(live.forecast, predictions=predictions)
    page = page_of(replace(state, live=replace(live, forecast=forecast)))
    assert "100%" not in page.sections["prediction"]
    assert "card warning" not in page.classes


def test_prediction_panel_names_the_fallback(state):
    serving = Serving(REDUCED_MODEL, ServingReason.INPUT_OUT_OF_RANGE, ("memory_usage",))
    forecast = replace(state.live.forecast, serving=(serving,))
    page = page_of(replace(state, live=replace(state.live, forecast=forecast)))
    assert "reduced model: memory_usage outside its training range" in page.sections["prediction"]


def test_prediction_panel_states_the_reason_without_a_prediction(state):
    waiting = replace(state.overview, model=None, covered=720.0, last_run=None)
    live = replace(state.live, forecast=None, model_id=None)
    text = page_of(replace(state, live=live, overview=waiting)).sections["prediction"]
    assert waiting.waiting_for
    assert waiting.waiting_for in text


def capacity_page(state, *resources):
    return page_of(replace(state, capacity=replace(state.capacity, resources=resources)))


def test_capacity_panel_shows_use_probability_expected_time_and_warning(state):
    page = page_of(state)
    disk, memory = page.rows["capacity"][1:]
    full = "in 12 h, 2027-01-15 20:00:00 UTC"
    assert disk == ["/var", "80% of 93.1 GiB", "", "75% within 1 d", full, "warning"]
    assert memory == ["memory", "50%", "", "2% within 1 h", "-", "no warning"]
    assert "2027-01-15 08:00:00 UTC" in page.sections["capacity"]


def test_capacity_panel_shows_passed_limits_and_missing_predictions(state):
    disk, memory = state.capacity.resources
    full = replace(disk, row=replace(disk.row, used=96e9, probability=1.0, warning=False))
    young = replace(memory, row=replace(memory.row, probability=None), history=600.0)
    page = capacity_page(state, full, young)
    rows = page.rows["capacity"][1:]
    assert rows[0][3:] == ["-", "-", "above 95%"]
    assert rows[1][3:] == ["not enough data yet: 10 min of 30 min", "-", "no warning"]
    assert "capacity warning" in page.sections["status"]
    assert "capacity warning" not in capacity_page(state, memory).sections["status"]


def test_capacity_panel_labels_each_cell_and_bar_and_escapes_mount_points(state):
    disk = replace(state.capacity.resources[0], name=MALICIOUS_NAME)
    html = html_of(replace(state, capacity=replace(state.capacity, resources=(disk,))))
    panel = html[html.index('<section id="capacity"') : html.index('<section id="quality"')]
    assert MALICIOUS_NAME not in panel
    assert Page(panel).rows["capacity"][1][0] == MALICIOUS_NAME
    labels = re.findall(r'data-label="([^"]+)"', panel)
    assert labels == re.findall(r'<th scope="col"[^>]*>([^<]+)<', panel)
    assert 'aria-label="80% used, limit 95%"' in panel


def test_quality_panel_shows_the_scores_of_each_horizon(state):
    row = page_of(state).rows["quality"][1]
    assert row == ["5m", "120000", "5%", "0.0200", "0.400", "0.200", "80%", "60%"]


def test_quality_panel_shows_the_scorecard_with_the_horizons_that_lack_periods(state):
    page = page_of(state, Records())
    rows = [row for row in page.rows["quality"] if len(row) == 7]
    assert rows[:3] == [
        ["any", "monitor", "8 of 9", "10 min", "4 min to 15 min", "-", "-"],
        ["5m", "monitor", "7 of 9", "4.5 min", "3 min to 5 min", "3", "1.5"],
        ["5m", "predict_linear", "2 of 9", "1 min", "45 s to 1.5 min", "3", "1.5"],
    ]
    assert "15m: fewer than 5 high-load periods started" in page.sections["quality"]


def test_quality_panel_shows_predicted_and_observed_frequencies(state):
    rows = page_of(state).rows["reliability-5m"]
    assert rows[1:] == [["3%", "2%", "100000"], ["85%", "80%", "20000"]]


def test_quality_panel_highlights_negative_skill(state):
    assert "bad" not in page_of(state).classes
    (score,) = state.overview.scores
    worse = replace(score, score=replace(score.score, skill=-0.1))
    page = page_of(replace(state, overview=replace(state.overview, scores=(worse,))))
    assert "bad" in page.classes


def test_anomaly_panel_lists_events(detecting):
    (event,) = page_of(detecting, Records()).rows["anomalies"][1:]
    assert event[:2] == ["7", "2027-01-15 08:00:00 UTC"]
    assert event[3:] == ["0.997", "joint", f"{MALICIOUS_NAME} 90%, disk_busy 10%", "live", "-"]


def test_anomaly_panel_links_the_page_of_each_event(detecting):
    assert "/anomalies/7" in page_of(detecting, Records()).links


def test_anomaly_panel_has_no_table_without_a_detector(state):
    assert "anomalies" not in page_of(state, Records()).rows


def test_host_panel_shows_values_with_their_units(state):
    rows = {row[0]: row[1:] for row in page_of(state).rows["host"][1:]}
    assert rows["cpu_usage"] == ["25.0%", ""]
    assert rows["network_receive"] == ["1 kB/s", ""]


def test_host_panel_shows_a_dash_for_a_missing_value(state, live):
    sample = replace(live.sample, disk_busy=None)
    rows = page_of(replace(state, live=replace(live, sample=sample))).rows["host"]
    assert ["disk_busy", "-", ""] in rows


def test_model_panel_shows_holdout_scores(state):
    page = page_of(state, path="/model")
    assert "abcdef012345" in page.sections["model"]
    assert page.rows["model"][1] == ["5 min, network", "0.0100", "0.500", "0.750", "0.020"]
    assert page.rows["model"][3] == ["5 min, climatology", "0.0100", "0.500", "-", "0.020"]


def test_model_panel_names_fallbacks(state):
    overview = replace(state.overview, fallbacks=(ServingFallback(300.0, "calm", "persistence"),))
    text = page_of(replace(state, overview=overview), path="/model").sections["model"]
    assert "persistence" in text
    assert "5 min" in text


def test_training_panel_shows_outcome_and_gradient_health(state):
    page = page_of(state, path="/model")
    text = page.sections["training-summary"]
    assert "promoted" in text
    assert "healthy" in text
    assert "62% of units dead" in text
    assert ["0.weight", "1.0e-01", "4.0e-01", "1.0e-03", ""] in page.rows["training-summary"]
    assert ["1", "12%", "-"] in page.rows["training-summary"]


def test_training_panel_tolerates_a_run_without_a_report(state):
    run = replace(state.overview.last_run, report={}, outcome="failed", reason="killed")
    page = page_of(replace(state, overview=replace(state.overview, last_run=run)), path="/model")
    assert "killed" in page.sections["training-summary"]
    assert "training-summary" not in page.rows


def test_model_page_lists_the_registered_models(state):
    class Registry(Records):
        def models(self):
            return [
                SimpleNamespace(**MODEL),
                SimpleNamespace(**MODEL | {"id": 2, "serving": False, "promoted_at": None}),
            ]

    first, second = page_of(state, Registry(), "/model").rows["registry"][1:]
    assert (first[0], first[3], first[4], first[5]) == ("3", "263 kB", "this host", "serving")
    assert (second[0], second[2], second[5]) == ("2", "-", "")


def test_configuration_page_shows_rules_drift_and_values_without_credentials(state):
    rules = Rules((((("cpu_usage", 0.6), ("memory_usage", "p95"))),), 60.0)
    web = replace(Config().storage, url="postgresql://monitor:secret@db/monitor")
    page = page_of(
        replace(state, config=Config(storage=web, high_load=HighLoadSection(rules=rules.rules))), path="/config"
    )
    assert page.rows["rules"][1][1] == "cpu_usage >= 0.6 and memory_usage >= p95"
    assert ["cpu_usage", "0.05", ""] in page.rows["drift"]
    assert any(row[0] == "interval" for row in page.rows["configuration"] if row)
    assert "secret" not in page.sections["configuration"]


@pytest.mark.parametrize("path", ["/", "/model", "/config"])
def test_pages_without_any_state_say_so(path):
    html = html_of(DaemonState("1.2.3", "3.11"), path=path)
    assert f'href="{path}" aria-current="page"' in html


def test_page_without_a_sample_has_all_panels_and_no_figures():
    page = page_of(DaemonState("1.2.3", "3.11"))
    panels = {"status", "prediction", "history", "capacity", "quality", "anomalies", "host"}
    assert panels <= set(page.sections)
    assert "capacity.enabled" in page.sections["capacity"]
    assert page.rows == {}
    assert "chip bad" in page.classes


def test_page_escapes_text(detecting):
    html = html_of(detecting, Records())
    assert "<b onclick" not in html
    assert "&lt;b onclick" in html


def test_page_escapes_the_host_name(state):
    html = render_page(Api(lambda: state, lambda: None), "</title><script>", "/")
    assert "<script>" not in html


@pytest.mark.parametrize("path", ["/", "/model", "/config"])
def test_page_loads_only_its_own_files_and_has_no_inline_code(state, path):
    html = html_of(state, path=path)
    assert all(link.startswith(("/", "#")) for link in Page(html).links)
    assert "style=" not in html
    assert "<script>" not in html
    assert not re.search(r"\son\w+=", html)


def test_status_panel_names_problems_of_the_daemon(state):
    job = replace(state.jobs["sampling_cycle"], hung=True, hung_since=NOW - 600)
    storage = replace(state.storage, problem=StorageErrorKind.DISK_FULL, message="x.db: <no space>")
    page = page_of(replace(state, storage=storage, jobs={**state.jobs, "retention": job}))
    assert "not storing" in page.sections["status"]
    assert "retention hangs since" in page.sections["status"]
    assert "x.db: <no space>" in page.sections["status"]


def test_configuration_page_shows_the_channels_with_their_last_error(state):
    channels = (ChannelOverview("webhook", ChannelHealth("ops", NOW - 60, NOW, MALICIOUS_NAME, 3), 2, 1),)
    failing = replace(state, overview=replace(state.overview, channels=channels))
    page = page_of(failing, path="/config")
    row = page.rows["channels"][1]
    assert row[:5] == ["ops", "webhook", "2", "1", "3"]
    assert row[7] == MALICIOUS_NAME
    assert "notifications fail" in page.sections["status"]
    given_up = (replace(channels[0], health=ChannelHealth("ops", NOW)),)
    state = replace(state, overview=replace(state.overview, channels=given_up))
    assert "notifications given up" in page_of(state).sections["status"]


def test_status_panel_names_maintenance(state):
    window = MaintenanceWindow(0.0, NOW + 1e6, "new disks")
    in_maintenance = replace(state, overview=replace(state.overview, maintenance=(window,)))
    assert "maintenance" in page_of(in_maintenance).sections["status"]
    assert "maintenance" not in page_of(state).sections["status"]


def test_maintenance_page_lists_windows_with_their_state(state, stores):
    for start, end, note in ((-7200, -3600, "past"), (-60, 60, MALICIOUS_NAME), (60, 120, "planned")):
        stores.anomalies.add_maintenance_window(MaintenanceWindow(NOW + start, NOW + end, note))
    documents = stored_documents(stores)
    actions = ActionsDocument(permitted=True, token="0123abcd")
    api = Api(lambda: state, lambda: documents, lambda: NOW)
    html = render_page(api, "web-1", "/maintenance", 1.0, actions)
    rows = Page(html).rows["maintenance"][1:]
    assert [(row[0], row[1], row[4], row[5]) for row in rows] == [
        ("3", "planned", "planned", "Cancel"),
        ("2", "active", MALICIOUS_NAME, "End now"),
        ("1", "ended", "past", ""),
    ]
    assert MALICIOUS_NAME not in html
    assert html.count('name="token" value="0123abcd"') == 3
    assert "<form" not in render_page(api, "web-1", "/maintenance")


def test_maintenance_page_without_a_database_says_so(state):
    assert "cannot be read" in page_of(state, path="/maintenance").sections["maintenance"]


class SettingRecords(Records):
    """Database with a present setting, whose what-if result is an error."""

    def __init__(self, error=None):
        self._error = error
        self.changes = []

    def what_if_setting(self, config):
        return Setting(0.8, Rules(((("cpu_usage", 0.85),), (("disk_write", 5e7),)), 60.0))

    def what_if(self, change, config):
        self.changes.append(change)
        raise WhatIfError(MALICIOUS_NAME)


def test_what_if_form_has_the_present_setting_and_computes_nothing(state):
    records = SettingRecords()
    html = html_of(state, records, "/config")
    assert 'name="precision" value="0.8"' in html
    assert 'name="bound_1_cpu_usage" value="0.85"' in html
    assert 'name="bound_2_disk_write" value="5e+07"' in html
    assert records.changes == []


def test_what_if_form_keeps_what_was_submitted_and_shows_an_escaped_error(state):
    records = SettingRecords()
    query = {"precision": "0.7", "bound_1_cpu_usage": "0.9", "range": "24h"}
    html = render_page(Api(lambda: state, lambda: records), "web-1", "/config", query=query)
    assert 'name="precision" value="0.7"' in html
    assert 'name="bound_1_cpu_usage" value="0.9"' in html
    assert '<option value="24h" selected>' in html
    assert MALICIOUS_NAME in Page(html).sections["what-if"]
    assert MALICIOUS_NAME not in html
    (change,) = records.changes
    assert (change.precision, change.seconds) == (0.7, 86400.0)


def test_what_if_names_an_unknown_setting(state):
    assert "not known yet" in page_of(state, path="/config").sections["what-if"]
