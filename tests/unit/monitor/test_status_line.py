"""Tests of the one-line summaries of the daemon's state."""

from dataclasses import replace

import pytest

from monitor.status_line import model_line, status_line

pytestmark = pytest.mark.unit


def test_status_line_states_model_and_predictions(live, overview):
    line = status_line(replace(live, samples_buffered=0), overview)
    assert line == "sampling; model 3 serves; high load: 70% within 5 min (warning)"


def test_status_line_states_buffered_samples_and_missing_model(live):
    line = status_line(replace(live, forecast=None, model_id=None), None)
    assert line == "sampling; 4 samples wait for the database; no model serves yet"


def test_model_line_states_what_the_first_training_waits_for(live, overview):
    young = replace(overview, model=None, covered=720.0)
    assert model_line(None, young) == "no model serves yet: not enough history: 12 min of the 2 h it needs"
    assert model_line(live, young).startswith("model 3 serves until there is one of this host: not enough history")
