"""The offline road in one piece: dataset, split, calibration, scores, gate, bytes."""

from dataclasses import replace

import numpy as np
import pytest
from model.forecast.fallback import FallbackDecision
from model.forecast.recalibration import Recalibration, recalibrated

from model.errors import NotEnoughHistoryError, SerializationError
from model.features.dataset import Dataset, covered_seconds, split
from model.features.labels import Rules
from model.forecast.calibration import Calibration, fit_blend_weights, fit_calibration
from model.forecast.metrics import average_precision, calibration_error, score, threshold_for
from model.forecast.predictor import predict_at
from model.forecast.serialization import dumps, loads
from model.nn.layers import Linear
from model.nn.network import Network
from model.nn.numerics import logit, sigmoid
from model.training.blend_weights import pretrained_weight
from model.training.evaluation import (
    baseline_probabilities,
    cross_calibrated_probabilities,
    gate_refusal,
    incumbent_probabilities,
)
from model.training.gate import precision_difference, refusal
from model.training.pipeline import Task, train
from model.training.settings import GateConfig, Recipe

from .conftest import COLUMNS, make_trace

pytestmark = pytest.mark.unit

TASK = Task(Rules(((("cpu_usage", 0.8),),), 20.0), (60.0, 200.0))
CONFIG = Recipe(layers=(32,))


@pytest.fixture(scope="module")
def candidate(trace):
    return train(*trace, COLUMNS, TASK, CONFIG, np.random.default_rng(0))


def test_a_rhythm_is_learned_far_better_than_by_the_baselines(candidate):
    for scores in candidate.scores:
        assert scores["network"].brier < 0.5 * scores["persistence"].brier
        assert scores["network"].average_precision > 0.9
        assert scores["climatology"].brier_skill == pytest.approx(0, abs=1e-6)


def test_the_same_seed_and_samples_give_the_same_bytes(candidate, trace):
    again = train(*trace, COLUMNS, TASK, CONFIG, np.random.default_rng(0))
    assert dumps(again.predictor) == dumps(candidate.predictor)


def test_a_predictor_survives_its_bytes(candidate, trace):
    restored = loads(dumps(candidate.predictor))
    at = candidate.holdout.times
    said = candidate.predictor.probabilities(candidate.holdout.x)
    assert np.array_equal(predict_at(restored, *trace, at), said)
    assert restored.spec == candidate.predictor.spec
    assert restored.holdout_model is None


def test_the_twin_that_was_judged_is_kept_with_it(candidate, trace):
    twin = loads(dumps(candidate.predictor), holdout_model=True).holdout_model
    said = candidate.predictor.holdout_model.probabilities(candidate.holdout.x)
    assert np.array_equal(predict_at(twin, *trace, candidate.holdout.times), said)
    assert not np.array_equal(said, candidate.predictor.probabilities(candidate.holdout.x))


def test_the_serving_model_is_judged_by_its_twin_that_has_not_seen_the_holdout(candidate, trace):
    serving = loads(dumps(candidate.predictor), holdout_model=True)
    assert np.array_equal(incumbent_probabilities(serving, candidate, *trace), candidate.probabilities)
    assert gate_refusal(candidate, serving, *trace, GateConfig()) is None
    fewer = replace(serving, holdout_model=_without_first_horizon(serving.holdout_model))
    found = incumbent_probabilities(fewer, candidate, *trace)
    assert np.isnan(found[:, 0]).all()
    assert not np.isnan(found[:, 1]).any()


def _without_first_horizon(predictor):
    networks = tuple(
        Network([*network.layers[:-1], Linear(network.layers[-1].weight[:, 1:], network.layers[-1].bias[1:])])
        for network in predictor.ensemble.networks
    )
    return replace(
        predictor,
        horizons=predictor.horizons[1:],
        ensemble=replace(predictor.ensemble, networks=networks),
        blends=predictor.blends[1:],
        prior=None,
    )


def test_each_half_of_the_holdout_is_calibrated_by_the_other(candidate):
    """Labels of a half change what is said of the other half, and never of their own."""
    holdout, twin = candidate.holdout, candidate.predictor.holdout_model
    half = len(holdout) // 2
    turned = holdout.y.copy()
    turned[half + 60 :] = 1 - turned[half + 60 :]
    before, after = (
        cross_calibrated_probabilities(twin, holdout),
        cross_calibrated_probabilities(twin, replace(holdout, y=turned)),
    )
    assert not np.allclose(before[:half], after[:half])
    assert np.array_equal(before[half:], after[half:])


