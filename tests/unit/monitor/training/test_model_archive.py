"""Model archive: content, checks of untrusted files, import."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.errors import SerializationError
from model.npz import pack
from monitor.config.loader import Config
from monitor.errors import MonitorError
from monitor.stores import open_stores
from monitor.training.bootstrap_model import ensure_bootstrap_model
from monitor.training.model_archive import (
    FORMAT,
    KIND,
    ModelArchive,
    export_model,
    import_model,
    pack_archive,
    unpack_archive,
)
from monitor.training.records import read_model
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

CONFIG = Config()


@pytest.fixture
def archive(stores):
    """Archive of the bootstrap model."""
    ensure_bootstrap_model(stores, CONFIG, NOW)
    model = read_model(stores, 1)
    return ModelArchive(stores.registry.blob(1), None, model.report, NOW, "web1")


@pytest.fixture
def other(tmp_path, empty_database):
    """Repositories of another host."""
    (tmp_path / "other.db").write_bytes(empty_database)
    with open_stores(f"sqlite:///{tmp_path}/other.db") as opened:
        yield opened


def with_header(data, **changed):
    """Return an archive with another header and a valid checksum."""
    with zipfile.ZipFile(io.BytesIO(data)) as content:
        arrays = {
            info.filename.removesuffix(".npy"): np.load(io.BytesIO(content.read(info))) for info in content.infolist()
        }
    header = json.loads(arrays.pop("header").tobytes()) | changed
    del header["sha256"]
    return pack(header, arrays)


def test_unpack_inverts_pack(archive):
    assert unpack_archive(pack_archive(archive)) == archive
    assert pack_archive(archive) == pack_archive(archive)


def test_archive_of_format_1_has_an_unversioned_report(archive):
    plain = archive.report.to_plain()
    task = plain.pop("pretrained")
    del plain["version"]
    data = with_header(pack_archive(archive), format=1, report={**plain, "prior": task, "detector": {}})
    assert unpack_archive(data) == archive


@pytest.mark.parametrize(
    "changed",
    [
        {"format": FORMAT + 1},
        {"kind": "model"},
        {"report": None},
        {"report": {"health": 3}},
        {"created_at": "yesterday"},
        {"created_at": 1e18},
        {"host": 7},
        {"parts": []},
        {"parts": {}},
        {"parts": {"predictor": "0" * 64}},
    ],
)
def test_unpack_refuses_another_header(archive, changed):
    with pytest.raises(SerializationError):
        unpack_archive(with_header(pack_archive(archive), **changed))


@pytest.mark.parametrize("changed", [{"predictor": b"none"}, {"detector": b"none"}])
def test_unpack_refuses_parts_that_cannot_be_loaded(archive, changed):
    with pytest.raises(SerializationError):
        unpack_archive(pack_archive(replace(archive, **changed)))


def test_unpack_limits_the_length_of_the_host_name(archive):
    assert len(unpack_archive(pack_archive(replace(archive, host="x" * 1000))).host) == 255


def test_imported_model_is_registered_once_and_does_not_serve(stores, other, archive, tmp_path):
    path = tmp_path / "model.npz"
    assert export_model(stores, 1, path) == path.stat().st_size
    with pytest.raises(MonitorError):
        export_model(stores, 1, path)
    assert export_model(stores, 1, path, force=True) == path.stat().st_size
    first = import_model(other, CONFIG, path, NOW + 5)
    assert (first.model_id, first.duplicate, first.task_differences) == (1, False, ())
    assert import_model(other, CONFIG, path, NOW + 6).duplicate
    model = read_model(other, 1)
    assert (model.report.imported_at, model.promoted_at, other.registry.active_id()) == (NOW + 5, None, None)
    assert other.registry.blob(1) == archive.predictor


def test_import_names_the_differences_of_the_task(stores, other, archive, tmp_path):
    export_model(stores, 1, tmp_path / "model.npz")
    config = replace(CONFIG, high_load=replace(CONFIG.high_load, sustained=7.0))
    assert import_model(other, config, tmp_path / "model.npz", NOW).task_differences == ("sustained",)


def test_export_refuses_a_model_without_a_usable_report(stores, archive, tmp_path):
    stores.registry.register(archive.predictor, "{}", NOW)
    with pytest.raises(MonitorError):
        export_model(stores, 2, tmp_path / "model.npz")
    assert not (tmp_path / "model.npz").exists()


@pytest.mark.parametrize("content", [b"", b"text"])
def test_import_refuses_another_file(other, tmp_path, content):
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(MonitorError, match=str(path)):
        import_model(other, CONFIG, path, NOW)


@pytest.mark.parametrize("path", [Path("/dev/null"), Path("/nowhere")])
def test_import_refuses_what_is_not_a_file(other, path):
    with pytest.raises(MonitorError, match=str(path)):
        import_model(other, CONFIG, path, NOW)


def test_kind_is_part_of_the_format():
    assert KIND == "model file"
