"""The commands over a real database: what they print, what they change, and how they end."""

import json
import re
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.config.loader import Config, load_config
from monitor.config.reference import effective_values, to_toml
from monitor.stores import open_stores
from monitor.training.bootstrap_model import ensure_bootstrap_model
from storage import ModelRegistry, Sample, SampleRepository, TrainingRunRepository, open_database

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


def outcomes(admin):
    with open_database(admin.url) as database:
        return {outcome: count for outcome, count in TrainingRunRepository(database).counts().items() if count}


def test_retrain_promotes_and_reports(admin):
    admin.fill()
    code, out, err = admin("retrain")
    assert (code, outcomes(admin)) == (0, {"promoted": 1})
    assert re.search(r"1m network +0\.0\d+", out)
    assert "model 1 promoted" in out
    assert "epoch 1/192" in err
    code, out, _ = admin("status")
    assert "model       1 serves" in out


def test_the_same_samples_and_seed_give_the_same_model(admin):
    admin.fill(end=time.time() - 60)
    shas = []
    for _ in range(2):
        assert admin("retrain", "--force")[0] == 0
    shas = {record["sha256"] for record in json.loads(admin("models", "list", "--json")[1])}
    assert len(shas) == 1


def test_a_candidate_that_is_worse_is_refused_with_3_and_what_serves_stays(admin):
    admin.fill()
    assert admin("retrain")[0] == 0
    admin.config.write_text(admin.config.read_text() + "\n[gate]\nmin_skill = 0.9999\n")
    code, out, err = admin("retrain")
    assert (code, outcomes(admin)) == (3, {"promoted": 1, "refused": 1})
    assert "min_skill" in err
    assert "model 2 refused" in out
    assert "model       1 serves" in admin("status")[1]


def test_force_promotes_what_the_gate_refuses(admin):
    admin.fill()
    admin.config.write_text(admin.config.read_text() + "\n[gate]\nmin_skill = 0.9999\n")
    assert admin("retrain", "--force")[0] == 0
    assert "model       1 serves" in admin("status")[1]


def test_a_dry_run_changes_nothing(admin):
    admin.fill()
    code, out, _ = admin("retrain", "--dry-run")
    assert (code, outcomes(admin)) == (0, {})
    assert "would be promoted" in out
    assert admin("models", "list")[1] == "no models yet\n"


def test_too_little_history_ends_with_4_and_says_how_much_is_missing(admin):
    admin.fill(rows=72)
    code, out, err = admin("retrain")
    assert (code, out, outcomes(admin)) == (4, "", {"skipped": 1})
    assert err == "monitor: not enough history: 12 min of the 1 h it needs\n"


def test_a_calm_history_ends_with_4_and_says_so(admin):
    admin.fill()
    admin.config.write_text(admin.config.read_text().replace("0.8", "0.999999"))
    code, _, err = admin("retrain")
    assert code == 4
    assert "no high load" in err


def test_another_retraining_holds_the_lock_5(admin):
    admin.fill()
    with open_database(admin.url) as database, database.lock("retrain"):
        code, _, err = admin("retrain")
    assert code == 5
    assert "another retraining is under way" in err


def test_a_training_that_diverges_fails_with_1_and_nothing_of_it_serves(admin):
    admin.fill()
    wild = "[training]\nlearning_rate = 10\ngradient_clip = 0\nschedule = 'constant'\n"
    admin.config.write_text(admin.config.read_text().replace("[training]\n", wild))
    code, _, err = admin("retrain")
    assert (code, outcomes(admin)) == (1, {"failed": 1})
    assert "training.learning_rate" in err
    assert admin("models", "list")[1] == "no models yet\n"


def test_a_training_over_its_time_is_ended(admin, monkeypatch):
    admin.fill()
    admin.config.write_text(
        admin.config.read_text().replace("epochs = 12", "epochs = 100000\npatience = 100000\ntimeout = '1s'")
    )
    code, _, err = admin("retrain")
    assert (code, outcomes(admin)) == (1, {"failed": 1})
    assert "training.timeout (1 s)" in err


def test_json_reports_are_one_document(admin):
    admin.fill()
    report = json.loads(admin("retrain", "--json")[1])
    assert (report["outcome"], report["model_id"]) == ("promoted", 1)
    assert [h["horizon"] for h in report["report"]["horizons"]] == [60.0, 300.0]
    assert set(report["report"]["horizons"][0]["scores"]) == {
        "network", "persistence", "climatology", "current value", "Holt-Winters"
    }  # fmt: skip
    status = json.loads(admin("status", "--json")[1])
    assert status["model"]["id"] == 1
    assert json.loads(admin("models", "show", "1", "--json")[1])["report"]["samples"] == 2000


