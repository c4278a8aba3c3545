"""Rules for Prometheus: validity, cases, and the path of a warning to a receiver."""

import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from model.nn.diagnostics.assessment import DEAD_UNITS_LIMIT
from monitor.queries.drift import DRIFT_THRESHOLD
from monitor.sampling.write_buffer import CAPACITY

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
ALERTS, RECORDING, SCRAPE = (DEPLOY / name for name in ("alerts.yml", "recording.yml", "scrape.yml"))
CASES = sorted((DEPLOY / "tests").glob("*.yml"))
DASHBOARDS = {
    json.loads(path.read_text())["uid"] for path in (ROOT / "deploy" / "grafana" / "dashboards").glob("*.json")
}
GOLDEN = ROOT / "tests" / "golden" / "metrics.txt"
PACKAGES = {"prometheus-alertmanager": "prometheus-alertmanager", "amtool": "prometheus-alertmanager"}


def need(*tools):
    """Return the paths of tools; without one, skip, or fail in CI."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        packages = " ".join(sorted({PACKAGES.get(tool, "prometheus") for tool in missing}))
        message = f"NOT TESTED: {', '.join(missing)} not installed (apt-get install {packages})"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return [shutil.which(tool) for tool in tools]


def promtool(*arguments):
    result = subprocess.run([*need("promtool"), *map(str, arguments)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def rules_of(path):
    """Return the rules of a file, of all groups."""
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def alerts():
    result = rules_of(ALERTS)
    assert len(result) > 20
    return result


def alert_names():
    """Return the names of all alerts, in the order of the file."""
    return list(dict.fromkeys(rule["alert"] for rule in alerts()))


def without_comments(text):
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def test_rules_pass_promtool():
    promtool("check", "rules", "--lint-fatal", ALERTS, RECORDING)


def test_shipped_configuration_passes_promtool(tmp_path):
    config = tmp_path / "prometheus.yml"
    config.write_text(f"rule_files: ['{ALERTS}', '{RECORDING}']\n{SCRAPE.read_text()}")
    assert "2 rule files found" in promtool("check", "config", "--lint-fatal", config)


def test_complete_configuration_has_same_job_and_passes_promtool(tmp_path):
    text = (DEPLOY / "prometheus.yml").read_text()
    assert yaml.safe_load(text)["scrape_configs"] == yaml.safe_load(SCRAPE.read_text())["scrape_configs"]
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus/monitor", str(DEPLOY)))
    assert "2 rule files found" in promtool("check", "config", "--lint-fatal", tmp_path / "prometheus.yml")


def test_documented_alertmanager_configuration_passes_amtool(tmp_path):
    [amtool] = need("amtool")
    page = (ROOT / "docs" / "how-to" / "alerting.md").read_text()
    [block] = [text for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S) if "receivers:" in text]
    (tmp_path / "alertmanager.yml").write_text(block)
    command = [amtool, "check-config", tmp_path / "alertmanager.yml"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_commented_scrape_configuration_is_valid(tmp_path):
    several = re.sub(
        r"^( +)# (?=- targets|  labels|file_sd_configs|  - files)", r"\1", SCRAPE.read_text(), flags=re.M
    )
    assert several.count("targets: [") == 3
    assert several.count("# file_sd") == several.count("# - targets") == 0
    (tmp_path / "prometheus.yml").write_text(several)
    promtool("check", "config", tmp_path / "prometheus.yml")


@pytest.mark.parametrize("cases", CASES, ids=lambda path: path.stem)
def test_alert_cases_pass_promtool(cases):
    promtool("test", "rules", cases)


def test_alert_has_firing_and_silent_case():
    received = defaultdict(set)
    for path in CASES:
        parts = re.split(r"^ +- eval_time: ", path.read_text(), flags=re.MULTILINE)[1:]
        for part in parts:
            name = re.search(r"alertname: (\w+)", part).group(1)
            received[name].add("quiet" if "exp_alerts: []" in part else "fires")
            received[name].update(re.findall(r"exp_labels: .*severity: '(\w+)'", part))
    for rule in alerts():
        assert {"fires", "quiet", rule["labels"]["severity"]} <= received[rule["alert"]], rule["alert"]
    assert set(received) == set(alert_names())


def test_alert_has_severity_and_annotations():
    for rule in alerts():
        name, annotations = rule["alert"], rule["annotations"]
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}, name
        assert set(annotations) == {"summary", "description", "runbook_url", "dashboard_url"}, name
        assert annotations["runbook_url"].startswith("https://"), name
        assert (RUNBOOKS / annotations["runbook_url"].rpartition("/")[2]).stem == name
        dashboard = re.fullmatch(r"https://[\w.]+/d/(monitor-\w+)(\?.*)?", annotations["dashboard_url"])
        assert dashboard[1] in DASHBOARDS, name
        if name != "MonitorAbsent":
            assert all("$labels.instance" in annotations[key] for key in ("summary", "description")), name
            assert "var-instance={{ $labels.instance | urlquery }}" in dashboard[2], name


def test_alerts_and_runbooks_match():
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == set(alert_names())
    index = (RUNBOOKS / "README.md").read_text()
    rows = re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| ([\w, ]+) \|", index, re.MULTILINE)
    severities = defaultdict(list)
    for rule in alerts():
        severities[rule["alert"]].append(rule["labels"]["severity"])
    assert rows == [(name, ", ".join(dict.fromkeys(listed))) for name, listed in severities.items()]


def test_pages_name_existing_alerts():
    named = {
        name: path.name
        for folder in (RUNBOOKS, ROOT / "docs" / "how-to", ROOT / "docs" / "reference")
        for path in folder.glob("*.md")
        for name in re.findall(r"\bMonitor[A-Z][a-z]\w+", path.read_text())
    }
    assert {name: page for name, page in named.items() if name not in alert_names()} == {}


def test_runbook_has_all_sections():
    for path in RUNBOOKS.glob("Monitor*.md"):
        page = path.read_text()
        assert page.startswith(f"# {path.stem}\n"), path
        parts = re.findall(r"^\*\*(.+?)\.\*\*", page, re.MULTILINE)
        assert parts == ["Meaning", "Symptoms", "Check", "Fix", "Ignore if"], path


def test_runbook_expressions_pass_promtool(tmp_path):
    shown = [
        line
        for path in sorted(RUNBOOKS.glob("Monitor*.md"))
        for block in re.findall(r"^```promql\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(shown) > len(alerts())
    rules = [{"record": f"runbook:line:{i}", "expr": line} for i, line in enumerate(shown)]
    (tmp_path / "rules.json").write_text(json.dumps({"groups": [{"name": "runbooks", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "rules.json")


def test_rules_use_bounds_of_the_program():
    recording, bounds = RECORDING.read_text(), ALERTS.read_text()
    assert f'monitor_storage_buffered_samples{{job="monitor"}} / {CAPACITY}\n' in recording
    assert f"[3d:1h]) > {DRIFT_THRESHOLD}\n" in recording
    assert f"instance:monitor_training_dead_unit_ratio:max >= {DEAD_UNITS_LIMIT}," in bounds


def test_rules_and_runbooks_use_known_metrics():
    exposed = set(re.findall(r"^(monitor_\w+)", GOLDEN.read_text(), re.MULTILINE))
    exposed |= {f"{metric}_bucket" for metric in re.findall(r"^# TYPE (\w+) histogram", GOLDEN.read_text(), re.M)}
    # The golden file has the metrics of a single host.
    metrics_page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    exposed |= set(re.findall(r"`(monitor_fleet_\w+)`", metrics_page))
    recorded = {rule["record"] for rule in rules_of(RECORDING)}
    for path in (ALERTS, RECORDING, *CASES, *RUNBOOKS.glob("*.md")):
        for name in re.findall(r"\b(?:instance:)?monitor_\w+(?::\w+)?", without_comments(path.read_text())):
            assert name in exposed | recorded, f"{path.name}: {name}"


def test_recorded_series_follow_naming_convention():
    names = [rule["record"] for rule in rules_of(RECORDING)]
    assert len(set(names)) == len(names) > 10
    assert all(re.fullmatch(r"instance:monitor_[a-z_]+:[a-z0-9_]+", name) for name in names)


# --- a warning on its way to a person ---------------------------------------------------------------------------


class Web:
    """An HTTP server that serves `page` on GET and keeps the JSON of every POST."""

    def __init__(self):
        self.page, self.posted = "", []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = outer.page.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                outer.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1})

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *failure):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def notified(self, name, status):
        """Return the notified alerts of a name and status."""
        received = [alert for post in list(self.posted) for alert in post["alerts"] if alert["status"] == status]
        return [alert for alert in received if alert["labels"]["alertname"] == name]


def page(warning):
    """Return the golden page with present times and one warning or none."""
    now = time.time()
    text = re.sub(r" 1\.(79\d*|8)\d*e\+09$", f" {now:.3f}", GOLDEN.read_text(), flags=re.MULTILINE)
    lines = []
    for line in text.splitlines():
        if line.startswith("monitor_high_load_active "):
            lines.append("monitor_high_load_active 0.0")
        elif line.startswith("monitor_high_load_") and 'horizon="5m"' in line:
            value = (
                "0.0" if line.startswith("monitor_high_load_warning{") and not warning else line.rpartition(" ")[2]
            )
            name = line.rpartition(" ")[0]
            lines += [f"{name.replace('5m', horizon)} {value}" for horizon in ("5m", "15m", "1h")]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


CUT = {"30s": "1s", "2m": "3s", "5m": "5s"}
"""Waits of the shipped high-load rules and their values in the test; all other waits are a second."""


def impatient(path, target):
    """Return the shipped rules with waits of seconds."""
    waits = re.compile(r"^( +(?:for|keep_firing_for|interval)): (\w+)$", re.MULTILINE)
    target.write_text(waits.sub(lambda match: f"{match[1]}: {CUT.get(match[2], '1s')}", path.read_text()))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(condition, seconds, what, logs):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.1)
    pytest.fail(f"no {what} within {seconds} s\n" + "\n".join(path.read_text()[-3000:] for path in logs))


def answer(url):
    with urllib.request.urlopen(url, timeout=5) as result:
        return json.loads(result.read())["data"]


@pytest.fixture
def road(tmp_path):
    """Start a target, Prometheus with the shipped rules, Alertmanager and a receiver."""
    prometheus, alertmanager = need("prometheus", "prometheus-alertmanager")
    running, logs = [], []

    def start(name, command):
        logs.append(tmp_path / f"{name}.log")
        with logs[-1].open("wb") as log:
            running.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path))

    with Web() as exporter, Web() as received:
        exporter.page = page(warning=False)
        impatient(ALERTS, tmp_path / "alerts.yml")
        impatient(RECORDING, tmp_path / "recording.yml")
        (tmp_path / "alertmanager.yml").write_text(
            "route: {receiver: person, group_by: [alertname], group_wait: 0s, group_interval: 1s}\n"
            f"receivers: [{{name: person, webhook_configs: [{{url: 'http://127.0.0.1:{received.port}/'}}]}}]\n"
        )
        port, alert_port = free_port(), free_port()
        scrape = SCRAPE.read_text().replace("127.0.0.1:10190", f"127.0.0.1:{exporter.port}")
        scrape = scrape.replace("scrape_interval: 15s", "scrape_interval: 1s").replace("timeout: 10s", "timeout: 1s")
        (tmp_path / "prometheus.yml").write_text(
            "global: {evaluation_interval: 1s}\nrule_files: [alerts.yml, recording.yml]\n"
            f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alert_port}']}}]}}]}}\n{scrape}"
        )
        start(
            "alertmanager",
            [alertmanager, "--config.file=alertmanager.yml", "--storage.path=am", "--cluster.listen-address=",
             f"--web.listen-address=127.0.0.1:{alert_port}"],
        )  # fmt: skip
        start(
            "prometheus",
            [prometheus, "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--rules.alert.resend-delay=1s",
             f"--web.listen-address=127.0.0.1:{port}"],
        )  # fmt: skip
        try:
            yield exporter, f"http://127.0.0.1:{port}/api/v1", received, logs
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(20)


def test_warning_is_notified_once_and_resolved(road):
    exporter, prometheus, received, logs = road
    # Other alerts of the golden page show that the road is open before there is a warning.
    wait_for(lambda: received.notified("MonitorAnomaly", "firing"), 60, "anomaly at the webhook", logs)
    assert not received.notified("MonitorHighLoadComing", "firing")
    exporter.page = page(warning=True)
    first = wait_for(
        lambda: received.notified("MonitorHighLoadComing", "firing"), 60, "warning at the webhook", logs
    )[0]
    assert first["labels"]["instance"] == f"127.0.0.1:{exporter.port}"
    assert first["labels"]["job"] == "monitor"
    assert "is 70%" in first["annotations"]["description"]
    assert "the base rate is 10%" in first["annotations"]["description"]
    assert "cpu_usage (+1.5)" in first["annotations"]["description"]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(first["annotations"]["dashboard_url"]).query)
    assert query == {"var-job": ["monitor"], "var-instance": [f"127.0.0.1:{exporter.port}"]}
    rules = [rule for group in answer(f"{prometheus}/rules")["groups"] for rule in group["rules"]]
    assert len(rules) == len(alerts()) + len(rules_of(RECORDING))
    assert [rule for rule in rules if rule["health"] != "ok"] == []
    jobs = answer(f"{prometheus}/query?query=monitor_job_runs_total")["result"]
    assert [(series["metric"]["job"], series["metric"]["exported_job"]) for series in jobs] == [
        ("monitor", "sampling_cycle")
    ]
    # Longer than any of the shortened waits, so that further notifications would have arrived.
    time.sleep(8)
    exporter.page = page(warning=False)
    wait_for(lambda: received.notified("MonitorHighLoadComing", "resolved"), 60, "all-clear at the webhook", logs)
    sent = [alert["labels"] for alert in received.notified("MonitorHighLoadComing", "firing")]
    assert {(labels["horizon"], labels["severity"]) for labels in sent} == {("5m", "warning")}
    assert "<error" not in json.dumps(received.posted)
