"""Model archives: export, import on another host, damaged files."""

import hashlib
import io
import json
import os
import random
import socket
import stat
import time
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.detector import fit_detector
from model.anomaly.serialization import dumps_detector
from model.errors import SerializationError
from model.forecast.predictor import predict_at
from model.forecast.serialization import loads
from model.npz import MAX_BYTES, pack
from monitor.training.model_archive import FORMAT, KIND, pack_archive, unpack_archive
from monitor.training.report import TrainingReport
from storage import SAMPLE_FIELDS, ModelRegistry, SampleRepository, UnknownModelError, open_database

from .conftest import Admin

pytestmark = pytest.mark.integration


def fitted_detector():
    times = 1.7e9 + 60.0 * np.arange(4 * 1440)
    values = np.full((len(times), len(SAMPLE_FIELDS)), np.nan)
    rng = np.random.default_rng(0)
    for name in ("cpu_usage", "memory_usage"):
        noise = np.convolve(rng.normal(size=len(times)), np.ones(5) / 5, "same")
        values[:, SAMPLE_FIELDS.index(name)] = 0.3 + 0.1 * np.sin(2 * np.pi * times / 86400) + 0.02 * noise
    return dumps_detector(fit_detector(times, values, SAMPLE_FIELDS, 60.0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Database of a host: model 1 has no detector, model 2, which serves, has one."""
    trained_host = Admin(tmp_path_factory.mktemp("trained"), None)
    trained_host.fill_and_train()
    with open_database(trained_host.url) as database:
        registry = ModelRegistry(database)
        validation = {"alarms": 0, "days": 0, "monthly": None, "allowed": 2.0}
        detector = {"at": time.time(), "step": 60.0, "metrics": ["cpu_usage"], "validation": validation}
        report = json.dumps(json.loads(registry.record(1).report_json) | {"detector": detector})
        registry.promote(registry.register(registry.blob(1), report, 1_700_000_000.5, fitted_detector()), time.time())
    return trained_host.database.read_bytes()


@pytest.fixture
def exporting(admin, trained):
    admin.database.write_bytes(trained)
    return admin


@pytest.fixture
def importing(tmp_path, capsys):
    """Another host with a history and without a model."""
    directory = tmp_path / "importing"
    directory.mkdir()
    admin = Admin(directory, capsys)
    admin.fill(rows=300, seed=1)
    return admin


@pytest.fixture
def file(exporting):
    path = exporting.directory / "model.npz"
    assert exporting("models", "export", "2", str(path), "--force")[0] == 0
    return path


def registered(admin):
    with open_database(admin.url) as database:
        registry = ModelRegistry(database)
        return [(registry.record(r.id), registry.blob(r.id), registry.detector(r.id)) for r in registry.history()]


def predictions(admin, blob):
    """Return the prediction of a model for the newest sample of a host."""
    predictor = loads(blob)
    with open_database(admin.url) as database:
        rows = SampleRepository(database).between(0.0, 4e9)
    return predict_at(predictor, rows[:, 0], rows[:, 1:], rows[-1:, 0])


def test_import_restores_the_exported_bytes_and_predictions(exporting, importing, file):
    code, out, err = importing("models", "import", str(file))
    assert (code, err) == (0, "")
    assert socket.gethostname() in out.splitlines()[0]
    left, arrived = registered(exporting)[0], registered(importing)[0]
    assert (arrived[1], arrived[2]) == (left[1], left[2])
    assert arrived[0].created_at == left[0].created_at == 1_700_000_000.5
    left_report, arrived_report = (TrainingReport.from_json(model[0].report_json) for model in (left, arrived))
    assert replace(arrived_report, imported_from=None, imported_at=None) == left_report
    np.testing.assert_array_equal(predictions(exporting, arrived[1]), predictions(exporting, left[1]))


def test_imported_model_is_marked_and_serves_only_after_activation(importing, file):
    importing("models", "import", str(file))
    assert json.loads(importing("status", "--json")[1])["model"] is None
    (listed,) = json.loads(importing("models", "list", "--json")[1])
    assert (listed["imported_from"], listed["serving"], listed["promoted_at"]) == (socket.gethostname(), False, None)
    report = json.loads(importing("models", "show", "1", "--json")[1])["report"]
    assert report["imported_at"] == pytest.approx(time.time(), abs=60)
    assert json.loads(importing("models", "activate", "1", "--json")[1]) == {"serving": 1}
    assert importing("predict")[0] == 0


def test_import_does_not_register_a_model_twice(exporting, importing, file):
    assert json.loads(importing("models", "import", str(file), "--json")[1])["duplicate"] is False
    again = importing("models", "import", str(file))
    assert (again[0], len(again[1].splitlines())) == (0, 1)
    assert len(registered(importing)) == 1
    # On the exporting host too, as the model with the detector.
    assert json.loads(exporting("models", "import", str(file), "--json")[1])["model_id"] == 2


def test_import_registers_the_same_predictor_without_detector_as_another_model(exporting, importing, file):
    bare = exporting.directory / "bare.npz"
    exporting("models", "export", "1", str(bare), "--force")
    importing("models", "import", str(file))
    code, out, _ = importing("models", "import", str(bare), "--json")
    assert (code, len(registered(importing))) == (0, 2)
    assert (json.loads(out)["detector"], len(json.loads(out)["notes"])) == (False, 1)


def test_import_accepts_a_model_for_another_task_and_names_the_differences(importing, file):
    importing.config.write_text(importing.config.read_text().replace('["1m", "5m"]', '["2m", "5m"]'))
    code, out, _ = importing("models", "import", str(file), "--json")
    assert (code, json.loads(out)["task_differences"]) == (0, ["horizons"])


def test_archive_keeps_the_training_host_over_several_exports(importing, exporting, file):
    carried = unpack_archive(file.read_bytes())
    file.write_bytes(pack_archive(replace(carried, host="web7")))
    importing("models", "import", str(file))
    hop = importing.directory / "hop.npz"
    importing("models", "export", "1", str(hop))
    assert unpack_archive(hop.read_bytes()).host == "web7"


def test_export_replaces_the_file_atomically_and_leaves_no_other_file(exporting, file):
    file.write_bytes(b"other content")
    assert exporting("models", "export", "1", str(file))[0] == 1
    code, out, _ = exporting("models", "export", "1", str(file), "--force")
    assert (code, out) == (0, f"{file}: model 1, {file.stat().st_size} bytes\n")
    assert unpack_archive(file.read_bytes()).detector is None
    assert sorted(path.name for path in exporting.directory.iterdir() if "model" in path.name) == ["model.npz"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    link = exporting.directory / "link.npz"
    link.symlink_to(file)
    assert exporting("models", "export", "2", str(link), "--force")[0] == 0
    assert (link.is_symlink(), unpack_archive(file.read_bytes()).detector is None) == (True, False)


def test_export_of_the_same_model_gives_the_same_bytes(exporting, file):
    before = file.read_bytes()
    exporting("models", "export", "2", str(file), "--force")
    assert hashlib.sha256(file.read_bytes()).digest() == hashlib.sha256(before).digest()


@pytest.mark.parametrize("place", ["missing/model.npz", "", "pipe"])
def test_export_names_a_path_that_cannot_be_written(exporting, place):
    os.mkfifo(exporting.directory / "pipe")
    path = exporting.directory / place
    code, out, err = exporting("models", "export", "1", str(path))
    assert (code, out) == (1, "")
    assert err.startswith(f"monitor: {path}: ")
    assert len(err.splitlines()) == 1
    assert stat.S_ISFIFO((exporting.directory / "pipe").stat().st_mode)


def test_export_of_an_unknown_model_creates_no_file(exporting):
    code, _, err = exporting("models", "export", "9", str(exporting.directory / "x"))
    assert (code, "there is no model 9" in err) == (1, True)
    assert not (exporting.directory / "x").exists()


def test_export_refuses_a_damaged_model(exporting):
    with open_database(exporting.url) as database:
        ModelRegistry(database).register(b"no model", "{}", 1.0)
    code, _, err = exporting("models", "export", "3", str(exporting.directory / "x"))
    assert (code, "model 3 cannot be exported: not a model" in err) == (1, True)
    assert not (exporting.directory / "x").exists()


def other_header(data, **changed):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {info.filename.removesuffix(".npy"): archive.read(info) for info in archive.infolist()}
    arrays = {name: np.load(io.BytesIO(raw)) for name, raw in names.items()}
    header = json.loads(arrays.pop("header").tobytes()) | changed
    del header["sha256"]
    return pack(header, arrays)


def compressed(data):
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
    return buffer.getvalue()


def with_path(data):
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("../../etc/cron.d/x", b"")
    return buffer.getvalue()


def claiming(data, entries):
    """A table of contents that claims to be as large as that many entries."""
    return data[:-10] + (46 * entries).to_bytes(4, "little") + data[-6:]


DAMAGES = {
    "empty": lambda data: b"",
    "text": lambda data: b"timestamp,cpu_usage\n1,0.5\n",
    "truncated": lambda data: data[: len(data) // 2],
    "without its last byte": lambda data: data[:-1],
    "with a byte appended": lambda data: data + b"x",
    "flipped bit": lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
    "compressed": compressed,
    "path outside the archive": with_path,
    "huge table of contents": lambda data: claiming(data, 2**25),
    "newer format": lambda data: other_header(data, format=FORMAT + 1),
    "no format": lambda data: other_header(data, format=0),
    "bare predictor": lambda data: unpack_archive(data).predictor,
    "other kind": lambda data: other_header(data, kind="prior"),
    "missing part": lambda data: other_header(data, parts={"predictor": "0", "more": "0"}),
    "wrong checksum": lambda data: other_header(data, parts={"predictor": "0" * 64}),
    "no parts": lambda data: other_header(data, parts=[]),
    "time of another type": lambda data: other_header(data, created_at="yesterday"),
    "time beyond the calendar": lambda data: other_header(data, created_at=1e18),
    "report of another type": lambda data: other_header(data, report={"health": 3}),
    "empty report": lambda data: other_header(data, report={}),
    "invalid predictor": lambda data: pack_archive(replace(unpack_archive(data), predictor=b"none")),
    "invalid detector": lambda data: pack_archive(replace(unpack_archive(data), detector=b"none")),
    "pickled": lambda data: pickled(),
}


def pickled():
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([{"kind": KIND}], dtype=object))
    return buffer.getvalue()


@pytest.mark.parametrize("damage", DAMAGES)
def test_import_refuses_a_damaged_file_in_one_line_and_registers_nothing(importing, file, damage):
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    code, out, err = importing("models", "import", str(file))
    assert (code, out) == (1, "")
    assert err.startswith(f"monitor: {file}: ")
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err
    assert registered(importing) == []


def test_import_of_a_newer_format_asks_for_an_upgrade(importing, file):
    file.write_bytes(other_header(file.read_bytes(), format=FORMAT + 1))
    assert "upgrade" in importing("models", "import", str(file))[2]


def test_no_flipped_bit_changes_the_unpacked_content(file):
    data = file.read_bytes()
    whole = unpack_archive(data)
    rng = random.Random(0)
    for place in [*range(60), *(rng.randrange(len(data)) for _ in range(200)), *range(len(data) - 60, len(data))]:
        damaged = bytearray(data)
        damaged[place] ^= 1 << rng.randrange(8)
        try:
            assert unpack_archive(bytes(damaged)) == whole
        except SerializationError:
            continue


@pytest.mark.parametrize("kind", ["missing", "directory", "pipe", "zeros without end", "too large"])
def test_import_refuses_what_is_not_a_file_of_valid_size_without_reading_it_all(importing, kind):
    path = importing.directory / "x"
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "zeros without end":
        path.symlink_to("/dev/zero")
    elif kind == "too large":
        path.touch()
        os.truncate(path, MAX_BYTES + 1)
    code, _, err = importing("models", "import", str(path))
    assert code == 1
    assert err.startswith(f"monitor: {path}: ")


def test_pruning_keeps_an_imported_model_among_the_newest(importing, file):
    importing("models", "import", str(file))
    with open_database(importing.url) as database:
        registry = ModelRegistry(database)
        for number in range(19):
            registry.promote(registry.register(b"%d" % number, "{}", time.time()), time.time())
        registry.prune(20)
        assert registry.record(1).promoted_at is None
        registry.promote(registry.register(b"one more", "{}", time.time()), time.time())
        registry.prune(20)
        with pytest.raises(UnknownModelError):
            registry.record(1)


def test_import_works_during_a_transaction_of_another_process(importing, file):
    with open_database(importing.url) as database, database.reading():
        assert importing("models", "import", str(file))[0] == 0
