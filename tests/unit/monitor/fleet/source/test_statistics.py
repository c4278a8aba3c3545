"""Source statistics: counts over steps, and the state of the last one."""

import pytest

from monitor.fleet.source.answers import AnswerNotes
from monitor.fleet.source.statistics import FieldOutcome, SourceStatistics

pytestmark = pytest.mark.unit


def test_counts_add_up_and_states_are_replaced():
    notes = AnswerNotes(("w",), is_partial=True, ignored=2, duplicates=(("a", "{x}"),))
    first = (FieldOutcome("cpu_usage", "boom"), FieldOutcome("memory_usage", notes=notes, rejected=3))
    second = (FieldOutcome("cpu_usage"), FieldOutcome("memory_usage", rejected=1))
    after_first = SourceStatistics().with_outcomes(first)
    assert (after_first.errors, after_first.duplicate_labels) == ({"cpu_usage": "boom"}, {"a": "{x}"})
    assert after_first.last_warnings == ("w",)
    statistics = after_first.with_outcomes(second)
    assert statistics.queries == {"cpu_usage": 2, "memory_usage": 2}
    assert statistics.failures == {"cpu_usage": 1}
    assert statistics.rejected == {"memory_usage": 4}
    assert (statistics.duplicates, statistics.ignored, statistics.partial, statistics.warnings) == (1, 2, 1, 1)
    assert (statistics.errors, statistics.duplicate_labels, statistics.last_warnings) == ({}, {}, ())
