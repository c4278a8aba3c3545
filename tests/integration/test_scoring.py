"""Scoring job on a database: each prediction is scored once, when its outcome is known."""

import json
from dataclasses import fields

import numpy as np
import pytest

from model.features.labels import Rules
from monitor.cli.main import main
from monitor.jobs.scoring import score_matured
from monitor.queries.scorecard import read_baseline_inputs, read_scorecard
from monitor.queries.scores import read_scores
from monitor.stores import open_stores
from storage import Prediction, Sample

from .conftest import create_database

pytestmark = pytest.mark.integration

RULES = Rules(((("cpu_usage", 0.8),),), 20.0)
STEP, HORIZON, BEGIN = 10.0, 300.0, 1_700_000_000.0


def high(at):
    """Two minutes of high load every half hour."""
    return at % 1800 < 120


def warned_probability(at):
    """A warning is active from five to four minutes before high load, and for a minute ten minutes after it."""
    return 0.9 if 1500 <= at % 1800 < 1560 or 720 <= at % 1800 < 780 else 0.05


@pytest.fixture
def url(tmp_path):
    return create_database(tmp_path / "x.db")


@pytest.fixture
def stores(url):
    """Four hours of samples with predictions and warnings; see `warned_probability`."""
    with open_stores(url) as stores:
        at = BEGIN + STEP * np.arange(1440)
        stores.samples.append_many([Sample(t, cpu_usage=0.9 if high(t) else 0.1) for t in at.tolist()])
        stores.predictions.append([prediction(t, warned_probability(t)) for t in at.tolist()])
        yield stores


def prediction(at, probability):
    return Prediction(at, HORIZON, 1, probability, 0.2, 0.8, warning=probability >= 0.8)


def score(stores, now=BEGIN + 14_400):
    score_matured(stores, RULES, STEP, now)
    return read_scores(stores.scores, BEGIN - 86_400)


def test_predictions_are_scored_against_their_outcomes(stores):
    (row,) = score(stores)
    at = BEGIN + STEP * np.arange(1440)
    at = at[at <= BEGIN + 14_400 - HORIZON - 2 * STEP]
    phase = at[:, None] % 1800 + np.arange(STEP, HORIZON + 1, STEP)
    # The state is high from the second sample of a high-load period on.
    follows = ((phase % 1800 >= 10) & (phase % 1800 < 120)).any(axis=1)
    p = np.array([warned_probability(t) for t in at.tolist()])
    assert row.score.scored == len(at)
    assert row.score.unknown == 0
    assert row.score.brier == pytest.approx(np.mean((p - follows) ** 2))
    assert row.score.precision == pytest.approx(follows[p > 0.8].mean())
    # Load is high from the second sample on, and until no sample has been high for 20 seconds.
    calm = ((at - 10) % 1800) >= 120
    assert row.score.recall == pytest.approx((p > 0.8)[follows & calm].mean())
    onsets = [t for t in range(int(BEGIN), int(at[-1]) + 1) if t % 1800 == 10]
    assert (row.events.periods, row.events.announced) == (len(onsets), len(onsets))
    # Load is high from ten seconds into the half hour on, and warnings before the horizon do not count.
    assert set(row.events.lead_times) == {HORIZON}
    false_ends = [t for t in at.tolist() if t % 1800 == 770]
    assert (row.events.false_warnings, row.events.seconds) == (len(false_ends), at[-1] - at[0])


def test_repeated_runs_score_each_prediction_once(stores):
    once = score(stores)
    assert score(stores) == once
    assert score(stores, BEGIN + 7200.0) == once


def test_scoring_in_steps_equals_scoring_at_once(stores, tmp_path):
    whole = score(stores)
    with open_stores(create_database(tmp_path / "y.db")) as other:
        at = BEGIN + STEP * np.arange(1440)
        other.samples.append_many([Sample(t, cpu_usage=0.9 if high(t) else 0.1) for t in at.tolist()])
        other.predictions.append([prediction(t, warned_probability(t)) for t in at.tolist()])
        for now in np.arange(BEGIN, BEGIN + 14_401, 240.0).tolist():
            rows = score(other, now)
    assert rows[0].score.scored == whole[0].score.scored
    assert rows[0].score.brier == pytest.approx(whole[0].score.brier)
    assert rows[0].events == whole[0].events


