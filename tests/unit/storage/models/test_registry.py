"""Model registry."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import event, update

from storage import (
    Database,
    ModelPart,
    ModelRecord,
    ModelRegistry,
    QuarantinedModel,
    StorageError,
    StorageErrorKind,
    UnknownModelError,
)
from storage.schema import models
from tests.postgresql import ON_SQLITE

pytestmark = pytest.mark.unit


@pytest.fixture
def registry(database: Database) -> ModelRegistry:
    return ModelRegistry(database)


def register_models(registry: ModelRegistry, number: int) -> list[int]:
    return [registry.register(b"model %d" % i, f'{{"number": {i}}}', 100.0 + i) for i in range(number)]


def test_register_keeps_the_time_of_a_promotion_elsewhere(registry: ModelRegistry) -> None:
    model_id = registry.register(b"bytes", "{}", 12.5, promoted_at=20.0)
    assert registry.record(model_id).promoted_at == 20.0
    assert registry.active_id() is None
    assert registry.ids() == [model_id]


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


def test_fallbacks_are_the_models_that_served_before_without_the_refused_ones(registry: ModelRegistry) -> None:
    first, _, third = register_models(registry, 3)
    assert registry.fallback_ids() == []
    registry.promote(first, 200.0)
    assert registry.fallback_ids() == []
    registry.promote(third, 300.0)
    assert registry.fallback_ids() == [first]
    registry.rollback(first, 400.0)
    assert registry.fallback_ids() == [third]


def test_rollback_activates_the_previous_model_and_keeps_its_promotion_time(registry: ModelRegistry) -> None:
    first, second = register_models(registry, 2)
    registry.promote(first, 200.0)
    registry.promote(second, 300.0)
    assert registry.rollback(None, 400.0) == first
    assert registry.active_id() == first
    assert registry.record(first).promoted_at == 200.0


def test_rollback_goes_back_through_the_serving_history(registry: ModelRegistry) -> None:
    first, second, third = register_models(registry, 3)
    for at, model_id in enumerate((first, third, second)):
        registry.promote(model_id, 200.0 + at)
    assert [registry.rollback(None, 400.0), registry.rollback(None, 401.0)] == [third, first]
    with pytest.raises(StorageError):
        registry.rollback(None, 402.0)
    registry.rollback(third, 403.0)
    assert registry.rollback(None, 404.0) == first


def test_quarantine_activates_the_model_that_served_before(registry: ModelRegistry) -> None:
    first, second, third = register_models(registry, 3)
    for model_id in (first, second, third):
        registry.promote(model_id, 200.0)
    failed = QuarantinedModel(third, ModelPart.PREDICTOR, 300.0, "not_finite", "NaN at 300 s")
    assert registry.quarantine(failed) == second
    assert registry.active_id() == second
    assert registry.quarantined() == [failed]
    assert registry.quarantine(failed) == second, "the model does not serve"
    assert registry.rollback(None, 400.0) == first
    assert registry.quarantine(replace(failed, model_id=first)) is None
    assert registry.active_id() is None


def test_activation_ends_the_quarantine(registry: ModelRegistry) -> None:
    first, second = register_models(registry, 2)
    for model_id in (first, second):
        registry.promote(model_id, 200.0)
    registry.quarantine(QuarantinedModel(second, ModelPart.PREDICTOR, 300.0, "raised", "ValueError"))
    assert registry.rollback(second, 400.0) == second
    assert registry.quarantined() == []
    assert registry.rollback(None, 500.0) == first


def test_quarantined_detector_is_replaced_by_that_of_the_model_before(registry: ModelRegistry) -> None:
    ids = [registry.register(b"bytes", "{}", 1.0, b"detector") for _ in range(2)]
    assert registry.detector_model_id() is None
    for model_id in ids:
        registry.promote(model_id, 200.0)
    assert registry.detector_model_id() == ids[1]
    failed = QuarantinedModel(ids[1], ModelPart.DETECTOR, 300.0, "raised", "ValueError")
    assert registry.quarantine(failed) == ids[1], "the predictor still serves"
    assert registry.detector(ids[1]) is None
    assert registry.detector_model_id() == ids[0]
    registry.quarantine(replace(failed, model_id=ids[0]))
    assert registry.detector_model_id() is None


def test_quarantine_of_a_pruned_model_is_deleted(registry: ModelRegistry) -> None:
    first, second = register_models(registry, 2)
    registry.quarantine(QuarantinedModel(first, ModelPart.PREDICTOR, 300.0, "raised", "ValueError"))
    registry.prune(1)
    assert [record.id for record in registry.history()] == [second]
    assert registry.quarantined() == []
    with pytest.raises(UnknownModelError):
        registry.quarantine(QuarantinedModel(first, ModelPart.PREDICTOR, 300.0, "raised", "ValueError"))


@ON_SQLITE
def test_damaged_serving_row_is_replaced_by_the_last_activation(database: Database, registry: ModelRegistry) -> None:
    first, second = register_models(registry, 2)
    for model_id in (first, second):
        registry.promote(model_id, 200.0)
    with database.writing() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        connection.exec_driver_sql("UPDATE serving SET fallbacks = '{', inputs_out_of_range = x'00'")
    assert (registry.serving(), registry.fallbacks()) == ((second, ()), {})
    with database.writing() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql("DROP TABLE serving")
        connection.exec_driver_sql("CREATE TABLE serving (host_id, model_id, fallbacks, inputs_out_of_range)")
        connection.exec_driver_sql("INSERT INTO serving VALUES (1, 'two', NULL, NULL)")
    assert registry.active_id() == second
    assert registry.rollback(None, 300.0) == first
    assert registry.active_id() == first


@ON_SQLITE
def test_damaged_model_row_costs_that_model_only(database: Database, registry: ModelRegistry) -> None:
    first, second, third = register_models(registry, 3)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE models SET created_at = 'x' WHERE id = 2")
        connection.exec_driver_sql("UPDATE models SET report = replace(report, '2', '3') WHERE id = 3")
        connection.exec_driver_sql("UPDATE models SET detector = 'x' WHERE id = 3")
    reports = [(record.id, record.report_json is None) for record in registry.history()]
    assert reports == [(third, True), (first, False)]
    for read, model_id in ((registry.record, second), (registry.detector, third)):
        with pytest.raises(StorageError) as caught:
            read(model_id)
        assert caught.value.kind is StorageErrorKind.MODEL_DAMAGED
    assert database.damaged_rows.counts() == {"models": 1}


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
