"""Tests of `model.nn.diagnostics.assessment`."""

from dataclasses import replace

import numpy as np
import pytest

from model.nn.activations import ReLU, Sigmoid
from model.nn.data import TrainingData
from model.nn.diagnostics.assessment import activation_health, assess_statistics, assess_training, stalled_loss
from model.nn.diagnostics.fit_report import Epoch
from model.nn.diagnostics.gradient_health import (
    GradientState,
    IssueKind,
    LayerHealth,
    ParameterHealth,
    StepCounts,
)
from model.nn.diagnostics.gradient_statistics import GradientStatistics
from model.nn.fit_config import FitConfig
from model.nn.layers import Linear
from model.nn.losses import BCEWithLogits
from model.nn.network import Network, mlp
from tests.unit.model.nn.cases import xor_examples

pytestmark = pytest.mark.unit

WEIGHT = ParameterHealth("0.weight", norm=1.0, norm_last=1.0, norm_max=1.0, update_ratio=0.01)
LAYER = LayerHealth("1", dead_ratio=0.0, saturation_ratio=0.0, mean=0.0, deviation=1.0)


NO_PROBLEMS = StepCounts(10, 0, 0)


def assess(parameter=WEIGHT, layer=LAYER, counts=NO_PROBLEMS):
    return assess_statistics((parameter,), (layer,), counts, vanishing=1e-7, exploding=100.0)


@pytest.mark.parametrize(
    ("changes", "state", "kind"),
    [
        ({"parameter": replace(WEIGHT, norm=1e-8)}, GradientState.VANISHING, IssueKind.VANISHING_GRADIENT),
        ({"parameter": replace(WEIGHT, norm_max=101.0)}, GradientState.EXPLODING, IssueKind.EXPLODING_GRADIENT),
        ({"counts": StepCounts(10, 0, 1)}, GradientState.EXPLODING, IssueKind.NONFINITE_GRADIENT),
        ({"layer": replace(LAYER, dead_ratio=0.4)}, GradientState.HEALTHY, IssueKind.DEAD_UNITS),
        ({"layer": replace(LAYER, saturation_ratio=0.5)}, GradientState.HEALTHY, IssueKind.SATURATED_OUTPUTS),
        ({"counts": StepCounts(10, 5, 0)}, GradientState.HEALTHY, IssueKind.CLIPPED_STEPS),
    ],
)
def test_assess_statistics_reports_state_and_issue(changes, state, kind):
    health = assess(**changes)
    assert health.state is state
    assert [issue.kind for issue in health.issues] == [kind]


@pytest.mark.parametrize("name", ["0.bias", "0.scale", "0.prior_weight"])
def test_vanishing_gradients_of_other_parameters_than_weights_are_no_issue(name):
    health = assess(parameter=replace(WEIGHT, name=name, norm=0.0))
    assert health.state is GradientState.HEALTHY
    assert health.issues == ()


def test_assess_statistics_reports_nothing_below_the_limits():
    health = assess(layer=replace(LAYER, dead_ratio=0.39, saturation_ratio=None), counts=StepCounts(10, 4, 0))
    assert health.state is GradientState.HEALTHY
    assert health.issues == ()


def test_issue_message_states_figures_and_remedy():
    (message,) = assess(layer=replace(LAYER, dead_ratio=0.7)).advice
    assert message == "layer 1: 70% of units dead: lower the learning rate or use LeakyReLU"


def test_activation_health_measures_dead_units_saturation_mean_and_deviation():
    dead = Linear(np.array([[1.0, -1.0, 0.0]]), np.array([0.0, 0.0, -1.0]))
    saturated = Linear(np.array([[9.0, 0.0], [9.0, 0.0], [0.0, 0.0]]), np.zeros(2))
    network = Network([dead, ReLU(), saturated, Sigmoid()])
    relu, sigmoid = activation_health(network, np.array([[1.0], [2.0]]))
    assert (relu.name, relu.dead_ratio, relu.saturation_ratio) == ("1", pytest.approx(2 / 3), None)
    assert (relu.mean, relu.deviation) == (pytest.approx(0.5), pytest.approx(np.std([1, 0, 0, 2, 0, 0])))
    assert (sigmoid.name, sigmoid.dead_ratio, sigmoid.saturation_ratio) == ("3", 0.5, 0.5)


@pytest.mark.parametrize(
    ("losses", "epochs", "stalled"),
    [
        ([0.7, 0.7], 20, True),
        ([0.7, 0.6], 20, False),
        ([0.7], 20, False),
        ([0.7, 0.7, 0.6], 20, True),
        ([0.7, 0.7, 0.6], 30, False),
    ],
)
def test_stalled_loss_looks_at_the_first_tenth_of_the_epochs(losses, epochs, stalled):
    issue = stalled_loss(losses, 0.7, epochs)
    assert (issue is not None and issue.kind is IssueKind.STALLED_LOSS) == stalled


@pytest.mark.parametrize(("last_loss", "state"), [(0.1, GradientState.VANISHING), (1e-8, GradientState.HEALTHY)])
def test_assess_training_expects_vanishing_gradients_once_the_loss_is_near_zero(last_loss, state):
    train, _ = xor_examples(40)
    network = mlp((2, 3, 1), np.random.default_rng(0))
    data = TrainingData(network, BCEWithLogits(), train, None)
    statistics = GradientStatistics(network, np.zeros_like(network.flat))
    statistics.record_gradient()
    epochs = [Epoch(number, last_loss, np.nan, 0.0) for number in (1, 2)]
    assert assess_training(data, statistics, epochs, 0.7, FitConfig()).state is state


def test_assess_training_reports_a_stalled_loss_first():
    train, _ = xor_examples(40)
    network = mlp((2, 3, 1), np.random.default_rng(0))
    data = TrainingData(network, BCEWithLogits(), train, None)
    statistics = GradientStatistics(network, np.zeros_like(network.flat))
    epochs = [Epoch(number, 0.7, np.nan, 0.0) for number in (1, 2)]
    health = assess_training(data, statistics, epochs, 0.7, FitConfig())
    assert [issue.kind for issue in health.issues] == [IssueKind.STALLED_LOSS, IssueKind.VANISHING_GRADIENT]
