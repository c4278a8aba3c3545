"""Reports of benchmarks: changes against the record."""

import json

import pytest

from benchmarks.report import Figure, with_record

pytestmark = pytest.mark.unit


def test_figures_state_their_change_against_the_record(tmp_path):
    path = tmp_path / "record.json"
    first = with_record([Figure("CPU", 0.2), Figure("PSS", 60.0)], path, record=True)
    assert [figure.change for figure in first] == ["", ""]
    assert json.loads(path.read_text()) == {"CPU": 0.2, "PSS": 60.0}
    second = with_record([Figure("CPU", 0.25), Figure("new", 1.0)], path, record=False)
    assert [figure.change for figure in second] == ["   +25% against 0.200", ""]
    assert json.loads(path.read_text()) == {"CPU": 0.2, "PSS": 60.0}
