"""Grafana dashboards, with every query run on a real Prometheus that scrapes the golden page."""

import itertools
import json
import math
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
DASHBOARDS = {file.stem: json.loads(file.read_text()) for file in FILES}
HORIZONS = ("5m", "15m", "1h")
PAGE = re.sub(
    r'^(\w+{.*)horizon="5m"(.*) (\S+)$',
    lambda line: "\n".join(
        f'{line[1]}horizon="{horizon}"{line[2]} {float(line[3]) * factor}'
        for factor, horizon in enumerate(HORIZONS, 1)
    ),
    (ROOT / "tests" / "golden" / "metrics.txt").read_text(),
    flags=re.MULTILINE,
)
"""The golden page with three horizons, of increasing base rate."""
SERIES = set(re.findall(r"^(\w+)", re.sub(r"^#.*\n", "", PAGE, flags=re.MULTILINE), re.MULTILINE))
OF_PROMETHEUS = {"up", "scrape_duration_seconds", "scrape_samples_scraped"}
UNITS = {"none", "short", "sci", "percentunit", "s", "dateTimeFromNow", "bytes", "Bps", "cps"}
"""Used units of Grafana; it shows an unknown unit as text."""
BUILT_IN = {"__rate_interval", "__range", "__interval", "__all", "__data", "__url_time_range"}
"""Used variables that Grafana defines."""
WIDTH = 24
SECONDS = 30
"""Seconds to wait for Prometheus."""

each_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries(dashboard):
    """Yield each query with its panel, and whether it is an instant query."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield f"{panel['title']} ({target['refId']})", target["expr"], target
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"], {"instant": False}


def legend_of(template, labels):
    """Return the legend of a series."""
    return re.sub(r"\{\{(\w+)\}\}", lambda label: labels[label[1]], template)


def names(expression):
    """Return the metric names of a query, whose selectors all have braces."""
    return set(re.findall(r"([a-zA-Z_:][\w:]*)\s*\{", expression)) | set(re.findall(r"\bmonitor_\w+", expression))


def test_dashboards_link_to_each_other():
    assert set(DASHBOARDS) == {"daemon", "fleet", "host", "quality", "training"}
    assert {response["uid"] for response in DASHBOARDS.values()} == {f"monitor-{name}" for name in DASHBOARDS}
    for response in DASHBOARDS.values():
        assert response["tags"] == ["monitor"] == response["links"][0]["tags"]
        assert [entry["name"] for entry in response["annotations"]["list"]] == [
            "Warnings",
            "Anomalies",
            "New models",
        ]


@each_dashboard
def test_dashboard_has_schema_version_and_time_range(dashboard):
    assert dashboard["schemaVersion"] == 39
    assert (dashboard["time"]["to"], dashboard["timezone"]) == ("now", "browser")
    assert dashboard["title"].startswith("monitor / ")
    titles = [panel["title"] for panel in dashboard["panels"]]
    assert len(set(titles)) == len(titles)
    assert all(1 <= len(title) <= 50 for title in titles)


@each_dashboard
def test_panel_has_description_unit_and_data_source(dashboard):
    for panel in panels(dashboard):
        title = panel["title"]
        assert panel["description"].endswith("."), title
        overrides = [entry for override in panel["fieldConfig"]["overrides"] for entry in override["properties"]]
        units = {
            panel["fieldConfig"]["defaults"]["unit"],
            *(entry["value"] for entry in overrides if entry["id"] == "unit"),
        }
        assert units <= UNITS, title
        assert {"type", "gridPos", "options", "targets"} <= set(panel), title
        for where in (panel, *panel["targets"]):
            assert where["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, title


@each_dashboard
def test_panels_have_unique_ids_and_do_not_overlap(dashboard):
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    taken = {}
    for panel in dashboard["panels"]:
        grid = panel["gridPos"]
        for x, y in itertools.product(range(grid["w"]), range(grid["h"])):
            place = grid["x"] + x, grid["y"] + y
            assert place not in taken, f"{panel['title']} lies on {taken.get(place)}"
            taken[place] = panel["title"]
    height = 1 + max(y for _, y in taken)
    assert set(taken) == set(itertools.product(range(WIDTH), range(height))), "a hole, or a panel beyond the edge"


@each_dashboard
def test_dashboard_defines_every_used_variable(dashboard):
    defined = [variable["name"] for variable in dashboard["templating"]["list"]]
    assert defined[:3] == ["datasource", "job", "instance"]
    used = set(re.findall(r"\$\{?(\w+)", json.dumps([dashboard["panels"], dashboard["annotations"]])))
    assert {name for name in used if not name.startswith("__")} == set(defined)
    assert {name for name in used if name.startswith("__")} <= BUILT_IN


@each_dashboard
def test_job_and_instance_are_multi_select(dashboard):
    by_name = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert by_name["datasource"]["type"] == "datasource"
    assert {(by_name[name]["type"], by_name[name]["multi"]) for name in ("job", "instance")} == {("query", True)}
    # All hosts at once are readable on the fleet dashboard only.
    assert by_name["instance"]["includeAll"] == (dashboard["uid"] == "monitor-fleet")


def test_fleet_table_links_to_the_host_dashboard_of_the_row():
    table = next(panel for panel in panels(DASHBOARDS["fleet"]) if panel["type"] == "table")
    links = [
        (override["matcher"]["options"], entry["value"])
        for override in table["fieldConfig"]["overrides"]
        for entry in override["properties"]
        if entry["id"] == "links"
    ]
    [(column, [link])] = links
    assert column == "instance"
    address, _, parameters = link["url"].partition("?")
    assert address == f"/d/{DASHBOARDS['host']['uid']}"
    assert {
        "var-datasource=${datasource}",
        "var-job=${__data.fields.job:percentencode}",
        "var-instance=${__data.fields.instance:percentencode}",
    } < set(parameters.split("&"))


@each_dashboard
def test_query_selects_daemon_and_known_metrics(dashboard):
    for place, expression, _ in queries(dashboard):
        assert names(expression), place
        assert names(expression) <= SERIES | OF_PROMETHEUS, place
        selectors = re.findall(r"\{([^{}]*)\}", expression)
        assert all(entry.startswith('job=~"$job", instance=~"$instance"') for entry in selectors), place


def test_every_metric_is_on_a_dashboard():
    shown = set().union(
        *(names(expression) for response in DASHBOARDS.values() for _, expression, _ in queries(response))
    )
    families = re.findall(r"^# TYPE (\w+) (\w+)$", PAGE, re.MULTILINE)
    needed = {name + ("_bucket" if kind == "histogram" else "") for name, kind in families}
    assert needed <= shown


def need(tool, package):
    """Return the path of a tool; without it, skip, or fail in CI."""
    response = shutil.which(tool)
    if response is None:
        message = f"NOT TESTED: {tool} not installed (apt-get install {package})"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return response


class GoldenPage(BaseHTTPRequestHandler):
    """Serve the golden page with growing counters."""

    def do_GET(self):
        turn = next(self.server.turns)
        counters = re.findall(r"^# TYPE (\w+) (?:counter|histogram)$", PAGE, re.MULTILINE)
        growing = re.compile(rf"^((?:{'|'.join(counters)})(?:_bucket|_sum|_count)?(?:{{.*}})?) (.+)$", re.MULTILINE)
        text = growing.sub(lambda line: f"{line[1]} {float(line[2]) * turn}", PAGE).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Discard the access log."""


