"""The networks of an ensemble: their views, their practice, and what is said of their trainings."""

from dataclasses import replace

import numpy as np
import pytest

from model.forecast.ensemble import Ensemble, Scaler
from model.nn.diagnostics.fit_report import combine_reports
from model.nn.diagnostics.gradient_health import GradientState, Issue, IssueKind
from model.nn.fit_config import FitConfig
from model.nn.network import mlp
from model.nn.training import Examples
from model.training.ensemble_training import fit_ensemble, views, without_practice
from model.training.settings import Recipe

pytestmark = pytest.mark.unit

NAMES = ("cpu_usage:last", "yesterday:now", "load_index:last", "past_days:high", "cpu_usage:departure:24h")
RECIPE = Recipe(layers=(8,), networks=4, dropout=0.0, fit=FitConfig(epochs=3, patience=0, batch_size=32))


def parts(rows=400):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 5)).astype(np.float32)
    y = np.stack([x[:, 0] > 0, x[:, 0] > 0.5, x[:, 2] > 0, x[:, 0] > 50], axis=1).astype(np.float32)
    return Examples(x, y)


def fitted(seed=0, **changed):
    (networks, columns), reports = fit_ensemble(
        views(NAMES, other_days=True),
        (parts(), None),
        2,
        replace(RECIPE, **changed),
        [3] * 4,
        np.random.default_rng(seed),
        lambda _: None,
    )
    return Ensemble(Scaler(np.zeros(5, np.float32), np.ones(5, np.float32)), networks, columns), reports


def test_networks_see_the_recent_past_other_days_and_a_small_one_the_load_alone():
    seen = [view.columns.tolist() for view in views(NAMES, other_days=True)]
    assert seen == [[0, 2, 4], [0, 1, 2, 4], [0, 2, 3, 4], [1, 2, 3]]
    ensemble, _ = fitted()
    assert [len(columns) for columns in ensemble.columns] == [3, 4, 4, 3]
    assert [network.layers[0].weight.shape[1] for network in ensemble.networks] == [8, 8, 8, 2]


def test_a_short_history_teaches_nothing_of_other_days():
    assert [view.columns.tolist() for view in views(NAMES, other_days=False)] == [[0, 2], [2]]


def test_what_it_says_is_the_mean_of_its_networks():
    ensemble, _ = fitted()
    x = parts().x
    scaled = ensemble.scaler(x)
    each = [
        network.predict(scaled[:, columns])
        for network, columns in zip(ensemble.networks, ensemble.columns, strict=True)
    ]
    assert ensemble.predict(x) == pytest.approx(np.mean(each, axis=0), abs=1e-6)
    assert ensemble.predict(x[:1]) == pytest.approx(ensemble.predict(x)[:1], abs=1e-6)


def test_shares_add_up_and_a_feature_that_nobody_sees_has_none():
    ensemble, _ = fitted()
    x, centre = parts().x[0].astype(np.float64), np.zeros(5)
    shares = ensemble.attribute(x, centre)
    moved = ensemble.predict(x[None].astype(np.float32)) - ensemble.predict(centre[None].astype(np.float32))
    assert shares.sum(axis=1) == pytest.approx(moved[0], abs=1e-5)


def test_practice_is_taken_off_and_changes_nothing_that_is_said():
    network = mlp((3, 4, 5), np.random.default_rng(0))
    x = np.ones((2, 3), np.float32)
    assert np.array_equal(without_practice(network, 2).predict(x), network.predict(x)[:, :2])
    ensemble, _ = fitted()
    assert ensemble.predict(parts().x).shape == (400, 2)


def test_a_lesser_event_that_never_happens_is_no_practice():
    """The fourth label has one class only, which a loss would refuse."""
    _, reports = fitted()
    assert len(reports) == 4


def test_trainings_together_are_their_mean_and_their_worst():
    _, reports = fitted()
    all_of = combine_reports(reports)
    assert [epoch.number for epoch in all_of.epochs] == [1, 2, 3]
    assert all_of.epochs[-1].train_loss == pytest.approx(np.mean([r.epochs[-1].train_loss for r in reports]))
    assert all_of.kept_epoch == 3
    worst = max(r.health.parameters[0].norm_max for r in reports)
    assert all_of.health.parameters[0].norm_max == worst
    assert all_of.health.steps == sum(r.health.steps for r in reports)
    issue = Issue(IssueKind.VANISHING_GRADIENT, "use ReLU")
    ill = replace(reports[2].health, state=GradientState.VANISHING, issues=(issue,))
    mixed = combine_reports([*reports[:2], replace(reports[2], health=ill)])
    assert mixed.health.state == "vanishing"
    assert issue in mixed.health.issues


def test_the_epochs_of_all_networks_are_counted_through():
    seen = []
    fit_ensemble(
        views(NAMES, other_days=True), (parts(), None), 2, RECIPE, [2, 3], np.random.default_rng(0), seen.append
    )
    assert [epoch.number for epoch in seen] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("layers", [(8,), (8, 4), (5, 4, 3)])
def test_fused_into_one_network_it_says_and_explains_the_same(layers):
    (networks, columns), _ = fit_ensemble(
        views(NAMES, other_days=True), (parts(), None), 2, replace(RECIPE, layers=layers), [3] * 4,
        np.random.default_rng(0), lambda _: None,
    )  # fmt: skip
    scaler = Scaler(np.full(5, 0.1, np.float32), np.full(5, 2, np.float32))
    ensemble = Ensemble(scaler, networks, columns)
    fused, x = ensemble.fused(), parts().x
    assert len(fused.networks) == 1
    assert fused.predict(x) == pytest.approx(ensemble.predict(x), abs=1e-5)
    assert fused.attribute(x[0], x[1]) == pytest.approx(ensemble.attribute(x[0], x[1]), abs=1e-5)
    picking = Ensemble(scaler, networks, columns, np.array([4, 0, 0, 2, 1]))
    assert picking.fused().predict(x) == pytest.approx(picking.predict(x), abs=1e-5)
    assert picking.fused().attribute(x[0], x[1]) == pytest.approx(picking.attribute(x[0], x[1]), abs=1e-5)


def test_networks_of_several_kinds_stay_apart():
    rng, scaler = np.random.default_rng(0), Scaler(np.zeros(3, np.float32), np.ones(3, np.float32))
    networks = (mlp((3, 4, 1), rng), mlp((3, 4, 1), rng, activation="tanh"))
    apart = Ensemble(scaler, networks, (np.arange(3),) * 2)
    assert apart.fused() is apart
