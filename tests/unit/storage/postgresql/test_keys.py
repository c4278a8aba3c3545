"""Keys of advisory locks."""

import pytest

from storage.postgresql.keys import lock_key

pytestmark = pytest.mark.unit


def test_keys_of_other_scopes_and_names_differ() -> None:
    keys = {lock_key(scope, name) for scope in ("monitor_a", "monitor_b") for name in ("daemon", "write")}
    assert len(keys) == 4


def test_key_is_the_same_in_every_process() -> None:
    # The processes of two releases must exclude each other.
    assert lock_key("monitor_a", "daemon") == 6657638540768552499
    assert all(-(2**63) <= lock_key("x", str(number)) < 2**63 for number in range(100))
