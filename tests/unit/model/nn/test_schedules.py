"""Tests of `model.nn.schedules`."""

import re

import numpy as np
import pytest

from model.nn.schedules import SCHEDULES, Constant, Cosine, Exponential, ReduceOnPlateau, StepDecay, WarmUp

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("schedule", "progress", "expected"),
    [
        (Constant(), (0.0, 0.5, 1.0), (1.0, 1.0, 1.0)),
        (Cosine(), (0.0, 0.5, 1.0), (1.0, 0.5, 0.0)),
        (StepDecay(0.5, 0.25), (0.0, 0.24, 0.25, 0.5, 0.99), (1, 1, 0.5, 0.25, 0.125)),
        (Exponential(0.01), (0.0, 0.5, 1.0), (1.0, 0.1, 0.01)),
        (WarmUp(0.2, Cosine()), (0.0, 0.1, 0.2, 0.6, 1.0), (0.0, 0.5, 1.0, 0.5, 0.0)),
    ],
)
def test_schedule_matches_its_formula(schedule, progress, expected):
    assert [schedule.factor(p) for p in progress] == pytest.approx(expected, abs=1e-9)


def test_plateau_schedule_drops_after_patience_epochs_without_progress():
    schedule = ReduceOnPlateau(drop=0.1, patience=2, least=0.005)
    losses = [1.0, 0.9, 0.95, 0.91, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]
    factors = []
    for epochs in range(len(losses) + 1):
        schedule.start_epoch(losses[:epochs])
        factors.append(schedule.factor(0.5))
    assert factors == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.005, 0.005, 0.005])


def test_warm_up_passes_the_losses_to_its_schedule():
    schedule = WarmUp(0.1, ReduceOnPlateau(drop=0.5, patience=1))
    schedule.start_epoch([1.0, 1.0])
    assert schedule.factor(0.5) == 0.5


@pytest.mark.parametrize("name", SCHEDULES)
def test_factor_is_between_0_and_1(name):
    schedule = SCHEDULES[name]()
    schedule.start_epoch([])
    assert all(0 <= schedule.factor(p) <= 1 for p in np.linspace(0, 1, 101))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StepDecay(drop=2), "drop must be above 0 and at most 1, not 2"),
        (lambda: StepDecay(every=0), "every must be above 0 and at most 1, not 0"),
        (lambda: Exponential(-1), "final must be above 0 and at most 1, not -1"),
        (lambda: WarmUp(2.0), "share must be above 0 and below 1, not 2.0"),
        (lambda: ReduceOnPlateau(drop=1), "drop must be above 0 and below 1, not 1"),
        (lambda: ReduceOnPlateau(patience=0), "patience must be at least 1, not 0"),
        (lambda: ReduceOnPlateau(least=2), "least must be from 0 to 1, not 2"),
    ],
)
def test_schedule_names_the_setting_out_of_range(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()
