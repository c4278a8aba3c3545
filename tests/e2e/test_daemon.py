"""The whole road, as an operator walks it: sample, wait, train, serve, roll back, kill, restart, stop.

The tests follow each other on one daemon, in the order of this file.
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


def rows(service, table):
    with sqlite3.connect(f"file:{service.database}?mode=ro", uri=True) as connection:
        return connection.execute(f"SELECT at FROM {table} ORDER BY at").fetchall()


def test_a_new_daemon_samples_and_says_what_it_waits_for(service, burner):
    service.wait_for(lambda: "monitor_host_cpu_usage_ratio" in service.metrics(), 20, "sample with rates")
    page = service.metrics()
    assert page["monitor_model_ready"] == 0
    assert not [name for name in page if name.startswith("monitor_high_load_probability")]
    assert page['monitor_source_success{source="cpu"}'] == 1
    assert "of the 2.5 min it needs" in service.get("/-/ready")
    assert "of the 2.5 min it needs" in service.command("status").stdout
    assert "of the 2.5 min it needs" in service.log()
    assert service.get("/-/healthy") == "healthy\n"
    assert service.database.stat().st_mode & 0o777 == 0o600


def test_retraining_and_predicting_too_early_say_so_and_end_with_4(service, burner):
    for command in ("retrain", "predict"):
        found = service.command(command)
        assert found.returncode == 4
        assert "of the 2.5 min it needs" in found.stderr
        assert "Traceback" not in found.stderr


def test_with_horizons_of_minutes_the_prior_predicts_from_the_first_samples_on(tmp_path):
    other = Service(tmp_path)
    other.config.write_text(re.sub(r"horizons = .*", "", other.config.read_text()))
    other.start()
    try:
        shown = 'monitor_high_load_probability{horizon="15m"}'
        other.wait_for(lambda: shown in other.metrics(), 20, "prediction")
        page = other.metrics()
        assert (page["monitor_model_ready"], page["monitor_model_prior"]) == (1, 1)
        assert 0 < page[shown] < 1
        assert "of the 2.5 min it needs" in other.get("/-/ready")
        said = other.command("predict")
        assert (said.returncode, "learned on other hosts" in said.stdout) == (0, True)
        assert "a prior learned on other hosts" in other.command("status").stdout
    finally:
        assert other.stop() == 0


def test_a_second_daemon_on_the_same_database_is_refused(service, burner, tmp_path):
    other = tmp_path / "config.toml"
    other.write_text(service.config.read_text().replace(str(service.port), str(free_port())))
    found = service.command("--config", str(other), "run")
    assert found.returncode == 1
    assert str(service.process.pid) in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_a_second_daemon_on_the_same_port_is_refused(service, burner, tmp_path):
    other = tmp_path / "config.toml"
    other.write_text(service.config.read_text().replace(str(service.directory), str(tmp_path)))
    found = service.command("--config", str(other), "run")
    assert found.returncode == 1
    assert f"127.0.0.1:{service.port}" in found.stderr
    assert not (tmp_path / "monitor.db").exists()


def test_it_trains_by_itself_once_it_has_enough(service, burner):
    service.wait_for(lambda: PROBABILITY in service.metrics(), 300, "model of its own")
    service.wait_for(lambda: service.model_serving() is not None, 15, "model in the records")
    assert service.json("status")["model"]["id"] == service.model_serving()
    promoted = 'monitor_retrain_runs_total{outcome="promoted"}'
    page = service.wait_for(lambda: service.metrics() if service.metrics().get(promoted) else None, 15, "run")
    assert page[promoted] == 1
    assert page['monitor_training_gradient_norm{parameter="0.weight"}'] > 0
    assert sum(value for name, value in page.items() if name.startswith("monitor_training_gradient_state")) == 1


def test_an_admin_retrains_and_the_running_daemon_serves_the_new_model(service, burner):
    before = service.model_serving()
    found = service.command("retrain", "--force")
    assert found.returncode == 0, found.stderr
    for part in ("losses", "scores", "persistence", "climatology", "gradients", "0.weight", "dead units", "promoted"):
        assert part in found.stdout
    assert "epoch 1/" in found.stderr
    service.wait_for(lambda: service.model_serving() == before + 1, 5, "second model")
    assert [entry["id"] for entry in service.json("models", "list")] == [before + 1, before]


def test_the_probability_rises_before_or_during_the_bursts_and_is_calibrated(service, burner):
    began = time.time()
    seen = []
    while time.time() < began + 4 * (BURST + CALM):
        page = service.metrics()
        seen.append((page["monitor_prediction_timestamp_seconds"], page[PROBABILITY]))
        time.sleep(0.5)
    starts = np.array([at for at in burner if at > began - BURST - CALM])
    at, p = np.array(seen).T
    near = np.any((at[:, None] >= starts - 2) & (at[:, None] < starts + BURST - 1), axis=1)
    assert p[near].mean() > p[~near].mean() + 0.1
    brier, base = scored(service, began)
    assert brier < base, "worse than always saying the base rate"


def scored(service, since):
    """Brier scores of the stored predictions and of their base rate, against the samples that followed."""
    with open_database(f"sqlite:///{service.database}") as database:
        table = SampleRepository(database).between(since - 5, time.time(), ("cpu_usage",))
        predictions = PredictionRepository(database).between(since, time.time(), SECONDS)
    at, high = table[:, 0], table[:, 1] >= BOUND
    lasted = high & np.append(False, high[:-1])
    known = [p for p in predictions if p.at + SECONDS <= at[-1]]
    y = np.array([lasted[(at > p.at) & (at <= p.at + SECONDS)].any() for p in known], float)
    p = np.array([p.probability for p in known])
    base = np.array([p.baseline_probability for p in known])
    assert len(y) > 40
    assert 0.1 < y.mean() < 0.95
    return np.mean((p - y) ** 2), np.mean((base - y) ** 2)


def test_predict_explains_itself(service, burner):
    found = service.json("predict")
    assert [entry["horizon_name"] for entry in found] == [HORIZON, "6s"]
    assert "load_index" in found[0]["contributions"]
    assert "usually" in service.command("predict").stdout


def test_a_rollback_takes_effect_without_restart(service, burner):
    second = service.model_serving()
    assert service.json("models", "rollback")["serving"] == second - 1
    service.wait_for(lambda: service.model_serving() == second - 1, 5, "first model")


def test_prometheus_scrapes_it_and_promtool_finds_nothing_to_say(service, burner, tmp_path):
    prometheus, promtool = need("prometheus", "promtool")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=service.get("/metrics"), text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
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
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.loads(answer.read())["data"]["result"]
    except OSError:
        return []


def test_kill_minus_9_and_restart_lose_no_committed_sample(service, burner):
    committed = rows(service, "samples")
    assert len(committed) > 120
    service.stop(signal.SIGKILL)
    service.start()
    page = service.wait_for(service.metrics_with_sample, 20, "sample after the restart")
    assert PROBABILITY in page, "the first sample brings the first prediction, from stored history"
    assert rows(service, "samples")[: len(committed)] == committed


def test_a_reload_with_a_bad_configuration_changes_nothing_and_shows(service, burner):
    good = service.config.read_text()
    service.config.write_text(good + '\n[training]\nlayrs = "x"\n')
    service.process.send_signal(signal.SIGHUP)
    service.wait_for(lambda: service.metrics().get("monitor_config_last_reload_successful") == 0, 5, "failed reload")
    service.config.write_text(good.replace("[web]", "[web]\nhost_metrics = false"))
    service.process.send_signal(signal.SIGHUP)
    service.wait_for(lambda: service.metrics().get("monitor_config_last_reload_successful") == 1, 10, "reload")
    page = service.wait_for(service.metrics_with_sample, 20, "sample after the reload")
    assert "monitor_host_cpu_usage_ratio" not in page


def test_sigterm_ends_it_with_0_and_leaves_no_lock(service, burner):
    assert service.stop() == 0
    found = service.json("status")
    assert found["daemon_running"] is False
    assert "Traceback" not in service.log()
