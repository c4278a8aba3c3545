"""JSON schemas of the documents: current, complete, and fulfilled by documents."""

from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from monitor.documents.anomalies import MaintenanceEndDocument
from monitor.documents.anomalies.actions import ACTIONS_OFF, ActionsDocument
from monitor.documents.configuration import ChannelTestDocument, ConfigCheckDocument
from monitor.documents.doctor import CheckId, CheckResult, CheckStatus, DoctorDocument
from monitor.documents.fleet import FleetReportDocument
from monitor.documents.models import ActivationDocument, model_document, model_list_entry
from monitor.documents.prediction import prediction_documents
from monitor.documents.salvage import salvage_document
from monitor.documents.scores import CapacityScoresDocument, ScoreReportDocument, score_document
from monitor.documents.status import daemon_status_document, status_document
from monitor.documents.status.capacity import capacity_document
from monitor.documents.training import (
    FleetRetrainingDocument,
    PoolComparisonDocument,
    ReplayDocument,
    RetrainDocument,
    run_document,
)
from monitor.fleet.serving.host_documents import details_document, score_documents
from monitor.fleet.serving.host_documents import status_document as fleet_status_document
from monitor.fleet.serving.host_documents import warning_document as fleet_warning_document
from monitor.fleet.serving.selection import Selection, select_hosts
from monitor.queries.capacity import CapacityState
from monitor.system.json_codec import to_plain
from monitor.training.salvage import SalvageResult
from scripts.make_schemas import DIRECTORY, DOCUMENTS, schema_of, schema_text
from storage import TrainingOutcome
from storage.fleet.records import FleetScore, FleetWarning
from tests.unit.monitor.conftest import NOW
from tests.unit.monitor.documents.samples import (
    BACKTEST,
    COUNTS,
    ENDED,
    ENDED_DETAILS,
    HISTORY,
    IN_PROGRESS,
    IN_PROGRESS_DETAILS,
    MAINTENANCE,
    MIGRATION,
    MODEL_EXPORT,
    MODEL_IMPORT,
    NO_SCORECARD,
    PROCESSES,
    PURGE,
    SCORECARD,
    STARTED_WARNING,
    TRACE_IMPORT,
)
from tests.unit.monitor.documents.test_what_if import document as what_if_sample
from tests.unit.monitor.fleet.fleets import START, running_fleet

pytestmark = pytest.mark.unit


@pytest.fixture
def documents(state, overview, live):
    """A list of documents by the name of their schema."""
    run = overview.last_run
    report = run.report
    retrained = RetrainDocument(
        outcome=TrainingOutcome.REFUSED, reason="why", model_id=4, dry_run=False, report=report
    )
    model = overview.model
    unusable = replace(model, report=None)
    check = CheckResult(CheckId.CLOCK, CheckStatus.WARNING, "5 s ahead", "synchronise it")
    scores = tuple(map(score_document, overview.scores))
    daemon = daemon_status_document(state, NOW)
    report_document = ScoreReportDocument(NOW, scores, scores, COUNTS, (STARTED_WARNING,), SCORECARD, NO_SCORECARD)
    capacity_scores = CapacityScoresDocument(state.capacity.scores)
    return {
        "actions": [ACTIONS_OFF, ActionsDocument(permitted=True, token="0123abcd")],
        "what-if": [what_if_sample()],
        "anomalies": [(ENDED, IN_PROGRESS), ()],
        "anomaly": [ENDED, IN_PROGRESS],
        "anomaly-details": [ENDED_DETAILS, IN_PROGRESS_DETAILS],
        "backtest": [BACKTEST, replace(BACKTEST, anomalies=None)],
        "capacity": [capacity_document(state.capacity), capacity_document(CapacityState(NOW, None))],
        "notify-test": [(ChannelTestDocument("ops", "webhook", delivered=False, problem="HTTP status 500"),), ()],
        "check-config": [ConfigCheckDocument("x", ("wrong",)), ConfigCheckDocument(None, config={"web": {"a": [1]}})],
        "doctor": [DoctorDocument((check,))],
        "history": [HISTORY],
        "maintenance": [MAINTENANCE],
        "maintenance-end": [MaintenanceEndDocument(3)],
        "maintenance-list": [(MAINTENANCE,), ()],
        "model": [model_document(model, 3), model_document(unusable, None)],
        "model-activation": [ActivationDocument(3)],
        "model-export": [MODEL_EXPORT],
        "model-import": [MODEL_IMPORT],
        "models": [(model_list_entry(model, 3), model_list_entry(unusable, 3))],
        "prediction": [prediction_documents(live.forecast), ()],
        "processes": [PROCESSES],
        "purge": [PURGE],
        "migrate-store": [MIGRATION],
        "salvage": [salvage_document(Path("x.damaged"), SalvageResult(activated=3))],
        **fleet_documents(),
        "scorecard": [SCORECARD, NO_SCORECARD],
        "report": [report_document, replace(report_document, capacity=capacity_scores)],
        "retrain": [retrained, replace(retrained, model_id=None, report=None, replayed=ReplayDocument(200, 1))],
        "status": [status_document(overview, "x.db"), daemon, status_document(replace(overview, model=None))],
        "trace-import": [TRACE_IMPORT],
        "training": [run_document(run), run_document(replace(run, report=None))],
        "warnings": [(STARTED_WARNING,), ()],
    }