def test_since_looks_only_at_that_much(admin):
    admin.fill()
    report = json.loads(admin("retrain", "--since", "3h", "--json")[1])
    assert report["report"]["samples"] == pytest.approx(1080, abs=2)


def test_models_are_shown_rolled_back_and_named_when_unknown(admin):
    admin.fill()
    for _ in range(2):
        assert admin("retrain", "--force")[0] == 0
    assert re.search(r"^  2 serves", admin("models", "list")[1], re.MULTILINE)
    assert admin("models", "rollback") == (0, "model 1 serves\n", "")
    assert "model 1, serves now" in admin("models", "show", "1")[1]
    code, _, err = admin("models", "rollback", "9")
    assert code == 1
    assert "9" in err
    assert len(err.splitlines()) == 1


def test_predict_speaks_for_now_or_for_then(admin):
    admin.fill()
    assert admin("predict")[0] == 4
    admin("retrain")
    now = json.loads(admin("predict", "--json")[1])
    assert [p["horizon_name"] for p in now] == ["1m", "5m"]
    then = json.loads(admin("predict", "--json", "--at", str(time.time() - 3600))[1])
    assert then[0]["at"] <= time.time() - 3600
    code, _, err = admin("predict", "--at", "1000")
    assert code == 4
    assert "no sample in the 30 s before 1970-01-01 00:16:40 UTC" in err


def test_a_damaged_serving_model_is_named(admin):
    admin.fill()
    admin("retrain")
    with open_database(admin.url) as database:
        registry = ModelRegistry(database)
        registry.promote(registry.register(b"not a model", "{}", time.time()), time.time())
    code, _, err = admin("predict")
    assert code == 1
    assert "not a model" in err


def test_check_config_prints_what_is_in_effect_or_every_problem(admin):
    code, out, _ = admin("check-config")
    assert code == 0
    assert 'horizons = ["1m", "5m"]' in out
    admin.config.write_text("[trainig]\n[web]\nlisten = 3\n")
    code, out, err = admin("check-config")
    assert (code, out) == (2, "")
    assert [line.split(": ")[2] for line in err.splitlines()] == ["trainig", "web.listen"]
    problems = json.loads(admin("check-config", "--json")[1])["problems"]
    assert len(problems) == 2


@pytest.mark.parametrize("command", ["run", "retrain", "status", "predict"])
def test_a_wrong_configuration_ends_every_command_with_2_before_anything_starts(admin, command):
    admin.config.write_text(admin.config.read_text() + "[gate]\nmargn = 1\n")
    code, out, err = admin(command)
    assert (code, out) == (2, "")
    assert err == f"monitor: {admin.config}: gate.margn: unknown key; did you mean 'margin'?\n"
    assert not admin.database.exists()


def test_a_directory_that_cannot_be_written_is_named(admin):
    (admin.directory / "file").touch()
    admin.config.write_text(admin.config.read_text().replace("monitor.db", "file/monitor.db"))
    code, _, err = admin("run")
    assert code == 1
    assert str(admin.directory / "file") in err
    assert len(err.splitlines()) == 1


def test_a_database_of_a_newer_schema_is_refused(admin):
    admin.fill(rows=1)
    with sqlite3.connect(admin.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    code, _, err = admin("run")
    assert code == 1
    assert "9999" in err
    assert str(admin.database) in err


def test_samples_stay_what_they_are_when_trained_on(admin):
    admin.fill()
    with open_database(admin.url) as database:
        before = SampleRepository(database).count()
    admin("retrain")
    with open_database(admin.url) as database:
        assert SampleRepository(database).count() == before


@pytest.mark.parametrize("command", [["status"], ["predict"], ["retrain"], ["models", "list"]])
def test_looking_at_a_database_that_is_not_there_makes_none(admin, command):
    code, out, err = admin(*command)
    assert (code, out) == (1, "")
    assert err == f"monitor: {admin.database}: no database there; has the daemon run, with this storage.url?\n"
    assert not admin.database.exists()


def test_a_database_of_somebody_else_is_left_as_it_is(admin):
    with sqlite3.connect(admin.database) as connection:
        connection.execute("CREATE TABLE foo (x)")
    connection.close()
    code, _, err = admin("run")
    assert code == 1
    assert "not a database of monitor (it has a table foo)" in err
    with sqlite3.connect(admin.database) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("foo",)]
    connection.close()


def test_a_full_device_is_one_line(admin):
    admin.fill(rows=2)
    command = f"{sys.executable} -m monitor --config {admin.config} status > /dev/full"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["retrain", "--since", "0s"], ["predict", "--at", "nan"], ["predict", "--at", "1e300"]]
)
def test_a_senseless_argument_is_a_usage_error(admin, arguments):
    assert admin(*arguments)[0] == 2


