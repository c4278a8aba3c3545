"""Commands on a real database: their documents, their changes, their exit codes."""

import json
import sqlite3
import time

import pytest

from monitor.config.loader import load_config
from monitor.stores import open_stores
from monitor.training.bootstrap_model import ensure_bootstrap_model
from storage import ModelRegistry, Sample, SampleRepository, open_database

pytestmark = pytest.mark.integration


def document(admin, *arguments):
    return json.loads(admin(*arguments, "--json")[1])


def test_models_can_be_rolled_back_and_activated(admin):
    admin.fill_and_train()
    assert admin("retrain", "--force")[0] == 0
    assert document(admin, "status")["model"]["id"] == 2
    assert document(admin, "models", "rollback") == {"serving": 1}
    assert document(admin, "status")["model"]["id"] == 1
    assert document(admin, "models", "activate", "2") == {"serving": 2}
    assert [(model["id"], model["serving"]) for model in document(admin, "models")] == [(2, True), (1, False)]
    code, _, errors = admin("models", "activate", "9")
    assert (code, len(errors.splitlines())) == (1, 1)


def test_predict_uses_the_sample_at_the_requested_time(admin):
    admin.fill(rows=1)
    assert admin("predict")[0] == 4
    admin.fill_and_train()
    current = document(admin, "predict")
    assert [prediction["horizon_name"] for prediction in current] == ["1m", "5m"]
    for at in ("-1h", str(time.time() - 3600)):
        former = document(admin, "predict", "--at", at)
        assert former[0]["at"] == pytest.approx(time.time() - 3600, abs=60)
    code, _, errors = admin("predict", "--at", "1000")
    assert code == 4
    assert "1970-01-01 00:16:40 UTC" in errors


def test_predict_without_a_recent_sample_exits_with_4_while_the_pretrained_model_serves(admin):
    admin.fill(rows=200)
    with open_stores(admin.url) as stores:
        ensure_bootstrap_model(stores, load_config(admin.config), time.time())
    code, _, errors = admin("predict", "--at", "1000")
    assert code == 4
    assert "1970-01-01 00:16:40 UTC" in errors


def test_damaged_model_exits_with_1_and_is_named(admin):
    admin.fill_and_train()
    with open_database(admin.url) as database:
        registry = ModelRegistry(database)
        registry.promote(registry.register(b"not a model", "{}", time.time()), time.time())
    code, _, errors = admin("predict")
    assert code == 1
    assert "not a model" in errors


@pytest.mark.parametrize("command", ["run", "retrain", "status", "predict"])
def test_invalid_configuration_exits_with_2_before_anything_starts(admin, command):
    admin.config.write_text(admin.config.read_text() + "[gate]\nmargn = 1\n")
    code, output, errors = admin(command)
    assert (code, output) == (2, "")
    assert errors.startswith(f"monitor: {admin.config}: gate.margn: ")
    assert "'margin'" in errors
    assert not admin.database.exists()


def test_database_of_a_newer_release_exits_with_1_and_is_named(admin):
    admin.fill(rows=1)
    with sqlite3.connect(admin.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    code, _, errors = admin("run")
    assert code == 1
    assert "9999" in errors
    assert str(admin.database) in errors


def test_database_of_another_program_is_not_changed(admin):
    with sqlite3.connect(admin.database) as connection:
        connection.execute("CREATE TABLE foo (x)")
    connection.close()
    code, _, errors = admin("run")
    assert code == 1
    assert "foo" in errors
    with sqlite3.connect(admin.database) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("foo",)]
    connection.close()


@pytest.mark.parametrize("command", [["status"], ["predict"], ["retrain"], ["models", "list"]])
def test_reading_command_does_not_create_a_database(admin, command):
    code, output, errors = admin(*command)
    assert (code, output, len(errors.splitlines())) == (1, "", 1)
    assert errors.startswith(f"monitor: {admin.database}: ")
    assert not admin.database.exists()


def test_status_ignores_a_sample_of_the_future(admin):
    now = time.time()
    with open_database(admin.url) as database, database.lock("daemon"):
        samples = SampleRepository(database)
        samples.append(Sample(now - 3600, cpu_usage=0.5))
        samples.append(Sample(now + 3600, cpu_usage=0.5))
        status = document(admin, "status")
        assert (status["daemon_running"], status["sampling"]) == (True, False)
        assert status["last_sample"]["at"] == pytest.approx(now - 3600, abs=1)
        assert "future" in admin("status")[1]
        samples.append(Sample(now - 1, cpu_usage=0.5))
        assert document(admin, "status")["sampling"]


def test_import_refuses_a_file_with_rows_in_the_future(admin, tmp_path):
    trace = tmp_path / "trace.csv"
    trace.write_text("timestamp,cpu_usage\n1,0.5\n4000000000,0.5\n")
    code, output, errors = admin("import", str(trace), "--json")
    assert (code, output) == (1, "")
    assert (len(errors.splitlines()), str(trace) in errors) == (1, True)
    assert not admin.database.exists()


@pytest.mark.parametrize(
    "arguments", [["retrain", "--since", "0s"], ["predict", "--at", "nan"], ["predict", "--at", "1e300"]]
)
def test_invalid_argument_is_a_usage_error(admin, arguments):
    assert admin(*arguments)[0] == 2
