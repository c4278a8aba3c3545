"""Capacity tasks."""

import pytest

from model.capacity.tasks import TASKS

pytestmark = pytest.mark.unit


def test_tasks_have_history_for_several_horizons():
    for kind, task in TASKS.items():
        assert task.kind == kind
        assert task.history >= 14 * task.horizon
        assert task.min_history >= task.line / 3
