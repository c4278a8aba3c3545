"""Boosted trees: predictions, attributions and checks."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from model.trees.boosted_trees import CHUNK_ROWS, BoostedTrees

pytestmark = pytest.mark.unit

INPUTS, OUTPUTS, TREES, DEPTH = 5, 2, 7, 3


def make_trees(depth=DEPTH):
    rng = np.random.default_rng(0)
    return BoostedTrees(
        inputs=rng.integers(0, INPUTS, (OUTPUTS, TREES, depth)),
        thresholds=rng.normal(size=(OUTPUTS, TREES, depth)).astype(np.float32),
        values=rng.normal(size=(OUTPUTS, TREES, 2**depth)).astype(np.float32),
        bias=np.array([-1, 2], np.float32),
    )


def rows_of_inputs(rows=3):
    return np.random.default_rng(1).normal(size=(rows, INPUTS)).astype(np.float32)


def tree_term(trees, output, tree, x):
    """Return the term of one tree, computed level by level."""
    leaf = 0
    for position, threshold in zip(trees.inputs[output, tree], trees.thresholds[output, tree], strict=True):
        leaf = 2 * leaf + int(x[position] > threshold)
    return float(trees.values[output, tree, leaf])


@pytest.mark.parametrize("depth", [1, 3, 4])
def test_predict_sums_the_leaves_of_all_trees(depth):
    trees = make_trees(depth)
    x = rows_of_inputs()
    expected = [
        [bias + sum(tree_term(trees, i, t, row) for t in range(TREES)) for i, bias in enumerate(trees.bias)]
        for row in x
    ]
    assert trees.predict(x) == pytest.approx(np.array(expected), abs=1e-5)


def test_prediction_of_a_row_does_not_depend_on_other_rows():
    trees = make_trees()
    x = rows_of_inputs(2 * CHUNK_ROWS + 3)
    together = trees.predict(x)
    for rows in (slice(3, 4), slice(CHUNK_ROWS - 1, CHUNK_ROWS + 40)):
        assert trees.predict(x[rows]).tobytes() == together[rows].tobytes()


def test_attributions_are_the_mean_over_all_orders_of_the_levels():
    # Each level of each tree compares another input.
    trees = replace(make_trees(), inputs=np.broadcast_to([2, 0, 4], (OUTPUTS, TREES, DEPTH)))
    x, reference = rows_of_inputs(2)
    expected = np.zeros((OUTPUTS, INPUTS))
    orders = list(permutations(range(INPUTS)))
    for order in orders:
        point = reference.copy()
        for position in order:
            before = trees.predict(point[None])[0].astype(float)
            point[position] = x[position]
            expected[:, position] += (trees.predict(point[None])[0] - before) / len(orders)
    assert trees.attribute(x, reference) == pytest.approx(expected, abs=1e-5)


def test_attributions_sum_to_the_difference_of_the_logits():
    trees = make_trees()
    reference = np.zeros(INPUTS, np.float32)
    for x in rows_of_inputs(20):
        attributions = trees.attribute(x, reference)
        logits = trees.predict(np.stack([x, reference])).astype(float)
        assert attributions.sum(axis=1) == pytest.approx(logits[0] - logits[1], abs=1e-5)
        moved = np.where(np.arange(INPUTS) == 1, x, reference)
        assert np.flatnonzero(trees.attribute(moved, reference).any(axis=0)).tolist() in ([], [1])


def test_added_outputs_are_zero():
    trees = make_trees()
    x = rows_of_inputs()
    logits = trees.with_zero_outputs(1, [2, 0, 1]).predict(x)
    assert not logits[:, 0].any()
    assert np.array_equal(logits[:, 1:], trees.predict(x))


@pytest.mark.parametrize(
    "broken",
    [
        lambda t: replace(t, inputs=np.full_like(t.inputs, INPUTS)),
        lambda t: replace(t, inputs=np.full_like(t.inputs, -1)),
        lambda t: replace(t, inputs=t.inputs[0]),
        lambda t: replace(t, thresholds=t.thresholds[:, 1:]),
        lambda t: replace(t, values=t.values[..., 1:]),
        lambda t: replace(t, bias=t.bias[1:]),
    ],
)
def test_check_rejects_arrays_that_do_not_fit(broken):
    trees = make_trees()
    trees.check(INPUTS, OUTPUTS)
    with pytest.raises(ValueError, match="trees"):
        broken(trees).check(INPUTS, OUTPUTS)
    with pytest.raises(ValueError, match="trees"):
        trees.check(INPUTS, OUTPUTS + 1)
