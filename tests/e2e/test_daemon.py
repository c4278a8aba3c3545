"""End-to-end test of a daemon: sample, wait, train, serve, roll back, kill, restart, stop.

The tests share one daemon and depend on the order of this file.
"""

import json
import re
import signal
import sqlite3
import subprocess
import time
import urllib.request

import numpy as np
import pytest

from storage import PredictionRepository, SampleRepository, open_database

from .conftest import BOUND, BURST, CALM, HORIZON, Service, free_port, need

pytestmark = pytest.mark.e2e

PROBABILITY = f'monitor_high_load_probability{{horizon="{HORIZON}"}}'
SECONDS = 4.0
MIN_HISTORY = 150.0


def rows(service, table):
    with sqlite3.connect(f"file:{service.database}?mode=ro", uri=True) as connection:
        return connection.execute(f"SELECT at FROM {table} ORDER BY at").fetchall()


def test_new_daemon_samples_and_states_what_the_first_training_waits_for(service, burner):
    service.wait_for(lambda: "monitor_host_cpu_usage_ratio" in service.metrics(), 20, "sample with rates")
    page = service.metrics()
    assert page["monitor_model_ready"] == 0
    assert not [name for name in page if name.startswith("monitor_high_load_probability")]
    assert page['monitor_source_success{source="cpu"}'] == 1
    assert "2.5 min" in service.get("/-/ready")
    assert service.json("status")["history"]["needed_seconds"] == MIN_HISTORY
    assert "training pending" in service.log()
    assert service.get("/-/healthy")
    assert service.database.stat().st_mode & 0o777 == 0o600


def test_commands_exit_with_4_without_enough_history(service, burner):
    for command in ("retrain", "predict"):
        completed = service.command(command)
        assert completed.returncode == 4
        assert "2.5 min" in completed.stderr
        assert "Traceback" not in completed.stderr


def test_pretrained_model_predicts_from_the_first_samples_on(tmp_path):
    other = Service(tmp_path)
    other.config.write_text(re.sub(r"horizons = .*", "", other.config.read_text()))
    other.start()
    try:
        probability = 'monitor_high_load_probability{horizon="15m"}'
        other.wait_for(lambda: probability in other.metrics(), 20, "prediction")
        page = other.metrics()
        assert (page["monitor_model_ready"], page["monitor_model_prior"]) == (1, 1)
        assert 0 < page[probability] < 1
        assert "2.5 min" in other.get("/-/ready")
        assert len(other.json("predict")) == 3
    finally:
        assert other.stop() == 0


def test_second_daemon_on_the_same_database_is_refused(service, burner, tmp_path):
    other = tmp_path / "config.toml"
    other.write_text(service.config.read_text().replace(str(service.port), str(free_port())))
    completed = service.command("--config", str(other), "run")
    assert completed.returncode == 1
    *log_lines, message = completed.stderr.splitlines()
    assert str(service.process.pid) in message
    assert len(log_lines) <= 2


def test_second_daemon_on_the_same_port_is_refused(service, burner, tmp_path):
    other = tmp_path / "config.toml"
    other.write_text(service.config.read_text().replace(str(service.directory), str(tmp_path)))
    completed = service.command("--config", str(other), "run")
    assert completed.returncode == 1
    assert f"127.0.0.1:{service.port}" in completed.stderr
    assert not (tmp_path / "monitor.db").exists()


def test_daemon_trains_once_the_history_suffices(service, burner):
    service.wait_for(lambda: PROBABILITY in service.metrics(), 300, "model of its own")
    service.wait_for(lambda: service.model_serving() is not None, 15, "model in the records")
    assert service.json("status")["model"]["id"] == service.model_serving()
    promoted = 'monitor_retrain_runs_total{outcome="promoted"}'
    page = service.wait_for(lambda: service.metrics() if service.metrics().get(promoted) else None, 15, "run")
    assert page[promoted] == 1
    assert page['monitor_training_gradient_norm{parameter="0.weight"}'] > 0
    assert sum(value for name, value in page.items() if name.startswith("monitor_training_gradient_state")) == 1


def test_daemon_serves_model_of_retrain_command(service, burner):
    before = service.model_serving()
    completed = service.command("retrain", "--force")
    assert completed.returncode == 0, completed.stderr
    for part in ("losses", "scores", "persistence", "climatology", "gradients", "0.weight", "dead units", "promoted"):
        assert part in completed.stdout
    assert "epoch 1/" in completed.stderr
    service.wait_for(lambda: service.model_serving() == before + 1, 5, "second model")
    assert [entry["id"] for entry in service.json("models", "list")] == [before + 1, before]


