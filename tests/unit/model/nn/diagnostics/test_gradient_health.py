"""Tests of `model.nn.diagnostics.gradient_health`."""

import pytest

from model.nn.diagnostics.gradient_health import (
    GradientHealth,
    GradientState,
    Issue,
    IssueKind,
    LayerHealth,
    ParameterHealth,
    combine_health,
    prefixed,
)

pytestmark = pytest.mark.unit


def health(state, norm=1.0, saturation=None, issues=()):
    return GradientHealth(
        state=state,
        parameters=(ParameterHealth("0.weight", norm=norm, norm_last=norm, norm_max=norm, update_ratio=0.1),),
        layers=(LayerHealth("1", dead_ratio=0.5, saturation_ratio=saturation, mean=norm, deviation=1.0),),
        steps=10,
        clipped_steps=2,
        nonfinite_steps=1,
        issues=issues,
    )


def test_combined_health_has_mean_norms_the_largest_maximum_and_total_counts():
    combined = combine_health([health(GradientState.HEALTHY, 1.0), health(GradientState.HEALTHY, 3.0)])
    (parameter,) = combined.parameters
    assert (parameter.norm, parameter.norm_last, parameter.norm_max) == (2.0, 2.0, 3.0)
    assert combined.layers[0].mean == 2.0
    assert (combined.steps, combined.clipped_steps, combined.nonfinite_steps) == (20, 4, 2)


def test_networks_of_two_kinds_are_combined_by_name():
    plain, encoded = health(GradientState.HEALTHY, 1.0), prefixed(health(GradientState.HEALTHY, 3.0), "encoded.")
    combined = combine_health([plain, encoded, encoded])
    assert [(p.name, p.norm) for p in combined.parameters] == [("0.weight", 1.0), ("encoded.0.weight", 3.0)]
    assert [(layer.name, layer.mean) for layer in combined.layers] == [("1", 1.0), ("encoded.1", 3.0)]
    assert combined.steps == 30


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((GradientState.HEALTHY, GradientState.VANISHING), GradientState.VANISHING),
        ((GradientState.EXPLODING, GradientState.VANISHING), GradientState.EXPLODING),
        ((GradientState.HEALTHY, GradientState.HEALTHY), GradientState.HEALTHY),
    ],
)
def test_combined_state_is_the_worst(states, expected):
    assert combine_health([health(state) for state in states]).state is expected


def test_combined_saturation_ignores_layers_that_do_not_saturate():
    trainings = [health(GradientState.HEALTHY, saturation=ratio) for ratio in (None, 0.2, 0.4)]
    assert combine_health(trainings).layers[0].saturation_ratio == pytest.approx(0.3)
    assert combine_health(trainings[:1]).layers[0].saturation_ratio is None


def test_combined_issues_are_reported_once_and_give_the_advice():
    dead, clipped = Issue(IssueKind.DEAD_UNITS, "dead"), Issue(IssueKind.CLIPPED_STEPS, "clipped")
    combined = combine_health(
        [health(GradientState.HEALTHY, issues=issues) for issues in ((dead,), (clipped, dead), ())]
    )
    assert combined.issues == (dead, clipped)
    assert combined.advice == ("dead", "clipped")
