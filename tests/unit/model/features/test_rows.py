"""Rows of a history, as an array or decoded part by part."""

import numpy as np
import pytest

from model.features import rows
from model.features.rows import column_of, row_chunks, rows_between

pytestmark = pytest.mark.unit

VALUES = np.arange(30.0).reshape(10, 3)


class Decoded:
    """Decoded rows that only slices and columns can be read from."""

    def __len__(self):
        return len(VALUES)

    def __getitem__(self, part):
        assert isinstance(part, slice)
        return VALUES[part].copy()

    def column(self, position):
        return VALUES[:, position].copy()


@pytest.mark.parametrize("values", [VALUES, Decoded()], ids=["array", "decoded"])
def test_parts_and_columns_are_those_of_the_array(values, monkeypatch):
    monkeypatch.setattr(rows, "CHUNK_ROWS", 4)
    inner = rows_between(values, 2, 9)
    assert len(inner) == 7
    assert inner[3:5].tolist() == VALUES[5:7].tolist()
    assert inner[5:].tolist() == VALUES[7:9].tolist()
    assert inner[7:9].tolist() == []
    assert rows_between(inner, 1, 3)[0:9].tolist() == VALUES[3:5].tolist()
    assert column_of(inner, 1).tolist() == VALUES[2:9, 1].tolist()
    chunks = list(row_chunks(inner))
    assert [part for part, _ in chunks] == [slice(0, 4), slice(4, 7)]
    assert np.concatenate([part for _, part in chunks]).tolist() == VALUES[2:9].tolist()