def test_probability_rises_around_bursts_and_beats_the_base_rate(service, burner):
    started = time.time()
    predictions = []
    while time.time() < started + 4 * (BURST + CALM):
        page = service.metrics()
        predictions.append((page["monitor_prediction_timestamp_seconds"], page[PROBABILITY]))
        time.sleep(0.5)
    starts = np.array([at for at in burner if at > started - BURST - CALM])
    at, p = np.array(predictions).T
    near = np.any((at[:, None] >= starts - 2) & (at[:, None] < starts + BURST - 1), axis=1)
    assert p[near].mean() > p[~near].mean() + 0.1
    brier, base_rate_brier = brier_scores(service, started)
    assert brier < base_rate_brier


def brier_scores(service, since):
    """Return the Brier scores of the stored predictions and of their base rates."""
    with open_database(f"sqlite:///{service.database}") as database:
        table = SampleRepository(database).between(since - 5, time.time(), ("cpu_usage",))
        predictions = PredictionRepository(database).between(since, time.time(), SECONDS)
    at, high = table[:, 0], table[:, 1] >= BOUND
    sustained = high & np.append(False, high[:-1])
    matured = [p for p in predictions if p.at + SECONDS <= at[-1]]
    y = np.array([sustained[(at > p.at) & (at <= p.at + SECONDS)].any() for p in matured], float)
    p = np.array([p.probability for p in matured])
    base = np.array([p.baseline_probability for p in matured])
    assert len(y) > 40
    assert 0.1 < y.mean() < 0.95
    return np.mean((p - y) ** 2), np.mean((base - y) ** 2)


def test_predict_states_contributions(service, burner):
    predictions = service.json("predict")
    assert [entry["horizon_name"] for entry in predictions] == [HORIZON, "6s"]
    assert "load_index" in predictions[0]["contributions"]
    # Load may be high at this moment.
    shown = service.command("predict").stdout
    assert "base rate" in shown or "continues or returns" in shown


def test_rollback_takes_effect_without_restart(service, burner):
    second = service.model_serving()
    assert service.json("models", "rollback")["serving"] == second - 1
    service.wait_for(lambda: service.model_serving() == second - 1, 5, "first model")


def test_prometheus_scrapes_the_page_and_promtool_accepts_it(service, burner, tmp_path):
    prometheus, promtool = need("prometheus", "promtool")
    completed = subprocess.run(
        [promtool, "check", "metrics"], input=service.get("/metrics"), text=True, capture_output=True, check=False
    )
    assert (completed.returncode, completed.stderr) == (0, "")
    port = free_port()
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: monitor, static_configs: [{{targets: ['127.0.0.1:{service.port}']}}]}}]\n"
    )
    command = [prometheus, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    server = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        result = service.wait_for(lambda: query(port, "monitor_high_load_probability"), 20, "series in Prometheus")
    finally:
        server.terminate()
        server.wait(10)
    assert {series["metric"]["horizon"] for series in result} == {HORIZON, "6s"}
    assert all(0 <= float(series["value"][1]) <= 1 for series in result)


def query(port, expression):
    try:
        url = f"http://127.0.0.1:{port}/api/v1/query?query={expression}"
        with urllib.request.urlopen(url, timeout=5) as response:
            return json.loads(response.read())["data"]["result"]
    except OSError:
        return []


def test_sigkill_and_restart_lose_no_committed_sample(service, burner):
    committed = rows(service, "samples")
    assert len(committed) > 120
    service.stop(signal.SIGKILL)
    service.start()
    # A rate such as CPU usage needs two readings, and no probability is published without the metrics of the rules.
    service.wait_for(lambda: PROBABILITY in service.metrics(), 5, "prediction from stored history")
    assert rows(service, "samples")[: len(committed)] == committed


def test_reload_with_invalid_configuration_is_refused(service, burner):
    good = service.config.read_text()
    service.config.write_text(good + '\n[training]\nlayrs = "x"\n')
    service.process.send_signal(signal.SIGHUP)
    service.wait_for(lambda: service.metrics().get("monitor_config_last_reload_successful") == 0, 5, "failed reload")
    service.config.write_text(good.replace("[web]", "[web]\nhost_metrics = false"))
    service.process.send_signal(signal.SIGHUP)
    service.wait_for(lambda: service.metrics().get("monitor_config_last_reload_successful") == 1, 10, "reload")
    page = service.wait_for(service.metrics_with_sample, 20, "sample after the reload")
    assert "monitor_host_cpu_usage_ratio" not in page


def test_sigterm_exits_with_0_and_releases_the_lock(service, burner):
    assert service.stop() == 0
    status = service.command("status", "--json")
    assert (status.returncode, json.loads(status.stdout)["daemon_running"]) == (3, False)
    assert "Traceback" not in service.log()