def test_scoring_continues_after_a_clock_that_was_years_ahead(stores):
    whole = score(stores)
    ahead = BEGIN + 3e8
    stores.predictions.append([prediction(ahead, 0.5)])
    then = score(stores, ahead + 3600)[0].score
    assert then.scored + then.unknown == 1440 + 1
    at = BEGIN + 14_400 + STEP * np.arange(360)
    score(stores, float(at[0]))
    stores.samples.append_many([Sample(t, cpu_usage=0.1) for t in at.tolist()])
    stores.predictions.append([prediction(t, 0.05) for t in at.tolist()])
    assert score(stores, float(at[-1]))[0].score.scored > whole[0].score.scored + 200


def test_outcome_in_a_gap_is_unknown(stores, url, tmp_path):
    with open_stores(create_database(tmp_path / "z.db")) as other:
        at = (BEGIN + STEP * np.arange(1440)).tolist()
        dark = [t for t in at if BEGIN + 3000 < t < BEGIN + 5000]
        other.samples.append_many([Sample(t, cpu_usage=0.1) for t in at if t not in set(dark)])
        other.predictions.append([prediction(t, 0.05) for t in at])
        (row,) = score(other)
    assert row.score.unknown >= len(dark)
    assert row.score.scored + row.score.unknown == score(stores)[0].score.scored
    assert row.score.brier == pytest.approx(0.05**2)


def test_nothing_is_scored_before_the_horizon_has_passed(stores):
    assert score(stores, BEGIN + HORIZON) == ()


def test_report_and_status_show_the_scores(stores, url, tmp_path, capsys, monkeypatch):
    score(stores)
    monkeypatch.setattr("time.time", lambda: BEGIN + 14_400)
    config = tmp_path / "config.toml"
    config.write_text(f'[storage]\nurl = "{url}"\n')
    assert main(["--config", str(config), "report", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["horizons"][0]["scored"] == score(stores)[0].score.scored
    assert document["horizons"][0]["reliability"][0]["observed"] >= 0
    (scorecard,) = document["scorecard"]["horizons"]
    predictors = [score["predictor"] for score in scorecard["scores"]]
    assert predictors == ["monitor", "static threshold", "predict_linear", "persistence"]
    assert main(["--config", str(config), "report"]) == 0
    assert "5m monitor" in capsys.readouterr().out
    assert main(["--config", str(config), "status"]) == 3
    assert "score       5m: " in capsys.readouterr().out
    assert main(["--config", str(config), "report", "--since", "1s"]) == 0


def test_baselines_of_the_scorecard_are_computed_from_the_stored_samples(stores):
    scorecard = read_scorecard(stores, score(stores), RULES, STEP, BEGIN - 86_400)
    (horizon,) = scorecard.horizons
    model, baselines = horizon.model, horizon.baselines
    assert model.announced == model.periods == scorecard.any_horizon.announced == 8
    assert model.false_warnings == 7
    # The load rises at once, ten seconds before it has been high for the sustained time.
    assert set(baselines["static threshold"].lead_times) == {10.0}
    assert baselines["predict_linear"].announced == 0
    assert all(baseline.onsets == model.onsets for baseline in baselines.values())
    assert all(baseline.false_warnings <= 7 for baseline in baselines.values())


def test_baselines_are_scored_only_in_hours_with_predictions(stores):
    now = BEGIN + 14_400
    before = read_scorecard(stores, score(stores), RULES, STEP, now - 7 * 86_400).horizons[0].baselines
    # Imported samples: ten days with ten peaks each that no rule counts as high load.
    at = BEGIN - 864_000 + STEP * np.arange(86_000)
    stores.samples.append_many([Sample(t, cpu_usage=0.75 if t % 8640 < 10 else 0.1) for t in at.tolist()])
    after = read_scorecard(stores, score(stores), RULES, STEP, now - 7 * 86_400).horizons[0].baselines
    assert after["static threshold"] == before["static threshold"]
    assert after["persistence"] == before["persistence"]


def test_baseline_inputs_in_chunks_are_the_stored_samples(stores, monkeypatch):
    period = (BEGIN, BEGIN + 14_000)
    whole = read_baseline_inputs(stores, RULES, STEP, (HORIZON,), period)
    monkeypatch.setattr("monitor.queries.scorecard.CHUNK_SECONDS", 3000.0)
    chunked = read_baseline_inputs(stores, RULES, STEP, (HORIZON,), period)
    assert np.diff(whole.times).tolist() == [30.0] * (len(whole.times) - 1)
    for field in fields(whole):
        np.testing.assert_array_equal(getattr(chunked, field.name), getattr(whole, field.name))


def test_purge_deletes_old_scores(stores):
    score(stores)
    stores.scores.purge(BEGIN + 86_400)
    assert read_scores(stores.scores, 0.0) == ()
