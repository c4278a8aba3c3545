"""`monitor retrain` on a real history: outcomes, exit codes, and the model that serves afterwards."""

import json
import re
import time

import pytest

from storage import Compactor, SampleRepository, TrainingRunRepository, open_database

pytestmark = pytest.mark.integration

IMPOSSIBLE_GATE = "\n[gate]\nmin_skill = 0.9999\n"


def outcomes(admin):
    """Return the number of training runs by outcome."""
    with open_database(admin.url) as database:
        return {outcome: count for outcome, count in TrainingRunRepository(database).counts().items() if count}


def active_model(admin):
    """Return the id of the serving model, None without one."""
    model = json.loads(admin("status", "--json")[1])["model"]
    return model["id"] if model else None


def change_config(admin, old, new):
    admin.config.write_text(admin.config.read_text().replace(old, new))


def test_retrain_promotes_the_first_model_reports_and_keeps_the_samples(admin):
    admin.fill()
    code, output, errors = admin("retrain")
    assert (code, outcomes(admin), active_model(admin)) == (0, {"promoted": 1}, 1)
    with open_database(admin.url) as database:
        assert SampleRepository(database).count() == 2000
    assert "model 1 promoted" in output
    assert re.search(r"epoch 1/\d+: loss", errors)


def test_retrain_prints_a_document(admin):
    admin.fill()
    document = json.loads(admin("retrain", "--json")[1])
    assert (document["outcome"], document["model_id"]) == ("promoted", 1)
    assert [horizon["horizon"] for horizon in document["report"]["horizons"]] == [60.0, 300.0]
    assert set(document["report"]["horizons"][0]["scores"]) == {
        "network", "persistence", "climatology", "current value", "Holt-Winters"
    }  # fmt: skip
    assert json.loads(admin("models", "show", "1", "--json")[1])["report"]["samples"] == 2000


def test_retrain_with_the_same_samples_and_seed_gives_the_same_model_also_on_compressed_samples(admin, monkeypatch):
    admin.fill(end=time.time() - 60)
    for _ in range(2):
        assert admin("retrain", "--force")[0] == 0
    with open_database(admin.url) as database:
        compactor = Compactor(database)
        # The first hour may have few rows, the second one is complete.
        assert sum(compactor.compact_next("samples", 0.0, time.time()).rows for _ in range(2)) > 360
    monkeypatch.setattr("monitor.inference.stored_samples.MAX_PLAIN_ROWS", 0)
    assert admin("retrain", "--force")[0] == 0
    models = json.loads(admin("models", "list", "--json")[1])
    assert (len(models), len({model["sha256"] for model in models})) == (3, 1)
    reports = [json.loads(admin("models", "show", str(number), "--json")[1])["report"] for number in (1, 2, 3)]
    assert reports[0]["inputs"] == reports[1]["inputs"] == reports[2]["inputs"]


def test_refused_candidate_exits_with_3_and_the_incumbent_serves_on(admin):
    admin.fill_and_train()
    admin.config.write_text(admin.config.read_text() + IMPOSSIBLE_GATE)
    code, output, errors = admin("retrain", "--json")
    assert (code, outcomes(admin), active_model(admin)) == (3, {"promoted": 1, "refused": 1}, 1)
    assert json.loads(output)["outcome"] == "refused"
    assert "min_skill" in errors


def test_force_promotes_a_refused_candidate(admin):
    admin.fill()
    admin.config.write_text(admin.config.read_text() + IMPOSSIBLE_GATE)
    assert (admin("retrain", "--force")[0], active_model(admin)) == (0, 1)


def test_dry_run_changes_nothing(admin):
    admin.fill()
    code, output, _ = admin("retrain", "--dry-run", "--json")
    assert (code, outcomes(admin), json.loads(output)["dry_run"]) == (0, {}, True)
    assert json.loads(admin("models", "--json")[1]) == []


def test_short_history_exits_with_4_and_names_its_length(admin):
    admin.fill(rows=72)
    code, output, errors = admin("retrain")
    assert (code, output, outcomes(admin)) == (4, "", {"skipped": 1})
    assert "12 min" in errors


def test_history_without_high_load_exits_with_4(admin):
    admin.fill()
    change_config(admin, "0.8", "0.999999")
    assert (admin("retrain")[0], outcomes(admin)) == (4, {"skipped": 1})


def test_concurrent_retraining_exits_with_5(admin):
    admin.fill()
    with open_database(admin.url) as database, database.lock("retrain"):
        code, output, errors = admin("retrain")
    assert (code, output, len(errors.splitlines())) == (5, "", 1)


def test_diverging_training_exits_with_1_and_registers_nothing(admin):
    admin.fill()
    change_config(admin, "[training]\n", "[training]\nlearning_rate = 10\ngradient_clip = 0\nschedule = 'constant'\n")
    code, _, errors = admin("retrain")
    assert (code, outcomes(admin)) == (1, {"failed": 1})
    assert "training.learning_rate" in errors
    assert json.loads(admin("models", "--json")[1]) == []


def test_training_over_its_timeout_is_aborted(admin):
    admin.fill()
    change_config(admin, "epochs = 12", "epochs = 100000\npatience = 100000\ntimeout = '1s'")
    code, _, errors = admin("retrain")
    assert (code, outcomes(admin)) == (1, {"failed": 1})
    assert "training.timeout" in errors


def test_since_limits_the_history(admin):
    admin.fill()
    document = json.loads(admin("retrain", "--since", "3h", "--json")[1])
    assert document["report"]["samples"] == pytest.approx(1080, abs=2)
