"""The models and the pointer to the one that serves."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import event, update

from storage import Database, ModelRecord, ModelRegistry, StorageError, UnknownModelError
from storage.schema import models

pytestmark = pytest.mark.unit


@pytest.fixture
def registry(database: Database) -> ModelRegistry:
    return ModelRegistry(database)


def registered(registry: ModelRegistry, number: int) -> list[int]:
    return [registry.register(b"model %d" % i, f'{{"number": {i}}}', 100.0 + i) for i in range(number)]


def test_a_registered_model_is_kept_with_its_checksum_and_does_not_serve(registry: ModelRegistry) -> None:
    model_id = registry.register(b"bytes", '{"skill": 0.25, "horizons": [300]}', 12.5)
    checksum = hashlib.sha256(b"bytes").hexdigest()
    expected = ModelRecord(model_id, 12.5, checksum, 5, '{"skill": 0.25, "horizons": [300]}', None)
    assert registry.record(model_id) == expected
    assert registry.blob(model_id) == b"bytes"
    assert registry.active_id() is None


def test_the_model_promoted_last_serves(registry: ModelRegistry) -> None:
    first, second = registered(registry, 2)
    registry.promote(first, 200.0)
    assert registry.active_id() == first
    registry.promote(second, 300.0)
    assert registry.active_id() == second
    assert [record.promoted_at for record in registry.history()] == [300.0, 200.0]


def test_the_previous_model_is_the_newest_earlier_one_that_served(registry: ModelRegistry) -> None:
    first, refused, third = registered(registry, 3)
    registry.promote(first, 200.0)
    registry.promote(third, 300.0)
    assert [registry.previous_id(one) for one in (third, refused, first)] == [first, first, None]


def test_a_rollback_goes_to_the_previous_model_and_leaves_its_history_alone(registry: ModelRegistry) -> None:
    first, second = registered(registry, 2)
    registry.promote(first, 200.0)
    registry.promote(second, 300.0)
    assert registry.rollback(None, 400.0) == first
    assert registry.active_id() == first
    assert registry.record(first).promoted_at == 200.0


def test_a_rollback_to_a_model_that_never_served_notes_when_it_began(registry: ModelRegistry) -> None:
    first, second = registered(registry, 2)
    registry.promote(second, 300.0)
    assert registry.rollback(first, 400.0) == first
    assert registry.record(first).promoted_at == 400.0


def test_a_rollback_needs_somewhere_to_go(registry: ModelRegistry) -> None:
    with pytest.raises(StorageError, match="no model is active"):
        registry.rollback(None, 1.0)
    (only,) = registered(registry, 1)
    registry.promote(only, 2.0)
    with pytest.raises(StorageError, match=f"no model was active before model {only}"):
        registry.rollback(None, 3.0)
    assert registry.active_id() == only


@pytest.mark.parametrize("method", ["blob", "record"])
def test_a_model_that_is_not_there_is_named(registry: ModelRegistry, method: str) -> None:
    with pytest.raises(UnknownModelError, match="there is no model 9"):
        getattr(registry, method)(9)


def test_an_unknown_model_is_neither_promoted_nor_rolled_back_to(registry: ModelRegistry) -> None:
    (model_id,) = registered(registry, 1)
    registry.promote(model_id, 1.0)
    with pytest.raises(UnknownModelError):
        registry.promote(9, 2.0)
    with pytest.raises(UnknownModelError):
        registry.rollback(9, 2.0)
    assert registry.active_id() == model_id


def test_a_flipped_bit_in_a_model_is_noticed(database: Database, registry: ModelRegistry) -> None:
    (model_id,) = registered(registry, 1)
    with database.writing() as connection:
        connection.execute(update(models).values(blob=b"model 1"))
    with pytest.raises(StorageError, match=f"model {model_id} is damaged"):
        registry.blob(model_id)


def test_the_history_is_newest_first_bounded_and_reads_no_bytes(database: Database, registry: ModelRegistry) -> None:
    first, second, third = registered(registry, 3)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert [record.id for record in registry.history()] == [third, second, first]
    assert [record.id for record in registry.history(limit=2)] == [third, second]
    assert statements
    assert not any("blob" in statement for statement in statements)


def test_prune_keeps_the_newest_the_serving_and_the_one_to_roll_back_to(registry: ModelRegistry) -> None:
    ids = registered(registry, 8)
    for model_id in ids[:3]:
        registry.promote(model_id, 1.0)
    assert registry.prune(2) == 4
    assert [record.id for record in registry.history()] == [ids[7], ids[6], ids[2], ids[1]]
    assert registry.prune(2) == 0


def test_prune_without_a_serving_model_keeps_the_newest(registry: ModelRegistry) -> None:
    ids = registered(registry, 3)
    assert registry.prune(1) == 2
    assert [record.id for record in registry.history()] == ids[2:]


def test_the_id_of_a_pruned_model_is_never_used_again(registry: ModelRegistry) -> None:
    ids = registered(registry, 2)
    registry.prune(0)
    assert registered(registry, 1)[0] > ids[-1]


def test_hosts_do_not_see_each_other(database: Database) -> None:
    here, there = ModelRegistry(database), ModelRegistry(database, host_id=2)
    (model_id,) = registered(here, 1)
    here.promote(model_id, 1.0)
    assert (there.active_id(), there.history(), there.prune(0)) == (None, [], 0)
    with pytest.raises(UnknownModelError):
        there.promote(model_id, 2.0)


def test_what_serves_instead_is_noted_of_the_serving_model_alone(registry: ModelRegistry) -> None:
    first, second = registered(registry, 2)
    assert registry.fallbacks() == {}
    registry.promote(first, 200.0)
    assert registry.fallbacks() == {}
    instead = {"300": {"calm": "current value"}, "900": {"high": "Holt-Winters"}}
    registry.set_fallbacks(second, instead)
    assert registry.fallbacks() == {}
    registry.set_fallbacks(first, instead)
    assert registry.fallbacks() == instead
    registry.promote(first, 250.0)
    assert registry.fallbacks() == instead
    registry.set_fallbacks(first, {})
    assert registry.fallbacks() == {}
    registry.set_fallbacks(first, instead)
    registry.promote(second, 300.0)
    assert registry.fallbacks() == {}
