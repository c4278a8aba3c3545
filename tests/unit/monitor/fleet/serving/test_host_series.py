"""Host series: metrics with the label `host`."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.fleet.serving.host_series import HELP, HostSeriesText, exposed_rows
from tests.unit.monitor.fleet.fleets import START, fleet_config, running_fleet

pytestmark = pytest.mark.unit

SERIES_PER_HOST = 11
"""Four metrics for each of two horizons, and three without a horizon."""


def series(state):
    families = text_string_to_metric_families(HostSeriesText().render(state))
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_every_host_has_the_metrics_of_a_single_host():
    values = series(running_fleet().fleet_state())
    labels = (("horizon", "5m"), ("host", "web2:9100"))
    assert values["monitor_high_load_probability", labels] == 0.6
    assert values["monitor_high_load_baseline_probability", labels] == 0.1
    assert values["monitor_high_load_warning", labels] == 1
    assert values["monitor_high_load_warning_threshold", labels] == 0.5
    assert values["monitor_high_load_active", (("host", "db1:9100"),)] == 1
    assert values["monitor_prediction_timestamp_seconds", (("host", "db1:9100"),)] == START
    assert values["monitor_fleet_host_model_info", (("host", "db1:9100"), ("model", "pretrained"))] == 1
    assert len(values) == 3 * SERIES_PER_HOST


def test_families_have_help():
    families = {
        family.name: family
        for family in text_string_to_metric_families(HostSeriesText().render(running_fleet().fleet_state()))
    }
    assert set(families) == {f"monitor_{name}" for name in HELP}
    assert all(family.documentation and family.type == "gauge" for family in families.values())


def test_top_hosts_are_those_with_the_highest_risk():
    fleet = running_fleet()
    state = fleet.fleet_state(config=fleet_config(fleet={"top_hosts": 2}))
    assert {state.table.hosts[row] for row in exposed_rows(state)} == {"db1:9100", "web2:9100"}
    assert len(series(state)) == 2 * SERIES_PER_HOST


def test_stale_hosts_have_no_series():
    fleet = running_fleet()
    del fleet.source.loads["db1:9100"]
    fleet.step(3)
    assert not any("db1:9100" in str(labels) for _, labels in series(fleet.fleet_state()))


def test_fleet_without_predictions_has_no_text():
    assert HostSeriesText().render(running_fleet({}).fleet_state()) == ""


def test_names_are_escaped():
    values = series(running_fleet({'a"b\\c\nd': 0.2}).fleet_state())
    assert {dict(labels)["host"] for _, labels in values} == {'a"b\\c\nd'}


def test_text_is_rendered_once_per_table():
    fleet = running_fleet()
    text = HostSeriesText()
    first = text.render(fleet.fleet_state())
    assert text.render(fleet.fleet_state()) is first
    fleet.source.loads["web1:9100"] = 0.4
    fleet.step()
    assert 'host="web1:9100"} 0.4\n' in text.render(fleet.fleet_state())
    fleet.source.loads["another"] = 0.4
    fleet.step()
    fleet.step()
    assert 'host="another"' in text.render(fleet.fleet_state())
