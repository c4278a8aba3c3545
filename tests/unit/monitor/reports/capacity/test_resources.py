"""Capacity lines of the status and the prediction."""

from dataclasses import replace

import pytest

from monitor.documents.status.capacity import capacity_document
from monitor.reports.capacity import capacity_blocks, capacity_lines

pytestmark = pytest.mark.unit


def texts(document):
    return [str(line) for line in capacity_lines(document)]


def test_capacity_lines_have_a_line_per_resource_and_scored_kind(state):
    disk, memory, disk_score, memory_score = texts(capacity_document(state.capacity))
    assert "/var 80% used" in disk
    assert "75%" in disk
    assert disk.endswith("warning")
    assert "memory 50% used" in memory
    assert "skill 0.60" in disk_score
    assert "12 of 96" in memory_score


def test_capacity_lines_name_full_resources_and_short_histories(state):
    document = capacity_document(state.capacity)
    disk = document.resources[0]
    full = replace(document, resources=(replace(disk, usage=0.96),), scores=())
    assert "above 95%" in texts(full)[0]
    short = replace(document, resources=(replace(disk, probability=None, history=600.0),), scores=())
    assert "of 2h of history" in texts(short)[0]
    assert capacity_lines(None) == []


def test_capacity_blocks_have_a_heading_and_a_line_per_resource(state):
    document = capacity_document(state.capacity)
    empty, title, disk, memory = map(str, capacity_blocks(document))
    assert (empty, title) == ("", "file systems and memory")
    assert disk.startswith("/var 80% used")
    assert memory.startswith("memory 50% used")
    assert capacity_blocks(replace(document, resources=())) == ()
