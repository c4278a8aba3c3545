"""Serving predictors and the reasons for them."""

import pytest

from model.serving import REDUCED_MODEL, Serving, ServingReason, out_of_range_message

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("serving", "message"),
    [
        (Serving(), ""),
        (
            Serving(REDUCED_MODEL, ServingReason.INPUT_OUT_OF_RANGE, ("memory_usage",)),
            "memory_usage outside its training range",
        ),
        (
            Serving("Holt-Winters", ServingReason.BASELINE_MORE_ACCURATE, ("memory_usage",)),
            "Holt-Winters was more accurate than the model on recent outcomes",
        ),
        (
            Serving("pretrained model", ServingReason.HORIZON_NOT_FITTED),
            "the history of this host has too few examples at this horizon",
        ),
        (Serving("pretrained model", ServingReason.HOST_NOT_FITTED), "no model has been trained on this host yet"),
        (
            Serving("persistence", ServingReason.HIGH_LOAD_FLOOR),
            "load is high, and the model was below persistence",
        ),
    ],
)
def test_message_states_the_reason(serving, message):
    assert serving.message == message


def test_message_names_all_metrics_outside_their_training_range():
    expected = "memory_usage, disk_read outside their training range"
    assert out_of_range_message(["memory_usage", "disk_read"]) == expected
