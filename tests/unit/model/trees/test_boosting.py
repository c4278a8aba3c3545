"""Gradient boosting of trees."""

import numpy as np
import pytest

from model.trees.boosting import BoostingConfig, fit_trees

pytestmark = pytest.mark.unit

CONFIG = BoostingConfig(trees=60, sample_rows=400, input_share=0.7)


def make_examples(rows=2000, seed=0):
    """Rare events where two inputs are large together; the second output is an event of the third input."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 6)).astype(np.float32)
    chance = np.stack(
        [np.where((x[:, 1] > 0.6) & (x[:, 4] > 0.6), 0.8, 0.02), np.where(x[:, 2] > 1, 0.9, 0.05)], axis=1
    )
    return x, (rng.random(chance.shape) < chance).astype(np.float32), chance


def probabilities(trees, x):
    return 1 / (1 + np.exp(-trees.predict(x).astype(float)))


def test_trees_learn_an_interaction_of_two_inputs():
    x, y, _ = make_examples()
    trees = fit_trees(x, y, CONFIG, np.random.default_rng(0))
    trees.check(6, 2)
    new_x, _, chance = make_examples(seed=1)
    p = probabilities(trees, new_x)
    base = chance.mean(axis=0)
    assert ((p - chance) ** 2).mean(axis=0) == pytest.approx([0, 0], abs=0.01)
    assert (((base - chance) ** 2).mean(axis=0) > 0.03).all()
    assert p.mean(axis=0) == pytest.approx(base, abs=0.02)


def test_rows_with_an_unknown_label_are_not_used():
    x, y, chance = make_examples()
    # The rows of large inputs are known for the second output only.
    y[x[:, 1] > 0.6, 0] = np.nan
    p = probabilities(fit_trees(x, y, CONFIG, np.random.default_rng(0)), x)
    assert p[:, 0].max() < 0.2
    assert ((p[:, 1] - chance[:, 1]) ** 2).mean() < 0.01


def test_equal_generators_give_equal_trees():
    x, y, _ = make_examples()
    first, second = (fit_trees(x, y, CONFIG, np.random.default_rng(3)) for _ in range(2))
    assert first.predict(x).tobytes() == second.predict(x).tobytes()


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_labels_of_one_class_give_a_finite_and_certain_prediction(label):
    x, y, _ = make_examples(rows=50)
    logits = fit_trees(x, np.full_like(y, label), CONFIG, np.random.default_rng(0)).predict(x)
    assert np.isfinite(logits).all()
    assert ((logits > 5) == bool(label)).all()


def test_constant_inputs_are_harmless():
    x, y, _ = make_examples(rows=300)
    x[:] = 1
    p = probabilities(fit_trees(x, y, CONFIG, np.random.default_rng(0)), x)
    assert p == pytest.approx(np.broadcast_to(y.mean(axis=0), p.shape), abs=0.02)
