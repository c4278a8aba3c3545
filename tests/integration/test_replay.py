"""Replay of imported history: import, retrain, and the views of the past."""

import contextlib
import io
import json
import time

import numpy as np
import pytest

from model.features.labels import Rules
from monitor.cli.main import main
from monitor.config.loader import load_config
from monitor.documents.history import history_document
from monitor.queries.anomaly_scores import AnomalyScores
from monitor.queries.history import HistoryReader
from monitor.queries.scores import read_scores
from monitor.queries.status import read_overview
from monitor.stores import open_stores
from tests.integration.conftest import CONFIG

pytestmark = pytest.mark.integration

STEP = 60.0
DAYS = 6
RULES = Rules(((("cpu_usage", 0.8),),), 20.0)


def trace(now):
    """Return six days of a host as CSV: bursts every hour, and four hours of unusual traffic."""
    at = np.floor(now / STEP) * STEP - STEP * np.arange(DAYS * 1440)[::-1]
    rng = np.random.default_rng(0)
    cpu = np.clip(0.3 + 0.6 * (at % 3600 < 600) + rng.normal(0, 0.03, len(at)), 0, 1)
    memory = 0.5 + 0.1 * np.sin(at / 13751) + rng.normal(0, 0.005, len(at))
    unusual = (at > at[-1] - 1.5 * 86400) & (at < at[-1] - 1.5 * 86400 + 4 * 3600)
    receive = np.round(np.exp(rng.normal(8, 0.3, len(at)) + 4 * unusual))
    rows = np.column_stack((at, cpu, memory, receive))
    return "timestamp,cpu_usage,memory_usage,network_receive\n" + "".join(
        f"{a:.0f},{c:.4f},{m:.4f},{r:.0f}\n" for a, c, m, r in rows.tolist()
    )


def configuration(database):
    text = CONFIG.format(database=database).replace('["1m", "5m"]', '["5m", "15m"]')
    return f'{text}[anomaly]\nmin_history = "1d"\n'


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A host that imported its history and trained once: its database, and the document of the training."""
    directory = tmp_path_factory.mktemp("trained")
    (directory / "config.toml").write_text(configuration(directory / "x.db"))
    (directory / "history.csv").write_text(trace(time.time()))
    options = ["--config", str(directory / "config.toml")]
    output = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
        patch.setattr("monitor.system.processes.lower_priority", lambda: None)
        assert main([*options, "import", str(directory / "history.csv"), "--json"]) == 0
        assert main([*options, "retrain", "--json"]) == 0
    return (directory / "x.db").read_bytes(), json.loads(output.getvalue().splitlines()[-1])


@pytest.fixture
def imported(admin, trained):
    database, admin.retrained = trained
    admin.database.write_bytes(database)
    admin.config.write_text(configuration(admin.database))
    return admin


def replayed_rows(admin):
    with open_stores(admin.url) as stores:
        predictions = stores.replayed_predictions.between(0.0, 1e12)
        return {(p.at, p.horizon): p.probability for p in predictions}


def test_views_of_the_past_are_filled_and_marked(imported):
    assert imported.retrained["replayed"]["predictions"] > 1000
    with open_stores(imported.url) as stores:
        document = history_document(
            HistoryReader(stores, lambda: RULES, STEP).read(86400.0, 360, time.time(), AnomalyScores())
        )
    for prediction in document.predictions:
        known = [p is not None for p in prediction.probability]
        assert sum(known) > 250
        assert prediction.replayed == tuple(True if is_known else None for is_known in known)
    events = json.loads(imported("anomalies", "list", "--json")[1])
    assert events
    assert all(event["replayed"] and event["ended_at"] is not None for event in events)
    assert "replayed" in imported("anomalies")[1]
    report = json.loads(imported("report", "--json")[1])
    assert (report["horizons"], report["anomalies"]["anomalies"]) == ([], 0)
    assert report["anomalies"]["replayed"] == len(events)
    assert [score["horizon_name"] for score in report["replayed"]] == ["5m", "15m"]
    assert all(score["scored"] > 500 for score in report["replayed"])


def test_replay_covers_the_holdout_only(imported):
    training = imported.retrained["report"]
    first = min(at for at, _ in replayed_rows(imported))
    assert first - training["from"] > 0.35 * (training["to"] - training["from"])


def test_live_figures_do_not_see_replayed_rows(imported):
    config = load_config(imported.config)
    with open_stores(imported.url) as stores:
        overview = read_overview(stores, config, time.time())
        assert (stores.predictions.count(), read_scores(stores.scores, 0.0)) == (0, ())
        assert stores.anomalies.count() == 0
    assert (overview.predictions, overview.scores, overview.fallbacks) == ((), (), ())
    assert (overview.detection.active, overview.detection.recent) == (None, 0)


def test_second_training_duplicates_nothing(imported):
    before = replayed_rows(imported)
    events = json.loads(imported("anomalies", "list", "--json")[1])
    assert imported("retrain", "--force")[0] == 0
    assert replayed_rows(imported).keys() == before.keys()
    again = json.loads(imported("anomalies", "list", "--json")[1])
    assert [event["started_at"] for event in again] == [event["started_at"] for event in events]


def test_dry_run_replays_nothing(imported):
    before = replayed_rows(imported)
    assert json.loads(imported("retrain", "--dry-run", "--json")[1])["replayed"] is None
    assert replayed_rows(imported) == before


def test_purge_removes_what_was_replayed(imported):
    assert imported("purge", "--from", "-30d", "--to", "now", "--yes")[0] == 0
    assert replayed_rows(imported) == {}
    assert json.loads(imported("anomalies", "list", "--json")[1]) == []
    assert json.loads(imported("report", "--json")[1])["replayed"] == []