class Prometheus:
    """A Prometheus and its target."""

    def __init__(self, url, instances):
        self.url, self.instances = url, instances

    def ask(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as answer:
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            with error:
                pytest.fail(f"{parameters}: {error.read().decode()}")

    def filled(self, text):
        """Return a query with the variables filled in as by Grafana."""
        values = {
            "job": "monitor",
            "instance": "|".join(self.instances),
            "horizon": "15m",
            "__rate_interval": "15s",
            "__interval": "15s",
            "__range": "1m",
        }
        return re.sub(r"\$(\w+)", lambda response: values[response[1]], text)

    def answer(self, expression, *, now):
        """Return labels and values of each series, retrying while a busy machine misses scrapes."""
        end = time.monotonic() + 5
        while True:
            response = self.once(expression, now=now)
            if response or time.monotonic() > end:
                return response
            time.sleep(0.5)

    def once(self, expression, *, now):
        at = time.time()
        if now:
            response = self.ask("query", query=self.filled(expression), time=at)["result"]
            return [(entry["metric"], [entry["value"]]) for entry in response]
        response = self.ask("query_range", query=self.filled(expression), start=at - 2, end=at, step=1)["result"]
        return [(entry["metric"], entry["values"]) for entry in response]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    program = need("prometheus", "prometheus")
    directory = tmp_path_factory.mktemp("prometheus")
    page = ThreadingHTTPServer(("127.0.0.1", 0), GoldenPage)
    page.turns = itertools.count(1)
    threading.Thread(target=page.serve_forever, daemon=True).start()
    # Two hosts, so that no query mixes or confuses them.
    instances = [f"127.0.0.1:{page.server_port}", f"localhost:{page.server_port}"]
    (directory / "prometheus.yml").write_text(
        "global: {scrape_interval: 500ms, scrape_timeout: 500ms}\n"
        f"scrape_configs: [{{job_name: monitor, static_configs: [{{targets: {instances}}}]}}]\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [program, f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data"]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        response = Prometheus(f"http://127.0.0.1:{port}", instances)
        wait_for_scrapes(response, process, directory / "log")
        yield response
    finally:
        process.terminate()
        process.wait(10)
        page.shutdown()
        page.server_close()


def wait_for_scrapes(response, process, log):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            result = response.once("count_over_time(monitor_build_info[1m])", now=True)
        except OSError:
            result = []
        if len(result) == 2 and all(float(values[0][1]) >= 8 for _, values in result):
            return
        time.sleep(0.2)
    pytest.fail(f"no scrapes within {SECONDS} s\n{log.read_text()}")


@each_dashboard
def test_query_returns_data_with_labels_of_its_legend(prometheus, dashboard):
    for place, expression, target in queries(dashboard):
        response = prometheus.answer(expression, now=target["instant"])
        figures = [float(value) for _, values in response for _, value in values]
        assert any(math.isfinite(figure) for figure in figures), f"{place} is empty: {expression}"
        legend = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
        assert all(legend <= set(labels) for labels, _ in response), f"{place}: {legend} of {response[0][0]}"
        if target.get("legendFormat", "__auto") != "__auto":
            shown = {legend_of(target["legendFormat"], labels) for labels, _ in response}
            assert len(shown) == len(response), f"{place}: several series of one name"


@each_dashboard
def test_query_of_growing_counter_is_positive(prometheus, dashboard):
    for place, expression, target in queries(dashboard):
        if re.search(r"\b(rate|increase)\(", expression):
            values = [
                float(value)
                for _, response in prometheus.answer(expression, now=target["instant"])
                for _, value in response
            ]
            assert max(value for value in values if math.isfinite(value)) > 0, place


@each_dashboard
def test_variables_return_daemon_and_horizons(prometheus, dashboard):
    response = {}
    for variable in dashboard["templating"]["list"][1:]:
        query = variable["query"]["query"]
        labels = re.fullmatch(r"label_values\((.*), (\w+)\)", query)
        if labels:
            match = {"match[]": prometheus.filled(labels[1])}
            response[variable["name"]] = prometheus.ask(f"label/{labels[2]}/values", **match)
        else:
            expression = re.fullmatch(r"query_result\((.*)\)", query)[1]
            # Grafana shows each series as Prometheus would write it, and takes the first group of the expression.
            texts = [
                ",".join(f'{name}="{value}"' for name, value in series.items())
                for series, _ in prometheus.answer(expression, now=True)
            ]
            response[variable["name"]] = [re.search(variable["regex"].strip("/"), text)[1] for text in texts]
    expected = {"job": ["monitor"], "instance": prometheus.instances, "horizon": list(HORIZONS)}
    assert response == {name: expected[name] for name in response}


@each_dashboard
def test_table_merges_its_queries_by_the_labels_of_a_row(prometheus, dashboard):
    for panel in panels(dashboard):
        if panel["type"] != "table":
            continue
        merge, keep, arrange = panel["transformations"]
        assert (merge["id"], keep["id"], arrange["id"]) == ("merge", "filterFieldsByName", "organize")
        labels = [
            set(series) for target in panel["targets"] for series, _ in prometheus.answer(target["expr"], now=True)
        ]
        row = set.intersection(*labels)
        assert {"job", "instance"} <= row, panel["title"]
        values = {f"Value #{target['refId']}" for target in panel["targets"]}
        names = keep["options"]["include"]["names"]
        assert set(names) <= set.union(*labels) | values, panel["title"]
        columns = [arrange["options"]["renameByName"].get(name, name) for name in names]
        assert len(set(columns)) == len(columns), panel["title"]
        styled = {entry["matcher"]["options"] for entry in panel["fieldConfig"]["overrides"]}
        assert styled <= set(columns), panel["title"]
        assert panel["options"]["sortBy"][0]["displayName"] in columns, panel["title"]


def test_dashboards_match_grafana_types(tmp_path):
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NOT TESTED: node and npm not installed (apt-get install nodejs npm)")
    check = shutil.copytree(GRAFANA / "check", tmp_path / "check", ignore=shutil.ignore_patterns("node_modules"))
    quietly = ["--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0"]
    try:
        fetched = subprocess.run(
            ["npm", "install", *quietly], cwd=check, capture_output=True, text=True, timeout=90, check=False
        )
        trouble = fetched.stderr if fetched.returncode else ""
    except subprocess.TimeoutExpired:
        trouble = "no answer within 90 s"
    if trouble:
        pytest.skip(f"NOT TESTED: npm could not fetch Grafana's types: {trouble[-300:]}")

    def run(*files):
        return subprocess.run(
            ["node", "check.js", *map(str, files)],
            cwd=check,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    response = run(*FILES)
    assert response.returncode == 0, response.stderr
    wrong = tmp_path / "wrong.json"
    wrong.write_text(FILES[0].read_text().replace('"graphMode": "none"', '"graphMode": "nothing"', 1))
    assert run(wrong).returncode == 1, "the check lets everything through"
