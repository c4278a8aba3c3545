"""Mixin: the shipped rules and dashboards are its output, and its settings take effect."""

import json
import re
import subprocess
import sys
from pathlib import Path

import _jsonnet
import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SHIPPED = (
    DEPLOY / "prometheus" / "alerts.yml",
    DEPLOY / "prometheus" / "recording.yml",
    *sorted((DEPLOY / "grafana" / "dashboards").iterdir()),
)
CONFIG = """{
  selector: 'job="early", env="prod"',
  runbookURLPattern: 'https://wiki.example.net/runbooks/%s',
  grafanaURL: 'https://graphs.example.net/root',
  horizons: ['10m'],
  highLoadClasses: [{ name: 'any', horizons: '.+', severity: 'critical', 'for': '1m' }],
  maxSampleAge: 1234,
}"""


@pytest.fixture(scope="module")
def configured():
    """Return alerts, rules and dashboards of the mixin with CONFIG."""
    source = (
        f"local mixin = (import '{DEPLOY}/mixin/mixin.libsonnet') + {{ _config+:: {CONFIG} }};"
        "{ alerts: mixin.prometheusAlerts, rules: mixin.prometheusRules, dashboards: mixin.grafanaDashboards }"
    )
    return json.loads(_jsonnet.evaluate_snippet("test", source))


def rules_of(groups):
    return [rule for group in groups["groups"] for rule in group["rules"]]


def test_shipped_files_are_generated_from_the_mixin(tmp_path):
    command = [sys.executable, str(ROOT / "scripts" / "make_mixin.py"), str(tmp_path)]
    subprocess.run(command, check=True, timeout=60)
    generated = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert generated == {path.relative_to(DEPLOY): path.read_text() for path in SHIPPED}


def test_selector_applies_to_every_exported_series(configured):
    for rule in rules_of(configured["alerts"]) + rules_of(configured["rules"]):
        series = re.findall(r'(?<![:\w])(monitor_\w+|up)\b(?!:)(\{job="early", env="prod")?', rule["expr"])
        assert series or "instance:" in rule["expr"], rule
        assert [name for name, selected in series if not selected] == [], rule["expr"]


def test_addresses_of_annotations_are_those_of_the_configuration(configured):
    for rule in rules_of(configured["alerts"]):
        assert rule["annotations"]["runbook_url"] == f"https://wiki.example.net/runbooks/{rule['alert']}"
        assert rule["annotations"]["dashboard_url"].startswith("https://graphs.example.net/root/d/monitor-")
    assert "example.com" not in json.dumps(configured)


def test_high_load_classes_and_thresholds_are_those_of_the_configuration(configured):
    rules = {}
    for rule in rules_of(configured["alerts"]):
        rules.setdefault(rule["alert"], []).append(rule)
    [high_load] = rules["MonitorHighLoadComing"]
    assert high_load["labels"] == {"severity": "critical", "horizon_class": "any"}
    assert high_load["for"] == "1m"
    assert "ALERTS" not in high_load["expr"]
    [stopped] = rules["MonitorSamplingStopped"]
    assert "> 1234)" in stopped["expr"]


def test_fleet_columns_are_the_configured_horizons(configured):
    [table] = [panel for panel in configured["dashboards"]["fleet.json"]["panels"] if panel["type"] == "table"]
    columns = [entry["matcher"]["options"] for entry in table["fieldConfig"]["overrides"]]
    assert [name for name in columns if name.startswith("within")] == ["within 10m"]


def test_documented_jsonnet_generates_rules_and_dashboards():
    page = (ROOT / "docs" / "how-to" / "alerting.md").read_text()
    [source] = re.findall(r"^```jsonnet\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    # `jb install` names the directory in `vendor` as that of the mixin.
    generated = json.loads(_jsonnet.evaluate_snippet("monitor.jsonnet", source, jpathdir=[str(DEPLOY)]))
    assert set(generated) == {
        "alerts.json",
        "recording.json",
        *(path.name for path in SHIPPED if path.suffix == ".json"),
    }
    severities = {
        rule["labels"]["severity"]
        for rule in rules_of(generated["alerts.json"])
        if rule["alert"] == "MonitorHighLoadComing"
    }
    assert severities == {"critical", "info"}
