"""Prediction report."""

from dataclasses import replace

import pytest

from model.serving import ServingReason
from monitor.documents.prediction import PredictedEvent, PredictionDocument
from monitor.documents.status.capacity import capacity_document
from monitor.reports.capacity import capacity_blocks
from monitor.reports.prediction import prediction_report, probability_parts

pytestmark = pytest.mark.unit

WARNING = PredictionDocument(
    at=1_800_000_000.0,
    horizon=300.0,
    horizon_name="5m",
    model_id=3,
    event=PredictedEvent.ONSET,
    probability=0.7,
    baseline_probability=0.1,
    threshold=0.6,
    warning=True,
    high_load_since=None,
    served_by="model",
    serving_reason=None,
    serving_message="",
    inputs_out_of_range=(),
    contributions={"cpu_usage": 1.5, "load_index": -0.25},
    because=("CPU usage is at 90%", "load is at 80% of what counts as high"),
)
CALM = replace(
    WARNING,
    horizon=3600.0,
    horizon_name="1h",
    probability=0.05,
    warning=False,
    served_by="reduced model",
    serving_reason=ServingReason.INPUT_OUT_OF_RANGE,
    serving_message="memory_usage outside its training range",
    inputs_out_of_range=("memory_usage",),
)
HIGH = replace(
    WARNING,
    event=PredictedEvent.CONTINUATION,
    probability=0.996,
    warning=False,
    high_load_since=1_800_000_000.0 - 300,
)


def test_prediction_report_matches_golden(state, assert_golden):
    capacity = capacity_blocks(capacity_document(state.capacity))
    note = "predicted by the pretrained model"
    states = {
        "plain": prediction_report([WARNING]),
        "note": prediction_report([CALM], note),
        "high load": prediction_report([HIGH]),
        "capacity": prediction_report([CALM], capacity=capacity),
    }
    assert_golden("prediction", states)


@pytest.mark.parametrize(
    ("probability", "warning", "tone"), [(0.1, False, "good"), (0.3, False, "caution"), (0.7, True, "bad")]
)
def test_probability_is_toned_by_its_distance_from_the_threshold(probability, warning, tone):
    prediction = replace(WARNING, probability=probability, warning=warning)
    assert probability_parts(prediction)[0].tone == tone
