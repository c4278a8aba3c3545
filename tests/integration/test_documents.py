"""JSON of the commands and of the API, validated by the committed schemas."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from monitor.config.loader import load_config
from monitor.inference.registry_follower import RegistryFollower
from monitor.inference.served_model import ServedModel
from monitor.queries.history import HistoryReader
from monitor.queries.scorecard import ScorecardReader
from monitor.queries.status import read_overview
from monitor.state import DaemonState, LiveState
from monitor.stores import open_stores
from monitor.web import Application, StoredDocuments
from storage import AnomalyRecord

from .conftest import Admin

pytestmark = pytest.mark.integration

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


def validate(name, document):
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(document)] == [], name


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Database of a host with a model, and the trace of its samples."""
    admin = Admin(tmp_path_factory.mktemp("trained"), None)
    admin.fill_and_train()
    monitor = [sys.executable, "-m", "monitor", "--config", str(admin.config)]
    trace = admin.directory / "trace.csv"
    subprocess.run([*monitor, "export", str(trace)], check=True, capture_output=True)
    return admin.database.read_bytes(), trace.read_bytes()


@pytest.fixture
def served(admin, trained):
    database, trace = trained
    admin.database.write_bytes(database)
    (admin.directory / "trace.csv").write_bytes(trace)
    # Other tests may have run for longer than a sample is recent.
    admin.fill(rows=2)
    return admin


COMMANDS = {
    "status": ("status",),
    "prediction": ("predict",),
    "report": ("report",),
    "models": ("models", "list"),
    "model": ("models", "show", "1"),
    "model-activation": ("models", "activate", "1"),
    "anomalies": ("anomalies", "list"),
    "maintenance": ("maintenance", "add", "--for", "1h", "--note", "disks"),
    "maintenance-list": ("maintenance", "list"),
    "retrain": ("retrain", "--dry-run", "--force"),
    "check-config": ("check-config",),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_command_prints_a_document_of_its_schema(served, name):
    code, out, _ = served(*COMMANDS[name], "--json")
    assert code == 0 or name in ("status", "retrain")
    validate(name, json.loads(out))


def test_status_without_a_model_and_without_samples_fulfils_the_schema(admin):
    admin.fill(rows=2)
    validate("status", json.loads(admin("status", "--json")[1]))


def test_doctor_fulfils_the_schema(doctor, served):
    _, out, _ = served("doctor", "--json")
    validate("doctor", json.loads(out))


def test_invalid_configuration_fulfils_the_schema(admin):
    admin.config.write_text("[nonsense]\n")
    code, out, _ = admin("check-config", "--json")
    assert code == 2
    validate("check-config", json.loads(out))


def test_files_of_models_and_traces_fulfil_their_schemas(served):
    model, trace = str(served.directory / "model.npz"), str(served.directory / "trace.csv")
    for name, arguments in (
        ("model-export", ("models", "export", "1", model)),
        ("model-import", ("models", "import", model)),
        ("trace-import", ("import", trace)),
        ("backtest", ("backtest", trace, "--no-retrain")),
    ):
        code, out, _ = served(*arguments, "--json")
        assert code == 0, name
        validate(name, json.loads(out))


def test_details_and_verdict_of_an_anomaly_fulfil_their_schemas(served):
    with open_stores(served.url) as stores:
        at = stores.samples.last().at
        event_id = stores.anomalies.add(AnomalyRecord(at - 600, at, 0.9, at - 60, "joint", {"cpu_usage": 1.0}, 1))
    validate("anomaly-details", json.loads(served("anomalies", "show", str(event_id), "--json")[1]))
    validate("anomaly", json.loads(served("anomalies", "ack", str(event_id), "--as", "expected", "--json")[1]))


def test_end_of_a_maintenance_fulfils_the_schema(served):
    window = json.loads(served("maintenance", "add", "--for", "1h", "--json")[1])["id"]
    validate("maintenance-end", json.loads(served("maintenance", "end", str(window), "--json")[1]))


@pytest.mark.parametrize(
    "name",
    ["status", "prediction", "history", "anomalies", "warnings", "models", "model", "training", "scorecard"],
)
def test_api_answers_a_document_of_its_schema(served, name):
    config = load_config(served.config)
    with open_stores(served.url) as stores:
        model = ServedModel(config.rules, config.sampling.interval)
        sample = stores.samples.last()
        RegistryFollower(stores, model).follow(sample.at - 1)
        model.advance(sample)
        overview = read_overview(stores, config, sample.at + 1)
        live = LiveState(
            sample=sample,
            sources={},
            high_load=model.high_load,
            forecast=model.forecast(),
            model_id=model.model_id,
            samples_total=1,
            samples_missed=0,
            predictions_total=1,
        )
        state = DaemonState("1.2.3", "3.11", live=live, overview=overview)
        reader = HistoryReader(stores, lambda: config.rules, config.sampling.interval)
        application = Application(
            lambda: state,
            lambda: StoredDocuments(
                stores, reader, ScorecardReader(stores, lambda: config.rules, config.sampling.interval)
            ),
        )
        lines = []
        environ = {"PATH_INFO": f"/api/v1/{name}", "REQUEST_METHOD": "GET", "QUERY_STRING": ""}
        body = b"".join(application(environ, lambda line, _: lines.append(line)))
    assert lines == ["200 OK"]
    validate(name, json.loads(body))
