"""Capacity documents."""

from dataclasses import replace

import pytest

from monitor.documents.status.capacity import capacity_document

pytestmark = pytest.mark.unit


def test_capacity_document_has_use_and_prediction_of_each_resource(state):
    document = capacity_document(state.capacity)
    disk, memory = document.resources
    assert (disk.name, disk.usage, disk.probability, disk.full_seconds, disk.warning) == (
        "/var",
        0.8,
        0.75,
        43_200,
        True,
    )
    assert (memory.kind, memory.usage, memory.full_seconds) == ("memory", 0.5, None)
    assert document.scores == state.capacity.scores


def test_capacity_document_of_a_short_history_has_no_probability(state):
    disk = state.capacity.resources[0]
    row = replace(disk.row, probability=None, base_rate=None)
    document = capacity_document(replace(state.capacity, resources=(replace(disk, row=row, history=600.0),)))
    assert (document.resources[0].probability, document.resources[0].history) == (None, 600.0)
