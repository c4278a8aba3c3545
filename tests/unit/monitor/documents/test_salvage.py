"""Salvage document."""

from collections import Counter
from pathlib import Path

import pytest

from monitor.documents.salvage import SalvagedRows, salvage_document
from monitor.training.salvage import SalvageResult

pytestmark = pytest.mark.unit


def test_salvage_document_has_the_counts_of_each_kind():
    result = SalvageResult(
        recovered=Counter(models=2, samples=10),
        skipped=Counter(models=1),
        damaged=Counter(samples=3),
        unreadable_pages=4,
        activated=7,
    )
    document = salvage_document(Path("x.damaged"), result)
    assert (document.file, document.unreadable_pages, document.activated) == ("x.damaged", 4, 7)
    assert document.models == SalvagedRows(recovered=2, skipped=1, damaged=0)
    assert document.samples == SalvagedRows(recovered=10, skipped=0, damaged=3)
    assert document.training_runs == SalvagedRows(recovered=0, skipped=0, damaged=0)
