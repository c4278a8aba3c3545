"""Model registry."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import event, update

from storage import Database, ModelRecord, ModelRegistry, StorageError, StorageErrorKind, UnknownModelError
from storage.schema import models

pytestmark = pytest.mark.unit


@pytest.fixture
def registry(database: Database) -> ModelRegistry:
    return ModelRegistry(database)


def register_models(registry: ModelRegistry, number: int) -> list[int]:
    return [registry.register(b"model %d" % i, f'{{"number": {i}}}', 100.0 + i) for i in range(number)]


def test_register_stores_a_model_with_checksum_without_promoting_it(registry: ModelRegistry) -> None:
    report = '{"skill": 0.25, "horizons": [300]}'
    model_id = registry.register(b"bytes", report, 12.5)
    checksum = hashlib.sha256(b"bytes").hexdigest()
    assert registry.record(model_id) == ModelRecord(model_id, 12.5, checksum, 5, report, None)
    assert registry.blob(model_id) == b"bytes"
    assert registry.active_id() is None


def test_register_stores_an_optional_detector(registry: ModelRegistry) -> None:
    without = registry.register(b"bytes", "{}", 1.0)
    with_detector = registry.register(b"bytes", "{}", 2.0, b"detector")
    assert registry.detector(without) is None
    assert registry.detector(with_detector) == b"detector"


def test_find_id_compares_model_and_detector(registry: ModelRegistry) -> None:
    registry.register(b"bytes", "{}", 1.0)
    newest = registry.register(b"bytes", "{}", 2.0)
    with_detector = registry.register(b"bytes", "{}", 3.0, b"detector")
    assert registry.find_id(b"bytes", None) == newest
    assert registry.find_id(b"bytes", b"detector") == with_detector
    assert registry.find_id(b"other", None) is None


def test_promote_makes_the_model_active(registry: ModelRegistry) -> None:
    first, second = register_models(registry, 2)
    registry.promote(first, 200.0)
    assert registry.active_id() == first
    registry.promote(second, 300.0)
    assert registry.active_id() == second
    assert [record.promoted_at for record in registry.history()] == [300.0, 200.0]


def test_previous_id_is_the_newest_earlier_promoted_model(registry: ModelRegistry) -> None:
    first, refused, third = register_models(registry, 3)
    registry.promote(first, 200.0)
    registry.promote(third, 300.0)
    assert [registry.previous_id(model_id) for model_id in (third, refused, first)] == [first, first, None]


def test_rollback_activates_the_previous_model_and_keeps_its_promotion_time(registry: ModelRegistry) -> None:
    first, second = register_models(registry, 2)
    registry.promote(first, 200.0)
    registry.promote(second, 300.0)
    assert registry.rollback(None, 400.0) == first
    assert registry.active_id() == first
    assert registry.record(first).promoted_at == 200.0


def test_rollback_to_a_never_promoted_model_stores_the_time(registry: ModelRegistry) -> None:
    first, second = register_models(registry, 2)
    registry.promote(second, 300.0)
    assert registry.rollback(first, 400.0) == first
    assert registry.record(first).promoted_at == 400.0


def test_rollback_without_previous_model_is_refused(registry: ModelRegistry) -> None:
    with pytest.raises(StorageError) as caught:
        registry.rollback(None, 1.0)
    assert caught.value.kind is StorageErrorKind.NO_PREVIOUS_MODEL
    (only,) = register_models(registry, 1)
    registry.promote(only, 2.0)
    with pytest.raises(StorageError) as caught:
        registry.rollback(None, 3.0)
    assert caught.value.kind is StorageErrorKind.NO_PREVIOUS_MODEL
    assert registry.active_id() == only


@pytest.mark.parametrize("method", ["blob", "record", "detector"])
def test_unknown_model_is_refused(registry: ModelRegistry, method: str) -> None:
    with pytest.raises(UnknownModelError) as caught:
        getattr(registry, method)(9)
    assert caught.value.kind is StorageErrorKind.UNKNOWN_MODEL


def test_promote_and_rollback_refuse_an_unknown_model(registry: ModelRegistry) -> None:
    (model_id,) = register_models(registry, 1)
    registry.promote(model_id, 1.0)
    with pytest.raises(UnknownModelError):
        registry.promote(9, 2.0)
    with pytest.raises(UnknownModelError):
        registry.rollback(9, 2.0)
    assert registry.active_id() == model_id


def test_blob_detects_changed_bytes(database: Database, registry: ModelRegistry) -> None:
    (model_id,) = register_models(registry, 1)
    with database.writing() as connection:
        connection.execute(update(models).values(blob=b"model 1"))
    with pytest.raises(StorageError) as caught:
        registry.blob(model_id)
    assert caught.value.kind is StorageErrorKind.MODEL_DAMAGED


def test_history_is_newest_first_and_reads_no_blobs(database: Database, registry: ModelRegistry) -> None:
    first, second, third = register_models(registry, 3)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert [record.id for record in registry.history()] == [third, second, first]
    assert [record.id for record in registry.history(limit=2)] == [third, second]
    assert statements
    assert not any("blob" in statement for statement in statements)


def test_prune_keeps_newest_active_and_previous_models(registry: ModelRegistry) -> None:
    ids = register_models(registry, 8)
    for model_id in ids[:3]:
        registry.promote(model_id, 1.0)
    assert registry.prune(2) == 4
    assert [record.id for record in registry.history()] == [ids[7], ids[6], ids[2], ids[1]]
    assert registry.prune(2) == 0


def test_prune_without_active_model_keeps_the_newest(registry: ModelRegistry) -> None:
    ids = register_models(registry, 3)
    assert registry.prune(1) == 2
    assert [record.id for record in registry.history()] == ids[2:]


def test_register_never_reuses_the_id_of_a_pruned_model(registry: ModelRegistry) -> None:
    ids = register_models(registry, 2)
    registry.prune(0)
    assert register_models(registry, 1)[0] > ids[-1]


def test_registry_does_not_see_other_hosts(database: Database) -> None:
    first = ModelRegistry(database)
    second = ModelRegistry(database, host_id=2)
    (model_id,) = register_models(first, 1)
    first.promote(model_id, 1.0)
    assert (second.active_id(), second.history(), second.prune(0)) == (None, [], 0)
    with pytest.raises(UnknownModelError):
        second.promote(model_id, 2.0)


FALLBACKS = {"300": {"calm": "current value"}, "900": {"high": "Holt-Winters"}}


def test_set_fallbacks_stores_those_of_the_active_model(registry: ModelRegistry) -> None:
    (model_id,) = register_models(registry, 1)
    assert registry.fallbacks() == {}
    registry.promote(model_id, 200.0)
    registry.set_fallbacks(model_id, FALLBACKS)
    assert registry.fallbacks() == FALLBACKS
    registry.set_fallbacks(model_id, {})
    assert registry.fallbacks() == {}


def test_set_fallbacks_ignores_those_of_another_model(registry: ModelRegistry) -> None:
    first, second = register_models(registry, 2)
    registry.promote(first, 200.0)
    registry.set_fallbacks(second, FALLBACKS)
    assert registry.fallbacks() == {}


def test_fallbacks_end_with_the_promotion_of_another_model(registry: ModelRegistry) -> None:
    first, second = register_models(registry, 2)
    registry.promote(first, 200.0)
    registry.set_fallbacks(first, FALLBACKS)
    registry.promote(first, 250.0)
    assert registry.fallbacks() == FALLBACKS
    registry.promote(second, 300.0)
    assert registry.fallbacks() == {}


def test_inputs_out_of_range_belong_to_the_active_model(registry: ModelRegistry) -> None:
    first, second = register_models(registry, 2)
    assert registry.inputs_out_of_range() == ()
    registry.promote(first, 200.0)
    registry.set_inputs_out_of_range(second, ("cpu_usage",))
    assert registry.inputs_out_of_range() == ()
    registry.set_inputs_out_of_range(first, ("cpu_usage", "memory_usage"))
    assert registry.inputs_out_of_range() == ("cpu_usage", "memory_usage")
    registry.promote(second, 300.0)
    assert registry.inputs_out_of_range() == ()