def test_a_host_that_a_prior_serves_is_told_that_no_sample_is_fresh(admin):
    admin.fill(rows=200)
    with open_stores(admin.url) as stores:
        ensure_bootstrap_model(stores, load_config(admin.config), time.time())
    done = run_monitor(admin, "predict", "--at", "1000")
    assert (done.returncode, done.stderr) == (4, "monitor: no sample in the 30 s before 1970-01-01 00:16:40 UTC\n")


def test_a_sample_of_the_future_is_told_of_and_is_not_taken_for_the_last_one(admin):
    at = time.time()
    with open_database(admin.url) as database, database.lock("daemon"):
        SampleRepository(database).append(Sample(at - 3600, cpu_usage=0.5))
        SampleRepository(database).append(Sample(at + 3600, cpu_usage=0.5))
        found = json.loads(admin("status", "--json")[1])
        assert (found["daemon_running"], found["sampling"]) == (True, False)
        assert found["last_sample"]["at"] == pytest.approx(at - 3600, abs=1)
        assert "samples lie in the future" in admin("status")[1]
        SampleRepository(database).append(Sample(at - 1, cpu_usage=0.5))
        assert json.loads(admin("status", "--json")[1])["sampling"]


def test_rows_far_in_the_future_are_left_out_of_an_import_and_counted(admin, tmp_path):
    trace = tmp_path / "trace.csv"
    trace.write_text("timestamp,cpu_usage\n1,0.5\n4000000000,0.5\n")
    code, out, err = admin("import", str(trace))
    assert (code, out) == (0, f"{trace}: 1 samples added (2 rows, 1 in the future)\n")
    assert err == f"monitor: {trace}: 1 rows skipped: timestamp more than a day in the future\n"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["--for", "99999999d"], "longer than a hundred years"),
        (["--from", "253402300000", "--for", "1d"], "ends after the year 9999"),
        (["--from", "2030-01-01"], "--for"),
    ],
)
def test_a_maintenance_that_makes_no_sense_is_refused_and_the_list_stays_readable(admin, typed, words):
    admin.fill(rows=2)
    done = run_monitor(admin, "anomalies", "maintenance", *typed)
    assert (done.returncode, words in done.stderr) == (2, True)
    assert admin("anomalies", "maintenance")[:2] == (0, "no maintenance is active or planned\n")


def run_monitor(admin, *arguments, **how):
    command = [sys.executable, "-m", "monitor", "--config", str(admin.config), *arguments]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, **how)


def test_complaints_and_progress_are_json_or_nothing_where_json_was_asked_for(admin):
    admin.fill()
    done = run_monitor(admin, "--log-format", "json", "retrain", "--dry-run", stdout=subprocess.PIPE)
    assert done.returncode == 0
    for line in done.stderr.splitlines():
        json.loads(line)
    admin.config.write_text("[high_load]\nrules = [{ cpu = 1, memory_usage = 7 }]\n[web]\nconfig_file = 'no.yml'\n")
    done = run_monitor(admin, "--log-format", "json", "check-config")
    problems = [json.loads(line)["error"] for line in done.stderr.splitlines()]
    assert done.returncode == 2
    assert [text for text in ("'cpu'", "memory_usage", "no.yml") if text not in " ".join(problems)] == []
    assert len(problems) == 3


@pytest.mark.parametrize("command", [["check-config"], ["check-config", "--json"], ["doctor"], ["doctor", "--json"]])
def test_a_password_in_the_url_of_the_database_is_shown_nowhere(admin, command):
    for url in ("postgres://u:secret@h/db", f"sqlite://u:secret@h/{admin.database}"):
        admin.config.write_text(f'[storage]\nurl = "{url}"\n')
        done = run_monitor(admin, *command, stdout=subprocess.PIPE)
        assert "secret" not in done.stdout + done.stderr
        assert "***" in done.stdout + done.stderr


def test_a_password_stays_out_of_the_effective_configuration():
    config = replace(Config(), storage=replace(Config().storage, url="sqlite://u:secret@h/db"))
    assert effective_values(config)["storage"]["url"] == "sqlite://u:***@h/db"
    assert "secret" not in to_toml(config)


@pytest.mark.parametrize("command", [["--help"], ["--version"], ["status"], ["help"]])
def test_an_answer_that_cannot_be_written_ends_in_one_line_and_1(admin, command):
    admin.fill(rows=2)
    with Path("/dev/full").open("w") as full:
        done = run_monitor(admin, *command, stdout=full)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    shell = ["sh", "-c", '"$@" >&-', "sh", sys.executable, "-m", "monitor", "--config", str(admin.config), *command]
    done = subprocess.run(shell, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
