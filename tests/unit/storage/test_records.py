"""Records of the database."""

from __future__ import annotations

import pytest

from storage import SAMPLE_FIELDS
from storage.records import BYTE_RATE_FIELDS

pytestmark = pytest.mark.unit


def test_sample_fields_contain_all_byte_rates() -> None:
    assert set(SAMPLE_FIELDS) >= BYTE_RATE_FIELDS
