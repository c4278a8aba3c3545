"""Evaluation of a candidate on its holdout."""

from itertools import pairwise

import numpy as np
import pytest

from model.features.dataset import Split
from model.forecast.baselines import CLIMATOLOGY, CURRENT_VALUE, HOLT_WINTERS, PERSISTENCE
from model.training.evaluation import CANDIDATE, cross_fitting_parts
from model.training.folds import Folds
from tests.unit.model.conftest import label_rows

pytestmark = pytest.mark.unit


def test_candidate_is_scored_with_all_baselines(candidate):
    for scores in candidate.scores:
        assert set(scores) == {CANDIDATE, CLIMATOLOGY, PERSISTENCE, CURRENT_VALUE, HOLT_WINTERS}
        assert scores[CANDIDATE].brier < 0.5 * scores[PERSISTENCE].brier
        assert scores[CANDIDATE].average_precision > 0.9
        assert scores[CLIMATOLOGY].brier_skill == pytest.approx(0, abs=1e-6)
    assert np.all(np.diff(candidate.probabilities, axis=1) >= 0)


def test_parts_for_cross_fitting_are_the_folds(candidate):
    assert candidate.folds == 3
    rows = [label_rows(np.zeros((n, 1)), np.arange(float(n))) for n in (2, 3, 4, 6)]
    parts = tuple(Split(train, holdout) for train, holdout in pairwise(rows))
    folds = Folds(parts=parts, horizons=(60.0,), events=(5,), omitted={})
    assert cross_fitting_parts(folds).tolist() == [0] * 3 + [1] * 4 + [2] * 6
