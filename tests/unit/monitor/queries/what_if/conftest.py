"""Stored history with four high-load periods, of which the probabilities announce three."""

import numpy as np
import pytest

from monitor.config.loader import Config
from monitor.config.schema import HighLoadSection, SamplingSection, WarningSection
from storage import Prediction, Sample
from tests.unit.monitor.conftest import NOW

STEP = 10.0
HORIZON = 900.0
ONSETS = [NOW - 16_000, NOW - 12_000, NOW - 8_000, NOW - 4_000]
DURATION = 600.0
FALSE_ALARM = NOW - 6_000
START = NOW - 20_000


@pytest.fixture
def config():
    return Config(
        sampling=SamplingSection(interval=STEP),
        high_load=HighLoadSection(rules=((("cpu_usage", 0.8),),), sustained=0.0, horizons=(HORIZON,)),
        warning=WarningSection(precision=0.8),
    )


def cpu_at(at):
    return 0.9 if any(onset <= at < onset + DURATION for onset in ONSETS) else 0.6


def probability_at(at):
    """Return 0.9 for ten minutes before the first two periods, 0.6 before the third, and 0.6 at a false alarm."""
    for onset, probability in zip(ONSETS, (0.9, 0.9, 0.6, 0.1), strict=True):
        if onset - 600 <= at < onset:
            return probability
    return 0.6 if FALSE_ALARM - 300 <= at < FALSE_ALARM else 0.1


@pytest.fixture
def history(stores):
    """Repositories with samples every 10 s and predictions every 20 s."""
    times = np.arange(START, NOW + STEP, STEP).tolist()
    stores.samples.append_many([Sample(at, cpu_usage=cpu_at(at)) for at in times])
    predictions = [Prediction(at, HORIZON, 1, probability_at(at), 0.05, 0.708, False, None) for at in times[::2]]
    stores.predictions.append(predictions)
    return stores