def fleet_documents():
    """Return the documents of a fleet with a warning, and of one whose source has never answered."""
    fleet = running_fleet()
    warning = FleetWarning("web2:9100", 300.0, START, None, 0.6, 0.7)
    score = FleetScore("web2:9100", 300.0, START, 0, 10, 0, 0, 0, 0, 0.1, 0.2)
    empty = running_fleet({}).fleet_state()
    return {
        "fleet": [select_hosts(fleet.fleet_state(), Selection()), select_hosts(empty, Selection())],
        "fleet-host": [details_document(fleet.fleet_state(), "web2:9100", [warning], [score])],
        "fleet-report": [
            FleetReportDocument(START, None, score_documents([score]), (fleet_warning_document(warning),))
        ],
        "fleet-retrain": [
            FleetRetrainingDocument(
                pooled=PoolComparisonDocument(7, 0.05, 0.06, None, None),
                pooled_promoted=True,
                pooled_hosts=9,
                trained=2,
                refused={"no_high_load": 3},
            ),
            FleetRetrainingDocument(None, False, 0, 1, {}),
        ],
        "fleet-status": [fleet_status_document(fleet.fleet_state()), fleet_status_document(empty)],
        "fleet-warnings": [(fleet_warning_document(warning),)],
    }


@pytest.mark.parametrize("name", DOCUMENTS)
def test_schema_file_is_current(name):
    assert (DIRECTORY / f"{name}.json").read_text() == schema_text(name), "run `make schemas`"


def test_directory_has_no_other_files():
    assert {path.stem for path in DIRECTORY.iterdir()} == set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_schema_is_valid_and_describes_every_property(name):
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    definitions = [schema, *schema.get("$defs", {}).values()]
    properties = [item for definition in definitions for item in definition.get("properties", {}).items()]
    assert [key for key, value in properties if not value.get("description")] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_fulfil_their_schema(documents, name):
    validator = Draft202012Validator(schema_of(name))
    for document in documents[name]:
        assert list(validator.iter_errors(to_plain(document))) == []


@pytest.mark.parametrize("change", [{"at": None}, {"at": "now"}, {"unknown": 1}])
def test_schema_refuses_another_document(overview, change):
    document = to_plain(status_document(overview)) | change
    assert not Draft202012Validator(schema_of("status")).is_valid(document)


def test_schema_requires_every_property(overview):
    document = to_plain(status_document(overview))
    del document["sampling"]
    assert not Draft202012Validator(schema_of("status")).is_valid(document)
