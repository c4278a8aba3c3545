"""What was predicted is scored on a real database once it is known, and only once."""

import json

import numpy as np
import pytest

from model.features.labels import Rules
from monitor.cli.main import main
from monitor.jobs.scoring import score_matured, scoring_interval
from monitor.queries.scores import read_scores
from monitor.stores import open_stores
from storage import Prediction, Sample

pytestmark = pytest.mark.integration

RULES = Rules(((("cpu_usage", 0.8),),), 20.0)
STEP, HORIZON, BEGIN = 10.0, 300.0, 1_700_000_000.0


def high(at):
    """Two minutes of load every half hour."""
    return at % 1800 < 120


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'x.db'}"


@pytest.fixture
def stores(url):
    """Four hours of samples, and a prediction with each: it warns from five to four minutes before load."""
    with open_stores(url) as stores:
        at = BEGIN + STEP * np.arange(1440)
        stores.samples.append_many([Sample(t, cpu_usage=0.9 if high(t) else 0.1) for t in at.tolist()])
        stores.predictions.append([prediction(t, 0.9 if 1500 <= t % 1800 < 1560 else 0.05) for t in at.tolist()])
        yield stores


def prediction(at, probability):
    return Prediction(at, HORIZON, 1, probability, 0.2, 0.8)


def score(stores, now=BEGIN + 14_400):
    score_matured(stores, RULES, STEP, now)
    return read_scores(stores, BEGIN - 86_400)


def test_predictions_are_scored_against_what_followed(stores):
    (found,) = score(stores)
    at = BEGIN + STEP * np.arange(1440)
    at = at[at <= BEGIN + 14_400 - HORIZON - 2 * STEP]
    phase = at[:, None] % 1800 + np.arange(STEP, HORIZON + 1, STEP)
    # the state is high from the second sample of a stretch on
    follows = ((phase % 1800 >= 10) & (phase % 1800 < 120)).any(axis=1)
    p = np.where((at % 1800 >= 1500) & (at % 1800 < 1560), 0.9, 0.05)
    assert found.score.scored == len(at)
    assert found.score.unknown == 0
    assert found.score.brier == pytest.approx(np.mean((p - follows) ** 2))
    assert found.score.precision == pytest.approx(follows[p > 0.8].mean())
    assert found.score.recall == pytest.approx((p > 0.8)[follows].mean())
    begins = [t for t in range(int(BEGIN), int(at[-1]) + 1) if t % 1800 == 10]
    assert (found.periods, found.warned_periods) == (len(begins), len(begins))
    # load is high from ten seconds into the half hour on, and no warning is counted from before the horizon
    assert found.lead_time == HORIZON


def test_each_is_scored_once_however_often_somebody_looks(stores):
    once = score(stores)
    assert score(stores) == once
    assert score(stores, BEGIN + 7200.0) == once


def test_in_pieces_as_at_once(stores, tmp_path):
    whole = score(stores)
    with open_stores(f"sqlite:///{tmp_path / 'y.db'}") as other:
        at = BEGIN + STEP * np.arange(1440)
        other.samples.append_many([Sample(t, cpu_usage=0.9 if high(t) else 0.1) for t in at.tolist()])
        other.predictions.append([prediction(t, 0.9 if 1500 <= t % 1800 < 1560 else 0.05) for t in at.tolist()])
        for now in np.arange(BEGIN, BEGIN + 14_401, 240.0).tolist():
            found = score(other, now)
    assert found[0].score.scored == whole[0].score.scored
    assert found[0].score.brier == pytest.approx(whole[0].score.brier)
    assert (found[0].periods, found[0].warned_periods, found[0].lead_time) == (
        whole[0].periods,
        whole[0].warned_periods,
        whole[0].lead_time,
    )


def test_a_clock_that_was_years_ahead_costs_nothing_and_scoring_goes_on_when_it_is_right_again(stores):
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


def test_what_was_not_watched_is_unknown_and_not_wrong(stores, url, tmp_path):
    with open_stores(f"sqlite:///{tmp_path / 'z.db'}") as other:
        at = (BEGIN + STEP * np.arange(1440)).tolist()
        dark = [t for t in at if BEGIN + 3000 < t < BEGIN + 5000]
        other.samples.append_many([Sample(t, cpu_usage=0.1) for t in at if t not in set(dark)])
        other.predictions.append([prediction(t, 0.05) for t in at])
        (found,) = score(other)
    assert found.score.unknown >= len(dark)
    assert found.score.scored + found.score.unknown == score(stores)[0].score.scored
    assert found.score.brier == pytest.approx(0.05**2)


def test_nothing_is_scored_before_its_horizon_has_passed(stores):
    assert score(stores, BEGIN + HORIZON) == ()


def test_the_report_tells_it_and_a_restart_changes_nothing(stores, url, tmp_path, capsys, monkeypatch):
    score(stores)
    monkeypatch.setattr("time.time", lambda: BEGIN + 14_400)
    config = tmp_path / "config.toml"
    config.write_text(f'[storage]\nurl = "{url}"\n')
    assert main(["--config", str(config), "report", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["horizons"][0]["scored"] == score(stores)[0].score.scored
    assert document["horizons"][0]["reliability"][0]["observed"] >= 0
    assert main(["--config", str(config), "report"]) == 0
    assert capsys.readouterr().out.count("5m") == 2
    assert main(["--config", str(config), "status"]) == 0
    assert "score       5m: " in capsys.readouterr().out
    assert main(["--config", str(config), "report", "--since", "1s"]) == 0


def test_old_scores_go_with_the_samples(stores):
    score(stores)
    stores.scores.purge(BEGIN + 86_400)
    assert read_scores(stores, 0.0) == ()


@pytest.mark.parametrize(("horizons", "seconds"), [((300.0, 900.0), 300.0), ((3600.0,), 300.0), ((2.0, 5.0), 10.0)])
def test_it_looks_as_often_as_there_can_be_something_new(horizons, seconds):
    assert scoring_interval(horizons) == seconds