def test_probabilities_do_not_fall_with_the_horizon(candidate):
    assert np.all(np.diff(candidate.probabilities, axis=1) >= 0)


def test_contributions_add_up_to_the_move_of_the_log_odds(candidate):
    predictor = candidate.predictor
    right = (FallbackDecision(Recalibration(Calibration(0.7, -0.2), Calibration(1.2, 0.1))),) * 2
    for row in candidate.holdout.x[::60]:
        for by in ((), right):
            p = predictor.probabilities(row[None])
            if by:
                p = recalibrated(p, predictor.high(row[None]), [one.right for one in by])
            for i, shares in enumerate(predictor.contributions(row[None], p, by)):
                moved = logit(p[0, i]) - logit(np.array(predictor.base_rates[i]))
                assert sum(shares.values()) == pytest.approx(moved, abs=1e-4)


@pytest.mark.parametrize("position", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_one_flipped_bit_is_noticed_or_harmless(candidate, position):
    blob = bytearray(dumps(candidate.predictor))
    blob[int(len(blob) * position)] ^= 0x10
    with pytest.raises(SerializationError):
        loads(bytes(blob))


def test_a_newer_format_is_refused_by_name(candidate, monkeypatch):
    monkeypatch.setattr("model.forecast.serialization.FORMAT", 3)
    blob = dumps(candidate.predictor)
    monkeypatch.setattr("model.forecast.serialization.FORMAT", 2)
    with pytest.raises(SerializationError, match="format 3"):
        loads(blob)


def test_a_model_of_an_earlier_release_says_what_to_do(candidate, monkeypatch):
    monkeypatch.setattr("model.forecast.serialization.FORMAT", 1)
    blob = dumps(candidate.predictor)
    monkeypatch.setattr("model.forecast.serialization.FORMAT", 2)
    with pytest.raises(SerializationError, match="retrain"):
        loads(blob)


@pytest.mark.parametrize("blob", [b"", b"PK\x03\x04 not really", b"\x80\x04K\x01."])
def test_bytes_that_are_no_model_are_refused(blob):
    with pytest.raises(SerializationError):
        loads(blob)


def test_weights_that_are_not_finite_never_serve(candidate):
    predictor = loads(dumps(candidate.predictor))
    predictor.ensemble.networks[1].flat[3] = np.nan
    with pytest.raises(SerializationError, match="not finite"):
        loads(dumps(predictor))


def test_a_value_never_seen_moves_the_prediction_by_a_bounded_amount(candidate):
    x = candidate.holdout.x[:1].copy()
    x[:] = 1e30
    with np.errstate(over="ignore"):
        assert np.isfinite(candidate.predictor.probabilities(x)).all()
        assert np.abs(candidate.predictor.ensemble.scaler(x)).max() <= 4.0


def rows_of(y, times, state=None):
    """A dataset of which only the labels and the time matter."""
    n = len(times)
    return Dataset(np.zeros((n, 1), np.float32), y, np.zeros((n, 0)), times, np.zeros(n) if state is None else state)


def test_no_label_reaches_from_one_part_into_the_next():
    times, horizons = np.arange(0.0, 1000, 10), (50.0, 200.0)
    dataset = replace(rows_of(np.zeros((100, 2), np.float32), times), practice=np.zeros((100, 4), np.float32))
    parts = split(dataset, horizons)
    for part, end in ((parts.train, 800), (parts.holdout, 990.1)):
        for labels in (part.y, part.practice[:, :2], part.practice[:, 2:]):
            for column, horizon in enumerate(horizons):
                known = part.times[~np.isnan(labels[:, column])]
                assert known.size == 0 or known.max() + horizon < end
    assert parts.train.times.max() < parts.holdout.times.min()
    assert len(parts.train) == 80
    assert np.isnan(parts.holdout.y[:, 1]).all()


def test_a_horizon_that_the_history_cannot_teach_is_left_out_with_its_reason():
    times, values = make_trace(rows=600)
    found = train(times, values, COLUMNS, replace(TASK, horizons=(60.0, 1200.0)), CONFIG, np.random.default_rng(0))
    assert found.predictor.horizons == (60.0,)
    assert "no calm" in found.left_out[1200.0]


def test_a_calm_history_teaches_nothing_and_says_so():
    times, values = make_trace()
    values[:, 0] = 0.1
    with pytest.raises(NotEnoughHistoryError, match="no high load"):
        train(times, values, COLUMNS, TASK, CONFIG, np.random.default_rng(0))


def test_covered_seconds_count_a_gap_as_one_step():
    assert covered_seconds(np.array([0.0, 10, 20, 500, 510]), 10.0) == 10 * 5
    assert covered_seconds(np.array([]), 10.0) == 0


def test_calibration_mends_overconfidence():
    rng = np.random.default_rng(0)
    truth = rng.normal(-1, 1.5, 20_000)
    y = (rng.random(20_000) < sigmoid(truth)).astype(float)
    found = fit_calibration(2 * truth + 1, y, rows_per_event=1)
    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert found.intercept == pytest.approx(-0.5, abs=0.06)


def test_calibration_on_next_to_nothing_stays_near_the_identity():
    found = fit_calibration(np.array([-1.0, 1.0]), np.array([1.0, 0.0]), rows_per_event=30)
    assert found.slope == pytest.approx(1, abs=0.1)
    assert fit_calibration(np.array([1.0]), np.array([np.nan]), 1) == Calibration()


def test_average_precision_by_hand():
    # ranked 1, 0, 1: precision 1 at recall 1/2, 2/3 at recall 1
    assert average_precision(np.array([1.0, 0, 1]), np.array([0.9, 0.8, 0.7])) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_average_precision_of_ties_is_the_base_rate_and_of_no_events_unknown():
    assert average_precision(np.array([1.0, 0, 0, 0]), np.full(4, 0.5)) == 0.25
    assert np.isnan(average_precision(np.zeros(3), np.zeros(3)))


def test_calibration_error_by_hand():
    y, p = np.array([1.0, 0, 1, 0]), np.array([0.85, 0.85, 0.15, 0.15])
    assert calibration_error(y, p) == pytest.approx(0.35)


def test_skill_is_the_share_of_the_brier_score_that_is_saved():
    found = score(np.array([1.0, 0, np.nan]), np.array([0.8, 0.2, 0.5]), base_rate=0.5)
    assert found.brier == pytest.approx(0.04)
    assert found.brier_skill == pytest.approx(1 - 0.04 / 0.25)


def test_the_threshold_is_the_lowest_that_hits_often_enough():
    y = np.array([1.0, 1, 0, 1, 0, 0])
    p = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert threshold_for(y, p, 0.75) == 0.6
    assert threshold_for(y, p, 0.9) == 0.8
    assert threshold_for(1 - y, 1 - p * 0 - 0.5, 0.9) == 1.0


def verdict(candidate_p, others, incumbent=None, min_skill=0.0):
    y = np.tile([1.0, 0, 0, 0], 100)[:, None]
    holdout = rows_of(y, np.arange(400) * 10.0)
    column = {"good": 0.1 + 0.8 * y, "fair": 0.2 + 0.5 * y, "base": np.full_like(y, 0.25), "bad": 1 - y}
    baselines = {name: column[other] for name, other in others.items()}
    return refusal(
        column[candidate_p], baselines, column.get(incumbent), holdout, (60.0,), GateConfig(min_skill=min_skill)
    )


def test_the_gate_lets_a_better_candidate_pass():
    assert verdict("good", {"climatology": "base", "persistence": "fair"}, "fair") is None


def test_the_gate_names_the_baseline_and_the_numbers():
    reason = verdict("fair", {"climatology": "base", "persistence": "good"})
    assert "persistence" in reason
    assert "0.0525 against 0.0100" in reason


def test_the_gate_refuses_what_is_worse_than_the_serving_model():
    assert "serving model" in verdict("fair", {"climatology": "base"}, "good")


def test_the_gate_refuses_what_is_no_better_than_always_saying_the_base_rate():
    assert "climatology" in verdict("base", {"climatology": "base"})


def test_the_gate_can_ask_for_skill():
    assert "min_skill" in verdict("fair", {"climatology": "base"}, min_skill=0.9)


def test_the_gate_lets_chance_be_chance_where_a_baseline_sees_what_the_candidate_sees():
    rng = np.random.default_rng(0)
    y = (rng.random((2000, 1)) < 0.3).astype(float)
    holdout = rows_of(y, np.arange(2000) * 10.0)
    said = np.clip(0.3 + 0.4 * (y - 0.3) + rng.normal(0, 0.1, y.shape), 0.01, 0.99)
    hardly = np.clip(said + rng.normal(0, 0.01, y.shape), 0.01, 0.99)
    clearly = np.clip(0.3 + 0.8 * (y - 0.3) + rng.normal(0, 0.1, y.shape), 0.01, 0.99)
    base = {"climatology": np.full_like(y, 0.3)}
    for name, other, passes in (("Holt-Winters", hardly, True), ("Holt-Winters", clearly, False)):
        found = refusal(said, {**base, name: other}, None, holdout, (60.0,), GateConfig())
        assert (found is None) == passes


def test_the_gate_refuses_what_ranks_worse_though_its_brier_score_is_no_worse():
    rng = np.random.default_rng(0)
    y = (rng.random((4000, 1)) < 0.05).astype(float)
    holdout = rows_of(y, np.arange(4000) * 10.0)
    ranks = 0.1 + 0.6 * y * rng.random(y.shape) + 0.3 * rng.random(y.shape)  # ranks well, says too much
    calibrated = np.clip(0.05 + 0.1 * y + rng.normal(0, 0.08, y.shape), 0.001, 0.99)
    base = {"climatology": np.full_like(y, 0.06)}
    assert np.mean((calibrated - y) ** 2) < np.mean((ranks - y) ** 2)
    reason = refusal(calibrated, base, ranks, holdout, (60.0,), GateConfig())
    assert "ranks worse than the serving model" in reason
    assert precision_difference(calibrated, ranks, y).mean == pytest.approx(
        average_precision(y[:, 0], calibrated[:, 0]) - average_precision(y[:, 0], ranks[:, 0])
    )


def test_a_candidate_that_knows_less_than_what_serves_is_refused(candidate, trace):
    less = replace(candidate, left_out={200.0: "no calm in the part of the history to learn from"})
    reason = gate_refusal(less, candidate.predictor, *trace, GateConfig())
    assert "cannot say what the serving model says: no calm" in reason
    assert gate_refusal(less, None, *trace, GateConfig()) is None


def test_the_prior_fades_with_the_history_and_the_mix_follows_who_is_right(candidate):
    assert pretrained_weight(0.0, 3600.0) == 1
    assert pretrained_weight(5.2 * 86400, 3600.0) == pytest.approx(0.5, abs=0.01)
    assert pretrained_weight(21 * 86400, 3600.0) == 0
    rng = np.random.default_rng(0)
    truth = rng.normal(-1, 1.5, 4000)
    y = (rng.random(4000) < sigmoid(truth)).astype(float)
    blends = np.stack([rng.normal(size=4000), truth], axis=1)
    assert fit_blend_weights(blends, y, (0.9, 0.1), 12, 6).weights == pytest.approx((0.02, 0.98), abs=0.08)
    few = fit_blend_weights(blends[:5], y[:5], (0.9, 0.1), 12, 6)
    assert few.weights == pytest.approx((0.9, 0.1), abs=0.2)
    turned = fit_blend_weights(np.stack([truth, -truth + rng.normal(size=4000)], axis=1), y, (0.5, 0.5), 12, 6)
    assert turned.weights[0] == pytest.approx(1, abs=0.1)
    assert turned.weights[1] == 0


def test_an_incumbent_that_does_not_know_a_horizon_is_not_compared_there():
    y = np.tile([1.0, 0], 50)[:, None] * np.ones((1, 2))
    holdout = rows_of(y, np.arange(100) * 10.0)
    incumbent = np.column_stack([np.full(100, 0.5), np.full(100, np.nan)])
    base = {"climatology": np.full_like(y, 0.5)}
    assert refusal(0.3 + 0.4 * y, base, incumbent, holdout, (60.0, 300.0), GateConfig()) is None


def test_persistence_says_how_often_it_followed_a_moment_in_the_same_state():
    state = np.array([1.0] * 10 + [0.0] * 10)
    y = np.array([1.0] * 8 + [0.0] * 2 + [1.0] + [0.0] * 9)[:, None]
    rows = rows_of(y, np.arange(20.0), state)
    found = baseline_probabilities(rows, np.array([1.0, 0.0, np.nan]))
    assert found["persistence"][:, 0] == pytest.approx([8.45 / 11, 1.45 / 11, 0.45])
    assert found["climatology"][:, 0] == pytest.approx([0.45] * 3)
