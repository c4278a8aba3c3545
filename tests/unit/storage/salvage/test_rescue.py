"""Rescue database."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import ModelRegistry, SchemaTooNewError, StorageError, StorageErrorKind, TrainingRunRepository
from storage.salvage import DatabaseImage, TableReader, rescue_models

from .conftest import BLOBS, PAGE, write_page

pytestmark = pytest.mark.unit


def rescued_models(path: Path) -> tuple[list[bytes], int | None, int]:
    """Return the blobs, the active model and the number of training runs of a rescue database."""
    with DatabaseImage(path) as image, rescue_models(TableReader(image), str(path)) as database:
        registry = ModelRegistry(database)
        blobs = [registry.blob(model_id) for model_id in registry.ids()]
        return blobs, registry.active_id(), len(TrainingRunRepository(database).history())


def test_rescue_models_has_models_history_and_runs(file: Path) -> None:
    assert rescued_models(file) == (list(BLOBS), 2, 1)


def test_rescue_models_survives_a_damaged_first_page(file: Path) -> None:
    write_page(file, 1, os.urandom(PAGE))
    assert rescued_models(file) == (list(BLOBS), 2, 1)


@pytest.mark.parametrize("revision", ["0001", "0005", "0008"])
def test_rescue_models_migrates_an_older_schema(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "old.db"
    script = (Path(__file__).parents[3] / "schemas" / f"{revision}.sql").read_text()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(script)
        models = connection.execute("SELECT count(*) FROM models").fetchone()[0]
    with DatabaseImage(path) as image, rescue_models(TableReader(image), str(path)) as database:
        registry = ModelRegistry(database)
        reports = [registry.record(model_id).report_json for model_id in registry.ids()]
        assert registry.active_id() in registry.ids()
    assert models == len(reports)
    assert None not in reports


def test_rescue_models_refuses_a_newer_schema(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaTooNewError, match="schema is revision 9999"):
        rescued_models(file)


def test_rescue_models_refuses_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    with pytest.raises(StorageError) as caught:
        rescued_models(path)
    assert caught.value.kind is StorageErrorKind.FOREIGN_DATABASE
