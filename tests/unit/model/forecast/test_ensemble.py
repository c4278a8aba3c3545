"""Ensemble: scaling, averaging and attribution."""

from dataclasses import replace

import numpy as np
import pytest

from model.features.encoding import Encoding
from model.features.scaling import Scaler
from model.forecast.ensemble import Ensemble
from model.nn.network import mlp
from model.trees.boosted_trees import BoostedTrees

pytestmark = pytest.mark.unit

COLUMNS = (np.array([0, 2, 4]), np.array([0, 1, 2, 4]), np.array([1, 2, 3]))


def make_ensemble(selected=None, seed=0):
    rng = np.random.default_rng(seed)
    networks = tuple(mlp((len(columns), 8, 4, 2), rng) for columns in COLUMNS)
    scaler = Scaler(np.full(5, 0.1, np.float32), np.full(5, 2, np.float32))
    return Ensemble(scaler, networks, COLUMNS, selected)


def features(rows=400):
    return np.random.default_rng(1).normal(size=(rows, 5)).astype(np.float32)


def test_predict_is_the_mean_of_the_networks():
    ensemble = make_ensemble()
    x = features()
    scaled = ensemble.scaler(x)
    logits = [n.predict(scaled[:, c]) for n, c in zip(ensemble.networks, ensemble.columns, strict=True)]
    assert ensemble.predict(x) == pytest.approx(np.mean(logits, axis=0), abs=1e-6)


def make_encoded_ensemble(selected=None, seed=0):
    """Three plain networks, and two networks over inputs and codes."""
    plain = make_ensemble(selected, seed)
    low = np.array([-0.5, 0.1], np.float32)
    encoded = tuple(mlp((7, 8, 4, 2), np.random.default_rng([seed, i])) for i in range(2))
    return Ensemble(
        scaler=plain.scaler,
        networks=plain.networks + encoded,
        columns=COLUMNS + (np.arange(7),) * 2,
        selected=selected,
        encoding=Encoding(np.array([1, 4]), low, low + np.float32(0.7)),
        mean_of_probabilities=True,
    )


def test_predict_is_the_mean_of_the_probabilities():
    ensemble = make_encoded_ensemble()
    inputs = ensemble.encoding(ensemble.scaler(features()))
    logits = [n.predict(inputs[:, c]) for n, c in zip(ensemble.networks, ensemble.columns, strict=True)]
    p = 1 / (1 + np.exp(-np.array(logits, np.float64)))
    mean = p.mean(axis=0)
    assert ensemble.predict(features()) == pytest.approx(np.log(mean / (1 - mean)), abs=1e-6)


def make_trees():
    rng = np.random.default_rng(2)
    thresholds, values = rng.normal(size=(2, 3, 2)), rng.normal(size=(2, 3, 4))
    inputs = rng.integers(0, 5, (2, 3, 2))
    return BoostedTrees(inputs, thresholds.astype(np.float32), values.astype(np.float32), np.zeros(2, np.float32))


@pytest.mark.parametrize("mean_of_probabilities", [True, False])
def test_trees_have_half_of_the_weight(mean_of_probabilities):
    networks = replace(make_encoded_ensemble(), mean_of_probabilities=mean_of_probabilities)
    ensemble = replace(networks, trees=make_trees())
    x = features()
    link = (lambda z: 1 / (1 + np.exp(-z.astype(np.float64)))) if mean_of_probabilities else np.array
    expected = (link(networks.predict(x)) + link(make_trees().predict(networks.scaler(x)))) / 2
    assert link(ensemble.predict(x)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("trees", [None, make_trees()])
@pytest.mark.parametrize("selected", [None, np.array([4, 0, 0, 2, 1])])
def test_attributions_of_codes_trees_and_the_mean_probability_are_exact(selected, trees):
    ensemble = replace(make_encoded_ensemble(selected), trees=trees)
    reference = np.zeros(5, np.float32)
    for x in features(20):
        attributions = ensemble.attribute(x, reference)
        logits = ensemble.predict(np.stack([x, reference]))
        assert attributions.sum(axis=1) == pytest.approx(logits[0] - logits[1], abs=1e-5)
        moved = x.copy()
        moved[:4] = 0
        assert not ensemble.attribute(moved, reference)[:, :4].any()
    assert not ensemble.attribute(reference, reference).any()


@pytest.mark.parametrize("selected", [None, np.array([4, 0, 0, 2, 1])])
def test_attributions_sum_to_the_difference_of_the_logits(selected):
    ensemble = make_ensemble(selected)
    x = features()[0].astype(np.float64)
    reference = np.zeros(5)
    attributions = ensemble.attribute(x, reference)
    logits = ensemble.predict(np.stack([x, reference]).astype(np.float32))
    assert attributions.sum(axis=1) == pytest.approx(logits[0] - logits[1], abs=1e-5)
    if selected is not None:
        assert not attributions[:, 3].any()


def test_reference_point_is_the_mean_of_the_inputs():
    assert np.array_equal(make_ensemble().reference_point(5), np.full(5, 0.1, np.float32))
    selected = make_ensemble(np.array([4, 0, 0, 2, 1]))
    assert selected.reference_point(6).tolist() == pytest.approx([0.1, 0.1, 0.1, 0, 0.1, 0])


@pytest.mark.parametrize(
    "broken",
    [
        lambda e: Ensemble(e.scaler, (), ()),
        lambda e: Ensemble(Scaler(np.zeros(4), np.ones(4)), e.networks, e.columns),
        lambda e: Ensemble(e.scaler, e.networks, (np.array([0, 2, 9]), *e.columns[1:])),
        lambda e: Ensemble(e.scaler, e.networks, e.columns, np.array([0, 1, 2, 3, 9])),
        lambda e: replace(e, encoding=Encoding(np.array([5]), np.zeros(1), np.ones(1))),
        lambda e: replace(e, trees=replace(make_trees(), bias=np.zeros(3, np.float32))),
        lambda e: Ensemble(e.scaler, (mlp((3, 1), np.random.default_rng(0)), *e.networks[1:]), e.columns),
    ],
)
def test_outputs_reject_parts_that_do_not_fit(broken):
    ensemble = make_ensemble()
    assert ensemble.outputs(5) == 2
    with pytest.raises(ValueError, match=r"network|scaler|encoding|trees"):
        broken(ensemble).outputs(5)
