"""Source of a fleet on real Prometheus and VictoriaMetrics: values, hosts that come and go, limits, interruptions."""

import contextlib
import itertools
import json
import threading
import time

import bcrypt
import numpy as np
import pytest

from monitor.config.loader import load_config, read_config
from monitor.errors import SourceError
from monitor.fleet.source.factory import create_source
from monitor.fleet.source.sharding import hashmod
from storage import SAMPLE_FIELDS
from tests.integration.metric_servers import (
    STEP,
    VALUES,
    create_blocks,
    fetch,
    free_port,
    need,
    node_exporter,
    prometheus,
    running,
    running_prometheus,
    victoria_metrics,
)

pytestmark = pytest.mark.integration

NOW = int(time.time()) // STEP * STEP
START = NOW - 86_400
DAY = [START + 7 + STEP * row for row in range(1420)]
WITH_GAP = [at for at in DAY if not DAY[600] <= at < DAY[660]]
HOSTS = {"web1:9100": DAY, "web2:9100": WITH_GAP, "web3:9100": DAY[900:]}
RESET = DAY[len(DAY) // 2]
EXPECTED = [VALUES[field] for field in SAMPLE_FIELDS]


@pytest.fixture(scope="module")
def prometheus_url(tmp_path_factory):
    with prometheus(tmp_path_factory.mktemp("prometheus"), HOSTS) as url:
        yield url


@pytest.fixture(scope="module")
def victoria_metrics_url(tmp_path_factory):
    with victoria_metrics(tmp_path_factory.mktemp("victoria"), HOSTS) as url:
        # VictoriaMetrics serves the API below this prefix as well, as Mimir does.
        yield f"{url}/prometheus"


@pytest.fixture(params=["prometheus_url", "victoria_metrics_url"])
def server(request):
    return request.getfixturevalue(request.param)


def source_of(url, **keys):
    config, problems = read_config({"source": {"kind": "prometheus", "url": url, **keys}})
    assert problems == []
    return create_source(config)


def joined(parts):
    """Return times and values of each host; the parts of a host must be in order without overlap."""
    histories = {}
    for part in parts:
        times, values = histories.setdefault(part.host, (np.empty(0), np.empty((0, part.values.shape[1]))))
        assert not len(times) or times[-1] < part.times[0]
        histories[part.host] = (np.concatenate([times, part.times]), np.concatenate([values, part.values]))
    return histories


def test_every_field_has_the_value_of_the_series_of_each_host(server):
    source = source_of(server, selector='{job="node"}')
    sample = source.read(float(DAY[1300] // STEP * STEP))
    assert (source.columns, sample.hosts) == (SAMPLE_FIELDS, tuple(HOSTS))
    np.testing.assert_allclose(sample.values, [EXPECTED] * 3, rtol=1e-6)
    assert (source.statistics.failures, source.statistics.rejected, source.statistics.errors) == ({}, {}, {})


def test_history_has_the_values_of_the_reads_of_the_same_times(server):
    source = source_of(server)
    histories = joined(source.history(tuple(HOSTS), START, NOW))
    for row in (100, 710, 711, 1400):
        at = float(DAY[row] // STEP * STEP)
        sample = source.read(at)
        for host, values in zip(sample.hosts, sample.values, strict=True):
            times, columns = histories[host]
            np.testing.assert_allclose(columns[times == at], values[None], rtol=1e-9, atol=1e-12)


def test_counter_reset_is_no_spike(server):
    times, values = joined(source_of(server).history(["web1:9100"], START, NOW))["web1:9100"]
    assert len(times) == pytest.approx(len(DAY), abs=4)
    near = np.abs(times - RESET) <= 3 * STEP
    # The windows of the first row and of those after the last sample have less than two samples, which rates need.
    far = ~near & (times > times[0]) & (times <= DAY[-1])
    np.testing.assert_allclose(values[far], [EXPECTED] * int(far.sum()), rtol=1e-3)
    assert not (values[near] < 0).any()
    np.testing.assert_allclose(values[near, 0], 0.5)


def test_host_is_absent_while_it_has_no_samples(server):
    source = source_of(server)
    present = [
        "web2:9100" in source.read(float(DAY[row] // STEP * STEP)).hosts for row in (590, 599, 605, 650, 663, 700)
    ]
    assert present == [True, True, False, False, True, True]
    times, _ = joined(source.history(["web2:9100"], START, NOW))["web2:9100"]
    assert not ((times > DAY[603]) & (times < DAY[659])).any()


def test_history_continues_after_its_last_time(server):
    source = source_of(server)
    hosts = ("web1:9100", "web2:9100", "web9:9100")
    whole = joined(source.history(hosts, START, NOW))
    first = list(source.history(hosts, START, NOW - 7200))
    last_time = first[-1].times[-1]
    parts = joined([*first, *source.history(hosts, last_time + STEP, NOW)])
    assert set(parts) == set(whole) == {"web1:9100", "web2:9100"}
    for host, (times, values) in whole.items():
        np.testing.assert_array_equal(parts[host][0], times)
        np.testing.assert_allclose(parts[host][1], values, rtol=1e-9)


def test_more_points_than_a_query_may_have(server):
    source = source_of(server, step="5s", window="2m", delay="0s", fields={"cpu_usage": EXPRESSION}, preset="none")
    times, values = joined(source.history(["web1:9100"], START + 600, NOW - 1800))["web1:9100"]
    assert len(times) == (NOW - 1800 - START - 600) / 5 > 11_000
    np.testing.assert_allclose(values[:1000], 0.5)


EXPRESSION = (
    '1 - sum by (instance) (rate(node_cpu_seconds_total{mode=~"idle|iowait",$selector}[$__rate_interval]))'
    ' / sum by (instance) (rate(node_cpu_seconds_total{mode!~"guest.*",$selector}[$__rate_interval]))'
)


def test_server_with_a_limit_of_samples(tmp_path):
    with prometheus(tmp_path, {"web1:9100": DAY, "web2:9100": DAY}, options=("--query.max-samples=4000",)) as url:
        histories = joined(source_of(url).history(("web1:9100", "web2:9100"), START, NOW))
    assert {host: len(times) for host, (times, _) in histories.items()} == {"web1:9100": 1421, "web2:9100": 1421}


def test_host_that_two_jobs_scrape_counts_once(tmp_path):
    need("promtool")
    create_blocks(tmp_path, "web1:9100", DAY[:200], job="copy")
    with prometheus(tmp_path, {"web1:9100": DAY[:200]}) as url:
        sample = source_of(url).read(float(DAY[100] // STEP * STEP))
        own = source_of(url, preset="none", fields={"load_per_cpu": "node_load1{$selector}"})
        ambiguous = own.read(float(DAY[100] // STEP * STEP))
    np.testing.assert_allclose(sample.values, [EXPECTED], rtol=1e-6)
    assert ambiguous.hosts == ()
    assert set(own.statistics.duplicate_labels) == {"web1:9100"}
    assert 'job="copy"' in own.statistics.duplicate_labels["web1:9100"]


def test_invalid_expression_leaves_the_other_fields(server):
    source = source_of(
        server, fields={"cpu_usage": "rate({$selector}", "load_per_cpu": "node_load1{$selector} * node_load5"}
    )
    sample = source.read(float(DAY[1300] // STEP * STEP))
    assert sample.hosts == tuple(HOSTS)
    missing = [SAMPLE_FIELDS.index("cpu_usage"), SAMPLE_FIELDS.index("load_per_cpu")]
    assert np.isnan(sample.values[:, missing]).all()
    assert not np.isnan(np.delete(sample.values, missing, axis=1)).any()
    assert set(source.statistics.errors) == {"cpu_usage"}
    with pytest.raises(SourceError, match="cpu_usage"):
        list(source.history(["web1:9100"], START, NOW))


def test_page_instead_of_the_api_is_an_error(prometheus_url):
    with pytest.raises(SourceError, match="path prefix"):
        source_of(f"{prometheus_url}/graph").read(float(NOW))


def test_path_prefix_and_credentials_of_a_file(tmp_path):
    need("prometheus", "promtool")
    create_blocks(tmp_path, "web1:9100", DAY[:200])
    hashed = bcrypt.hashpw(b"s3cret", bcrypt.gensalt(4)).decode()
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{alice: {hashed}}}\n")
    (tmp_path / "prometheus.yml").write_text("")
    (tmp_path / "http.yml").write_text("basic_auth: {username: alice, password_file: password}")
    (tmp_path / "password").write_text("s3cret\n")
    address = f"127.0.0.1:{free_port()}"
    command = ["prometheus", f"--config.file={tmp_path / 'prometheus.yml'}", f"--web.listen-address={address}"]
    command += [f"--web.config.file={tmp_path / 'web.yml'}", "--web.route-prefix=/prometheus"]
    command += [f"--storage.tsdb.path={tmp_path / 'data'}", "--storage.tsdb.retention.time=10y"]
    section = f'[source]\nkind = "prometheus"\nurl = "http://{address}/prometheus"\n'
    (tmp_path / "config.toml").write_text(section)
    (tmp_path / "with.toml").write_text(section + 'http_config_file = "http.yml"\n')
    with running(command, f"http://{address}/prometheus/-/ready", tmp_path / "log"):
        at = float(DAY[100] // STEP * STEP)
        with pytest.raises(SourceError, match=r"401.*source\.http_config_file"):
            create_source(load_config(tmp_path / "config.toml")).read(at)
        sample = create_source(load_config(tmp_path / "with.toml")).read(at)
    assert sample.hosts == ("web1:9100",)


def test_shards_are_those_of_hashmod_in_prometheus(tmp_path):
    names = [f"host-{number}.example.org:9100" for number in range(100)]
    rules = [
        {"source_labels": ["__address__"], "modulus": 10, "target_label": "shard", "action": "hashmod"},
        {"source_labels": ["job", "__address__"], "modulus": 1000, "target_label": "pair", "action": "hashmod"},
    ]
    job = {"job_name": "node", "relabel_configs": rules, "scrape_interval": "1h"}
    config = {"scrape_configs": [{**job, "static_configs": [{"targets": names}]}]}
    with prometheus(tmp_path, config=json.dumps(config)) as url:
        deadline = time.monotonic() + 30
        targets = []
        while len(targets) < len(names) and time.monotonic() < deadline:
            targets = json.loads(fetch(f"{url}/api/v1/targets"))["data"]["activeTargets"]
            time.sleep(0.1)
    labels = {target["labels"]["instance"]: target["labels"] for target in targets}
    assert {name: int(labels[name]["shard"]) for name in names} == {name: hashmod((name,), 10) for name in names}
    assert all(int(labels[name]["pair"]) == hashmod(("node", name), 1000) for name in names)


SCRAPE = """
global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: node, static_configs: [{{targets: {targets}}}]}}]
"""
LIVE_KEYS = {"step": "5s", "window": "6s", "delay": "1s", "timeout": "2s"}


@contextlib.contextmanager
def scraping(kind, directory, targets):
    """Run a server that scrapes targets each second; yield its URL."""
    text = SCRAPE.format(targets=json.dumps(targets))
    if kind == "prometheus":
        with prometheus(directory, config=text) as url:
            yield url
    else:
        (directory / "scrape.yml").write_text(text)
        options = (f"-promscrape.config={directory / 'scrape.yml'}",)
        with victoria_metrics(directory, {}, options=options) as url:
            yield url


def read_until(source, condition, seconds=60):
    """Read the current second again and again until a condition of the sample holds; return the sample."""
    deadline = time.monotonic() + seconds
    while True:
        sample = source.read(float(int(time.time()) - 1))
        if condition(sample):
            return sample
        assert time.monotonic() < deadline, (sample, source.statistics)
        time.sleep(0.2)


@pytest.mark.parametrize("kind", ["prometheus", "victoria"])
def test_hosts_of_real_exporters_come_and_go(tmp_path, kind):
    need("prometheus-node-exporter")
    targets = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    with contextlib.ExitStack() as stack:
        exporters = [
            stack.enter_context(node_exporter(target, tmp_path / f"exporter-{number}.log"))
            for number, target in enumerate(targets)
        ]
        url = stack.enter_context(scraping(kind, tmp_path, targets))
        source = source_of(url, **LIVE_KEYS)
        usual = ("cpu_usage", "load_per_cpu", "memory_usage")
        columns = [SAMPLE_FIELDS.index(field) for field in usual]

        def is_complete(sample):
            return sample.hosts == tuple(sorted(targets)) and not np.isnan(sample.values[:, columns]).any()

        sample = read_until(source, is_complete)
        # All exporters are those of this machine.
        assert np.ptp(sample.values[:, SAMPLE_FIELDS.index("memory_usage")]) < 0.1
        exporters[0].kill()
        read_until(source, lambda sample: targets[0] not in sample.hosts and len(sample.hosts) == 2)
        stack.enter_context(node_exporter(targets[0], tmp_path / "exporter-again.log"))
        read_until(source, is_complete)
    with pytest.raises(SourceError):
        source.read(float(int(time.time())))
    assert set(source.statistics.errors) == set(SAMPLE_FIELDS)


def test_history_survives_a_killed_server(tmp_path):
    need("prometheus", "promtool")
    for host in ("web1:9100", "web2:9100"):
        create_blocks(tmp_path, host, DAY)
    (tmp_path / "prometheus.yml").write_text("")
    address = f"127.0.0.1:{free_port()}"
    restart = threading.Event()
    stop = threading.Event()

    def serve():
        with running_prometheus(tmp_path, address) as process:
            restart.wait(60)
            process.kill()
        time.sleep(1.5)
        restart.clear()
        with running_prometheus(tmp_path, address):
            stop.wait(60)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        source = source_of(f"http://{address}", step="15s", window="2m")
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(SourceError):
                source.read(float(NOW))
                break
            assert time.monotonic() < deadline
            time.sleep(0.1)
        # Parts of fewer points need more queries, of which some meet the killed server.
        source._history._max_values = 600
        parts = source.history(("web1:9100", "web2:9100"), START, NOW)
        first = list(itertools.islice(parts, 2))
        restart.set()
        histories = joined(itertools.chain(first, parts))
        assert not restart.is_set()
        expected = joined(source.history(("web1:9100", "web2:9100"), START, NOW))
    finally:
        restart.set()
        stop.set()
        thread.join()
    for host, (times, values) in expected.items():
        np.testing.assert_array_equal(histories[host][0], times)
        np.testing.assert_array_equal(histories[host][1], values)


def test_doctor_checks_the_source(tmp_path, admin):
    need("promtool")
    recent = [NOW - 600 + 7 + STEP * row for row in range(11)]
    create_blocks(tmp_path, "web1:9100", recent, job="copy")
    section = (
        '[source]\nkind = "prometheus"\nurl = "{}"\nhttp_config_file = "http.yml"\nstep = "10s"\nwindow = "5m"\n'
    )
    (tmp_path / "http.yml").write_text("http_headers: {X-Scope-OrgID: {values: [team-a]}}")
    with prometheus(tmp_path, {"web1:9100": recent, "web2:9100": recent}) as url:
        admin.config.write_text(admin.config.read_text() + section.format(url))
        (admin.directory / "http.yml").write_text("http_headers: {X-Scope-OrgID: {values: [team-a]}}")
        _, output, _ = admin("doctor", "--json")
        assert admin("check-config")[0] == 0
    results = {
        (result["check"], result["subject"]): result
        for result in json.loads(output)["checks"]
        if result["check"].startswith("fleet")
    }
    assert {key: result["status"] for key, result in results.items()} == {
        ("fleet_source", ""): "ok",
        ("fleet_field", ""): "ok",
        ("fleet_targets", ""): "warning",
    }
    assert "2 hosts" in results["fleet_source", ""]["message"]
    assert 'job="copy"' in results["fleet_targets", ""]["message"]
    _, output, _ = admin("doctor", "--json")
    (result,) = [result for result in json.loads(output)["checks"] if result["check"].startswith("fleet")]
    assert (result["check"], result["status"]) == ("fleet_source", "failed")
