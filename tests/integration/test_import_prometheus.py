"""Import from real servers with the Prometheus API: values, gaps, repetition, credentials and refusals."""

import json
import math
import time

import bcrypt
import numpy as np
import pytest

from monitor.sampling.sampler import Sampler
from monitor.sampling.sources import SOURCES, make_sources
from storage import SAMPLE_FIELDS, SampleRepository, open_database
from tests.integration.metric_servers import (
    STEP,
    VALUES,
    fetch,
    free_port,
    need,
    prometheus,
    running,
    victoria_metrics,
)

pytestmark = pytest.mark.integration

NOW = int(time.time()) // STEP * STEP
DAY = [NOW - 86_400 + 7 + STEP * row for row in range(1420)]
HOURS_WITH_GAP = [at for at in DAY[:360] if not DAY[120] <= at < DAY[180]]
HOSTS = {"web1:9100": DAY, "web2:9100": HOURS_WITH_GAP}


@pytest.fixture(scope="module")
def prometheus_url(tmp_path_factory):
    with prometheus(tmp_path_factory.mktemp("prometheus"), HOSTS) as url:
        yield url


@pytest.fixture(scope="module")
def victoria_metrics_url(tmp_path_factory):
    with victoria_metrics(tmp_path_factory.mktemp("victoria"), HOSTS) as url:
        yield url


@pytest.fixture(params=["prometheus_url", "victoria_metrics_url"])
def server(request):
    return request.getfixturevalue(request.param)


def run_import(admin, url, *arguments, instance="web1:9100", since="2d"):
    selector = f'{{instance="{instance}"}}'
    command = ("import", "--json", "--prometheus", url, "--since", since, "--selector", selector)
    code, output, errors = admin(*command, *arguments)
    assert code == 0, errors
    return json.loads(output)


def stored(admin):
    with open_database(admin.url) as database:
        return SampleRepository(database).between(0, math.inf)


def test_every_field_has_the_value_of_the_series(admin, server):
    document = run_import(admin, server)
    assert (document["source"], document["host"]) == ("prometheus", "web1:9100")
    assert document["rows"] == document["added"] == pytest.approx(len(DAY), abs=4)
    assert (document["fields"], document["missing_fields"], document["bad_cells"]) == (list(SAMPLE_FIELDS), [], 0)
    assert (document["gaps"], document["spacing"]) == (0, STEP)
    table = stored(admin)
    # A counter reset is part of one step in Prometheus; the series start again in the middle.
    values = dict(zip(SAMPLE_FIELDS, np.nanmedian(table[:, 1:], axis=0).tolist(), strict=True))
    assert values == pytest.approx(VALUES, rel=1e-5)
    far_from_reset = np.abs(table[:, 0] - DAY[len(DAY) // 2]) > 3 * STEP
    np.testing.assert_allclose(table[far_from_reset, 1:], [list(VALUES.values())] * far_from_reset.sum(), rtol=1e-3)


def test_repeated_import_changes_nothing_and_fills_what_was_missing(admin, server):
    first = run_import(admin, server, since="12h")
    again = run_import(admin, server, since="2d")
    assert again["rows"] == pytest.approx(len(DAY), abs=4)
    assert (again["added"], again["repeated"]) == (again["rows"] - first["rows"], first["rows"])
    assert (again["filled"], again["conflicting"]) == (0, 0)


def test_gap_of_the_series_is_a_gap_of_the_rows(admin, server):
    document = run_import(admin, server, instance="web2:9100")
    assert document["gaps"] == 1
    (gap,) = document["longest_gaps"]
    assert DAY[119] - STEP <= gap["from"] <= DAY[119] + 2 * STEP
    assert DAY[180] <= gap["to"] <= DAY[180] + 3 * STEP


def test_dry_run_counts_rows_and_stores_none(admin, prometheus_url):
    document = run_import(admin, prometheus_url, "--dry-run")
    assert document["added"] == pytest.approx(len(DAY), abs=4)
    assert not admin.database.exists()


def test_map_replaces_an_expression(admin, prometheus_url):
    expression = 'avg(rate(node_cpu_seconds_total{instance="web1:9100",mode="idle"}[$__rate_interval]))'
    run_import(admin, prometheus_url, "--map", f"cpu_usage={expression}", "--step", "5m", since="3h")
    table = stored(admin)
    assert np.median(np.diff(table[:, 0])) == 300
    assert np.median(table[:, 1]) == pytest.approx(0.45)


def test_selector_of_several_hosts_is_refused_with_their_names(admin, server):
    code, _, errors = admin("import", "--prometheus", server, "--since", "2d")
    assert code == 1
    assert "web1:9100, web2:9100" in errors
    assert not admin.database.exists() or not len(stored(admin))


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (("--selector", '{instance="web3"}'), 1, '{instance="web3"}'),
        (("--selector", '{instance="web1:9100"}', "--map", "cpu_usage=rate("), 1, "parse error"),
        (("--selector", '{instance="web1:9100"}', "--map", "cpu_usage=node_cpu_seconds_total"), 1, "aggregate"),
        (("--selector", '{instance="web1:9100"}', "--map", "cpu_usag=up"), 2, "did you mean 'cpu_usage'"),
        (("--selector", "web1"), 2, "label matchers"),
        (("history.csv",), 2, "either files or --prometheus"),
        (("--train", "--dry-run"), 2, "--dry-run"),
    ],
)
def test_invalid_selection_has_one_error(admin, prometheus_url, arguments, code, problem):
    result, output, errors = admin("import", "--prometheus", prometheus_url, "--since", "2d", *arguments)
    assert (result, output) == (code, "")
    assert problem in errors
    assert "Traceback" not in errors


