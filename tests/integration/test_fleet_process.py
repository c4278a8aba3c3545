"""Fleet process on a real Prometheus with three node_exporters."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from .metric_servers import fetch, free_port, need, prometheus, running, victoria_metrics

pytestmark = pytest.mark.integration


@contextmanager
def exporters(directory, count):
    """Run node_exporters; yield their addresses."""
    need("prometheus-node-exporter")
    with ExitStack() as stack:
        addresses = []
        for number in range(count):
            address = f"127.0.0.1:{free_port()}"
            command = ["prometheus-node-exporter", f"--web.listen-address={address}"]
            stack.enter_context(running(command, f"http://{address}/", directory / f"exporter{number}.log"))
            addresses.append(address)
        yield addresses


@contextmanager
def fleet(directory, url, more=""):
    """Run the fleet process; yield its URL and its process."""
    address = f"127.0.0.1:{free_port()}"
    config = directory / "fleet.toml"
    config.write_text(
        f'[source]\nkind = "prometheus"\nurl = "{url}"\nstep = "5s"\ndelay = "1s"\ntimeout = "2s"\n'
        f'[storage]\nurl = "sqlite:///{directory}/fleet.db"\n[web]\nlisten = "{address}"\n{more}'
    )
    command = [sys.executable, "-m", "monitor", "--config", str(config), "run"]
    with running(command, f"http://{address}/-/healthy", directory / "monitor.log") as process:
        yield f"http://{address}", process


def wait_for(check, log, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if check():
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def read_json(url):
    return json.loads(fetch(url))


def scrape_config(addresses):
    targets = json.dumps(addresses)
    return (
        "global: {scrape_interval: 1s}\nscrape_configs:\n"
        f"  - job_name: node\n    static_configs: [{{targets: {targets}}}]\n"
    )


def test_fleet_process_survives_the_absence_of_prometheus(tmp_path):
    log = tmp_path / "monitor.log"
    with exporters(tmp_path, 3) as addresses, ExitStack() as stack:
        port = free_port()
        (tmp_path / "prometheus.yml").write_text(scrape_config(addresses))
        command = ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
        command.append(f"--web.listen-address=127.0.0.1:{port}")
        server = ExitStack()
        stack.callback(server.close)
        server.enter_context(running(command, f"http://127.0.0.1:{port}/-/ready", tmp_path / "prometheus.log"))
        url, process = stack.enter_context(fleet(tmp_path, f"http://127.0.0.1:{port}"))
        wait_for(lambda: read_json(f"{url}/api/v1/status")["predicted"] == 3, log)
        hosts = read_json(f"{url}/api/v1/fleet?sort=host")["hosts"]
        assert [host["host"] for host in hosts] == sorted(addresses)
        assert all(0 < host["risk"] < 1 for host in hosts)
        metrics = fetch(f"{url}/metrics")
        checked = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, b"")

        server.close()
        wait_for(lambda: read_json(f"{url}/api/v1/status")["source"]["error"], log)
        assert b"source unavailable" in fetch(f"{url}/-/healthy")
        assert b"monitor_fleet_source_success 0.0\n" in fetch(f"{url}/metrics")
        wait_for(lambda: read_json(f"{url}/api/v1/status")["source"]["errors"] >= 2, log)
        wait_for(lambda: read_json(f"{url}/api/v1/status")["stale"] == 3, log)
        assert read_json(f"{url}/api/v1/status")["predicted"] == 0
        assert b"monitor_high_load_probability{" not in fetch(f"{url}/metrics")
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetch(f"{url}/-/ready")
        with caught.value as answer:
            assert (answer.code, b"source unavailable" in answer.read()) == (503, True)

        server.enter_context(running(command, f"http://127.0.0.1:{port}/-/ready", tmp_path / "prometheus.log"))
        wait_for(lambda: read_json(f"{url}/api/v1/status")["source"]["filled_steps"], log)
        assert read_json(f"{url}/api/v1/status")["source"]["error"] is None
        wait_for(lambda: read_json(f"{url}/api/v1/status")["predicted"] == 3, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()


def test_fleet_process_starts_without_its_source(tmp_path):
    with fleet(tmp_path, f"http://127.0.0.1:{free_port()}") as (url, process):
        log = tmp_path / "monitor.log"
        wait_for(lambda: read_json(f"{url}/api/v1/status")["source"]["error"], log)
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetch(f"{url}/-/ready")
        with caught.value as answer:
            assert b"source unavailable" in answer.read()
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: "configuration reloaded" in log.read_text(), log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert "Traceback" not in log.read_text()


def tutorial_block(language):
    """Return the first block of a language in the tutorial."""
    page = (Path(__file__).parents[2] / "docs" / "tutorial" / "fleet.md").read_text()
    return re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)[1]


def test_tutorial_leads_to_a_probability_per_host(tmp_path):
    with exporters(tmp_path, 3) as addresses, ExitStack() as stack:
        scraped = tutorial_block("yaml").replace("15s", "1s")
        config = tutorial_block("toml").replace("[storage]", 'step = "5s"\ndelay = "1s"\n[storage]')
        for example, address in zip((9101, 9102, 9103), addresses, strict=True):
            scraped = scraped.replace(f"127.0.0.1:{example}", address)
        server = stack.enter_context(prometheus(tmp_path, config=scraped))
        listen = f"127.0.0.1:{free_port()}"
        config = config.replace("http://127.0.0.1:9095", server).replace("127.0.0.1:10191", listen)
        (tmp_path / "fleet.toml").write_text(config.replace("fleet.db", str(tmp_path / "fleet.db")))
        command = [sys.executable, "-m", "monitor", "--config", str(tmp_path / "fleet.toml")]
        log = tmp_path / "monitor.log"
        stack.enter_context(running([*command, "run"], f"http://{listen}/-/healthy", log))
        wait_for(lambda: read_json(f"http://{listen}/api/v1/status")["predicted"] == 3, log)

        def predicts():
            return subprocess.run([*command, "predict", "--json"], capture_output=True, check=False).returncode == 0

        wait_for(predicts, log)
        for arguments in (["check-config"], ["status"], ["predict"], ["predict", "--host", addresses[0]]):
            done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), arguments
        assert addresses[0] in done.stdout
        assert b"<polyline" in fetch(f"http://{listen}/fleet")


def test_unknown_prometheus_option_is_one_clear_error(tmp_path):
    config = tmp_path / "fleet.toml"
    config.write_text('[source]\nkind = "prometheus"\n')
    command = [sys.executable, "-m", "monitor", "--config", str(config), "run"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert "source.url: missing" in process.stderr


def test_server_without_hosts_is_an_empty_fleet(tmp_path):
    with prometheus(tmp_path, config="scrape_configs: []") as server, fleet(tmp_path, server) as (url, _):
        log = tmp_path / "monitor.log"
        wait_for(lambda: read_json(f"{url}/api/v1/status")["source"]["reads"], log)
        assert read_json(f"{url}/api/v1/fleet")["total"] == 0


@pytest.mark.parametrize("receiver", ["prometheus", "victoria-metrics"])
def test_metrics_of_hosts_are_written_to_a_real_server(tmp_path, receiver):
    pytest.importorskip("cramjam")
    pytest.importorskip("google.protobuf")
    with exporters(tmp_path, 2) as addresses, ExitStack() as stack:
        (tmp_path / "source").mkdir()
        source = stack.enter_context(prometheus(tmp_path / "source", config=scrape_config(addresses)))
        (tmp_path / "receiver").mkdir()
        if receiver == "prometheus":
            options = ("--web.enable-remote-write-receiver",)
            target = stack.enter_context(prometheus(tmp_path / "receiver", options=options))
        else:
            target = stack.enter_context(victoria_metrics(tmp_path / "receiver", {}))
        more = f'[fleet]\nremote_write_url = "{target}/api/v1/write"\n'
        stack.enter_context(fleet(tmp_path, source, more))
        log = tmp_path / "monitor.log"

        def written():
            query = f"{target}/api/v1/query?query=monitor_high_load_probability"
            return {entry["metric"]["host"] for entry in read_json(query)["data"]["result"]}

        wait_for(lambda: written() == set(addresses), log, seconds=90)
