"""Training of the networks of an ensemble."""

from dataclasses import replace

import numpy as np
import pytest

from model.features.encoding import Encoding
from model.features.scaling import Scaler
from model.forecast.ensemble import Ensemble
from model.nn.data import Examples
from model.nn.diagnostics.fit_report import combine_reports
from model.nn.diagnostics.gradient_health import GradientState, Issue, IssueKind
from model.nn.fit_config import FitConfig
from model.nn.layers import Linear
from model.nn.network import mlp
from model.training.ensemble_training import (
    batch_rows,
    feature_subsets,
    fit_networks,
    network_inputs,
    without_auxiliary,
)
from model.training.settings import Recipe

pytestmark = pytest.mark.unit

NAMES = ("cpu_usage:last", "yesterday:now", "load_index:last", "past_days:high", "cpu_usage:departure:24h")
RECIPE = Recipe(layers=(8,), networks=6, dropout=0.0, fit=FitConfig(epochs=3, patience=0, batch_size=32))


def examples(rows=400):
    """Two predicted labels and two auxiliary ones, the last of which has one class only."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 5)).astype(np.float32)
    y = np.stack([x[:, 0] > 0, x[:, 0] > 0.5, x[:, 2] > 0, x[:, 0] > 50], axis=1).astype(np.float32)
    return Examples(x, y)


NO_CODES = Encoding(np.array([], np.intp), np.array([], np.float32), np.array([], np.float32))


def fit(epochs=(3, 3, 3, 2, 2, 2), on_epoch=lambda _: None):
    """Three plain and three encoded networks."""
    subsets = feature_subsets(NAMES, previous_days=True)
    inputs = network_inputs(subsets, NO_CODES, 5, RECIPE)
    return fit_networks(inputs, (examples(), None), 2, RECIPE, epochs, np.random.default_rng(0), on_epoch)


@pytest.fixture(scope="module")
def fitted():
    return fit()


def test_feature_subsets_add_previous_days_and_a_small_network():
    subsets = feature_subsets(NAMES, previous_days=True)
    assert [subset.columns.tolist() for subset in subsets] == [[0, 2, 4], [0, 2, 3, 4], [1, 2, 3]]
    assert [subset.units for subset in subsets] == [1.0, 1.0, 0.25]


def test_feature_subsets_of_a_short_history_have_no_previous_days():
    subsets = feature_subsets(NAMES, previous_days=False)
    assert [subset.columns.tolist() for subset in subsets] == [[0, 2], [2]]


def test_networks_have_the_size_of_their_inputs(fitted):
    assert [len(columns) for columns in fitted.columns] == [3, 4, 3, 5, 5, 5]
    assert [network.layers[0].weight.shape[1] for network in fitted.networks] == [8, 8, 2, 8, 8, 8]


def test_encoded_networks_have_all_used_features_and_codes_as_inputs():
    encoding = Encoding(np.array([2, 2]), np.array([0, 1], np.float32), np.array([1, 2], np.float32))
    subsets = feature_subsets(NAMES, previous_days=False)
    inputs = network_inputs(subsets, encoding, 5, RECIPE)
    assert [subset.columns.tolist() for subset in inputs[:3]] == [[0, 2], [2], [0, 2]]
    assert [subset.columns.tolist() for subset in inputs[3:]] == [[0, 2, 5, 6]] * 3
    assert [subset.units for subset in inputs] == [1, 0.25, 1, 1, 1, 1]


def test_encoded_networks_have_one_hidden_layer_and_are_reported_under_their_own_names():
    recipe = replace(RECIPE, networks=2, layers=(8, 4))
    inputs = network_inputs(feature_subsets(NAMES, previous_days=True), NO_CODES, 5, recipe)
    fitted = fit_networks(inputs, (examples(), None), 2, recipe, (1, 1), np.random.default_rng(0), lambda _: None)
    linear = [[layer for layer in network.layers if isinstance(layer, Linear)] for network in fitted.networks]
    assert [len(layers) for layers in linear] == [3, 2]
    health = combine_reports(fitted.reports).health
    names = [parameter.name for parameter in health.parameters if parameter.name.endswith("weight")]
    assert names == ["0.weight", "2.weight", "4.weight", "encoded.0.weight", "encoded.2.weight"]
    assert [layer.name for layer in health.layers] == ["1", "3", "encoded.1"]


def test_networks_predict_without_auxiliary_outputs(fitted):
    scaler = Scaler(np.zeros(5, np.float32), np.ones(5, np.float32))
    assert Ensemble(scaler, fitted.networks, fitted.columns).predict(examples().x).shape == (400, 2)
    network = mlp((3, 4, 5), np.random.default_rng(0))
    x = np.ones((2, 3), np.float32)
    assert np.array_equal(without_auxiliary(network, 2).predict(x), network.predict(x)[:, :2])


def test_auxiliary_label_of_a_single_class_is_left_out(fitted):
    assert len(fitted.reports) == 6
    assert all(np.isfinite(report.epochs[-1].train_loss) for report in fitted.reports)


def test_reports_combine_to_mean_losses_and_the_worst_health(fitted):
    reports = fitted.reports
    combined = combine_reports(reports)
    assert [epoch.number for epoch in combined.epochs] == [1, 2, 3]
    assert combined.epochs[1].train_loss == pytest.approx(np.mean([r.epochs[1].train_loss for r in reports]))
    assert combined.epochs[2].train_loss == pytest.approx(np.mean([r.epochs[-1].train_loss for r in reports]))
    assert combined.kept_epoch == 3
    assert combined.health.parameters[0].norm_max == max(r.health.parameters[0].norm_max for r in reports[:3])
    assert combined.health.steps == sum(r.health.steps for r in reports)
    issue = Issue(IssueKind.VANISHING_GRADIENT, "use ReLU")
    vanishing = replace(reports[2].health, state=GradientState.VANISHING, issues=(issue,))
    worst = combine_reports([*reports[:2], replace(reports[2], health=vanishing)])
    assert worst.health.state is GradientState.VANISHING
    assert issue in worst.health.issues


def test_epochs_are_numbered_across_the_networks():
    epochs = []
    fit((2, 1, 1, 1, 2, 1), epochs.append)
    assert [epoch.number for epoch in epochs] == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("rows", "largest", "size"), [(100_000, 256, 256), (5000, 256, 100), (100, 256, 16), (9, 4, 4)]
)
def test_batch_rows_leave_some_fifty_steps_per_epoch(rows, largest, size):
    assert batch_rows(rows, largest) == size