def test_page_instead_of_the_api_is_refused(admin, prometheus_url):
    code, _, errors = admin("import", "--prometheus", f"{prometheus_url}/graph", "--since", "2d")
    assert code == 1
    assert "path prefix" in errors


def test_password_in_the_url_is_refused_and_not_shown(admin):
    code, output, errors = admin("import", "--prometheus", "http://alice:s3cret@127.0.0.1:9090")
    assert code == 2
    assert "MONITOR_PROMETHEUS_PASSWORD" in errors
    assert "s3cret" not in output + errors


def test_server_with_basic_authentication_and_a_path_prefix(admin, tmp_path, monkeypatch):
    hashed = bcrypt.hashpw(b"s3cret", bcrypt.gensalt(4)).decode()
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{alice: {hashed}}}\n")
    address = f"127.0.0.1:{free_port()}"
    need("prometheus", "promtool")
    command = ["prometheus", f"--config.file={tmp_path / 'empty.yml'}", f"--web.listen-address={address}"]
    command += [f"--web.config.file={tmp_path / 'web.yml'}", "--web.route-prefix=/prom"]
    (tmp_path / "empty.yml").write_text("")
    (tmp_path / "http.yml").write_text("basic_auth: {username: alice, password_file: password}")
    (tmp_path / "password").write_text("s3cret\n")
    ready = f"http://{address}/prom/-/ready"
    command.append(f"--storage.tsdb.path={tmp_path / 'data'}")
    with running(command, ready, tmp_path / "log"):
        arguments = ("import", "--since", "1h", "--map", "cpu_usage=vector(0.5)", "--prometheus")
        refused = admin(*arguments, f"http://{address}/prom")
        by_file = admin(*arguments, f"http://{address}/prom", "--http-config", str(tmp_path / "http.yml"))
        monkeypatch.setenv("MONITOR_PROMETHEUS_PASSWORD", "s3cret")
        by_environment = admin(*arguments, f"http://alice@{address}/prom", "--json")
    assert (refused[0], by_file[0], by_environment[0]) == (1, 0, 0)
    assert "--http-config" in refused[2]
    assert json.loads(by_environment[1])["repeated"] >= 59
    assert "s3cret" not in "".join(map(str, (refused, by_file, by_environment)))


def test_node_exporter_has_every_field_that_the_sampler_measures(admin, tmp_path):
    need("prometheus-node-exporter")
    target = f"127.0.0.1:{free_port()}"
    config = (
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: node, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    command = ["prometheus-node-exporter", f"--web.listen-address={target}"]
    with (
        running(command, f"http://{target}/", tmp_path / "exporter.log"),
        prometheus(tmp_path, config=config) as url,
    ):
        sampler = Sampler(make_sources(tuple(SOURCES)), 1.0)
        sampler.sample()
        query = f"{url}/api/v1/query?query=count_over_time(node_load1[1m])"
        deadline = time.monotonic() + 60
        while True:
            result = json.loads(fetch(query))["data"]["result"]
            if result and int(result[0]["value"][1]) >= 5:
                break
            assert time.monotonic() < deadline
            time.sleep(0.2)
        sample = sampler.sample()
        admin.config.write_text(admin.config.read_text().replace('"10s"', '"1s"'))
        code, output, errors = admin("import", "--json", "--prometheus", url, "--since", "10m")
    assert code == 0, errors
    measured = {field for field in SAMPLE_FIELDS if getattr(sample, field) is not None}
    assert measured - {"cpu_iowait"} <= set(json.loads(output)["fields"])
    table = stored(admin)
    assert table[-1, 1 + SAMPLE_FIELDS.index("memory_usage")] == pytest.approx(sample.memory_usage, abs=0.1)
    assert ((table[:, 1] >= 0) & (table[:, 1] <= 1)).all()
