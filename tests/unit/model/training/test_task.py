"""Omitted horizons and missing metrics of the rules."""

import numpy as np
import pytest

from model.errors import NotEnoughHistoryError, SkipReason
from model.features.labels import Rules
from model.training.task import MIN_EVENTS, OmittedHorizon, require_metrics

pytestmark = pytest.mark.unit

NAN = float("nan")
COLUMNS = ("cpu_usage", "memory_usage")
CPU_RULE = (("cpu_usage", 0.8),)
BOTH_RULE = (("cpu_usage", "p95"), ("memory_usage", 0.5))


def test_message_of_too_few_events_has_the_figures():
    message = OmittedHorizon(SkipReason.TOO_FEW_EVENTS, 3).message
    assert SkipReason.TOO_FEW_EVENTS.message in message
    assert f"3 of {MIN_EVENTS}" in message
    assert SkipReason.NO_HIGH_LOAD.message in OmittedHorizon(SkipReason.NO_HIGH_LOAD, 0).message


@pytest.mark.parametrize(
    ("rules", "values", "parts"),
    [
        ((CPU_RULE,), [[NAN, 0.5], [NAN, 0.5]], ["{ cpu_usage = 0.8 }", "has no cpu_usage"]),
        ((BOTH_RULE,), [[0.5, NAN]], ["{ cpu_usage = p95, memory_usage = 0.5 }", "has no memory_usage"]),
        ((BOTH_RULE,), [[NAN, NAN]], ["has no cpu_usage and no memory_usage"]),
        ((BOTH_RULE,), [[0.5, NAN], [NAN, 0.5]], ["never has these metrics at the same time"]),
        (((("disk_busy", 0.9),),), [[0.5, 0.5]], ["{ disk_busy = 0.9 }", "has no disk_busy"]),
        ((CPU_RULE, (("disk_busy", 0.9),)), [[NAN, 0.5]], ["has no cpu_usage", "has no disk_busy"]),
    ],
)
def test_missing_metric_is_named_with_its_rule(rules, values, parts):
    with pytest.raises(NotEnoughHistoryError) as caught:
        require_metrics(Rules(rules, 60.0), COLUMNS, np.array(values))
    assert caught.value.skip_reason is SkipReason.MISSING_METRIC
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("rules", "values"),
    [
        ((CPU_RULE,), [[NAN, NAN], [0.5, NAN]]),
        ((BOTH_RULE,), [[0.5, NAN], [0.5, 0.5]]),
        ((CPU_RULE, (("disk_busy", 0.9),)), [[0.5, NAN]]),
    ],
)
def test_one_rule_that_can_be_evaluated_is_enough(rules, values):
    require_metrics(Rules(rules, 60.0), COLUMNS, np.array(values))
