"""A host with a burst of load every half hour, stored without live predictions."""

import numpy as np
import pytest

from model.features.labels import Rules
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model
from monitor.training.replay.predictions import SampleHistory
from storage import SAMPLE_FIELDS

STEP = 10.0
START = 1_700_000_000.0 - 1_700_000_000.0 % 3600
ROWS = 1440
END = START + STEP * (ROWS - 1)
RULES = Rules(((("cpu_usage", 0.8),),), 20.0)


@pytest.fixture(scope="session")
def history():
    times = START + STEP * np.arange(ROWS)
    values = np.full((ROWS, len(SAMPLE_FIELDS)), np.nan)
    values[:, SAMPLE_FIELDS.index("cpu_usage")] = np.where(times % 1800 < 120, 0.9, 0.2)
    return SampleHistory(times, values)


@pytest.fixture
def filled_stores(stores, history):
    stores.samples.insert_missing(np.column_stack((history.times, history.values)))
    return stores


@pytest.fixture(scope="session")
def predictor():
    return bootstrap_predictor(bundled_pretrained_model(), SAMPLE_FIELDS, RULES, (300.0, 900.0), STEP, 0.8)
