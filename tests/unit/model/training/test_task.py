"""Horizons for which a history has no examples."""

import numpy as np
import pytest

from model.errors import SkipReason
from model.features.dataset import Split
from model.training.task import HistoryPart, OmittedHorizon, omitted_horizon
from tests.unit.model.conftest import label_rows

pytestmark = pytest.mark.unit

NAN = float("nan")


def part(labels):
    return label_rows(np.array(labels)[:, None], np.arange(float(len(labels))))


@pytest.mark.parametrize(
    ("train", "holdout", "expected"),
    [
        ([0, 1, NAN], [1, 0], None),
        ([NAN, NAN], [1, 0], OmittedHorizon(SkipReason.NO_KNOWN_OUTCOME, HistoryPart.TRAINING)),
        ([0, 0, NAN], [1, 0], OmittedHorizon(SkipReason.NO_HIGH_LOAD, HistoryPart.TRAINING)),
        ([0, 1], [1, 1, NAN], OmittedHorizon(SkipReason.NO_CALM_LOAD, HistoryPart.HOLDOUT)),
    ],
)
def test_omitted_horizon_names_the_missing_outcome_and_the_part(train, holdout, expected):
    assert omitted_horizon(Split(part(train), part(holdout)), 0, 60.0) == expected


def test_omitted_horizon_names_a_spacing_beyond_the_horizon():
    coarse = label_rows(np.full((4, 1), NAN), 600.0 * np.arange(4), spacing=600.0)
    expected = OmittedHorizon(SkipReason.HORIZON_BELOW_SPACING, HistoryPart.TRAINING)
    assert omitted_horizon(Split(coarse, part([0, 1])), 0, 300.0) == expected
    assert omitted_horizon(Split(coarse, part([0, 1])), 0, 900.0).reason is SkipReason.NO_KNOWN_OUTCOME


def test_message_names_reason_and_part():
    omitted = OmittedHorizon(SkipReason.NO_HIGH_LOAD, HistoryPart.HOLDOUT)
    assert SkipReason.NO_HIGH_LOAD.message in omitted.message
    assert HistoryPart.HOLDOUT in omitted.message
