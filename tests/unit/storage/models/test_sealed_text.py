"""Sealed text."""

from __future__ import annotations

import json

import pytest

from storage.models.sealed_text import seal, unseal

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("text", ["{}", '{"a": [1, 2.5, "ü"]}', ""])
def test_unseal_returns_the_sealed_text(text: str) -> None:
    assert unseal(seal(text)) == text


def test_seal_returns_json() -> None:
    assert json.loads(seal('{"a": 1}'))["report"] == {"a": 1}


def test_unseal_detects_every_flipped_bit() -> None:
    sealed = seal('{"a": 1}').encode()
    for position in range(len(sealed)):
        for bit in range(8):
            damaged = bytearray(sealed)
            damaged[position] ^= 1 << bit
            assert unseal(damaged.decode(errors="replace")) is None


@pytest.mark.parametrize("stored", [None, 1.5, b"{}", "{}", ""])
def test_unseal_returns_none_for_other_values(stored: object) -> None:
    assert unseal(stored) is None
