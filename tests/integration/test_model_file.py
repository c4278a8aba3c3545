"""A model as a file: it arrives as it left, does not serve by arriving, and what is damaged or strange is named."""

import hashlib
import io
import json
import os
import random
import socket
import stat
import subprocess
import sys
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


def a_detector():
    times = 1.7e9 + 60.0 * np.arange(4 * 1440)
    values = np.full((len(times), len(SAMPLE_FIELDS)), np.nan)
    rng = np.random.default_rng(0)
    for name in ("cpu_usage", "memory_usage"):
        noise = np.convolve(rng.normal(size=len(times)), np.ones(5) / 5, "same")
        values[:, SAMPLE_FIELDS.index(name)] = 0.3 + 0.1 * np.sin(2 * np.pi * times / 86400) + 0.02 * noise
    return dumps_detector(fit_detector(times, values, SAMPLE_FIELDS, 60.0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A database in which model 1 has no detector, and model 2, which serves, has one."""
    made = Admin(tmp_path_factory.mktemp("trained"), None)
    made.fill()
    command = [sys.executable, "-m", "monitor", "--config", str(made.config), "retrain", "--force"]
    subprocess.run(command, check=True, capture_output=True)
    with open_database(made.url) as database:
        registry = ModelRegistry(database)
        validation = {"alarms": 0, "days": 0, "monthly": None, "allowed": 2.0}
        detector = {"at": time.time(), "step": 60.0, "metrics": ["cpu_usage"], "validation": validation}
        report = json.dumps(json.loads(registry.record(1).report_json) | {"detector": detector})
        registry.promote(registry.register(registry.blob(1), report, 1_700_000_000.5, a_detector()), time.time())
    return made.database.read_bytes()


@pytest.fixture
def here(admin, trained):
    admin.database.write_bytes(trained)
    return admin


@pytest.fixture
def there(tmp_path, capsys):
    """Another host, with a history and no model."""
    directory = tmp_path / "there"
    directory.mkdir()
    admin = Admin(directory, capsys)
    admin.fill(rows=300, seed=1)
    return admin


@pytest.fixture
def file(here):
    path = here.directory / "model.npz"
    assert here("models", "export", "2", str(path))[0] == 0
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


def test_a_model_arrives_byte_by_byte_as_it_left_and_predicts_the_same_to_the_last_bit(here, there, file):
    code, out, err = there("models", "import", str(file))
    assert (code, err) == (0, "")
    assert socket.gethostname() in out.splitlines()[0]
    left, arrived = registered(here)[0], registered(there)[0]
    assert (arrived[1], arrived[2]) == (left[1], left[2])
    assert arrived[0].created_at == left[0].created_at == 1_700_000_000.5
    left_report, arrived_report = (TrainingReport.from_json(model[0].report_json) for model in (left, arrived))
    assert replace(arrived_report, imported_from=None, imported_at=None) == left_report
    np.testing.assert_array_equal(predictions(here, arrived[1]), predictions(here, left[1]))


def test_an_imported_model_does_not_serve_is_marked_and_serves_after_a_rollback_to_it(there, file):
    there("models", "import", str(file))
    assert "model       none serves yet" in there("status")[1]
    assert " 1 imported " in there("models", "list")[1]
    assert f"trained on {socket.gethostname()}" in there("models", "show", "1")[1]
    (listed,) = json.loads(there("models", "list", "--json")[1])
    assert (listed["imported_from"], listed["serving"], listed["promoted_at"]) == (socket.gethostname(), False, None)
    report = json.loads(there("models", "show", "1", "--json")[1])["report"]
    assert report["imported_at"] == pytest.approx(time.time(), abs=60)
    assert there("models", "rollback", "1")[:2] == (0, "model 1 serves\n")
    assert " 1 imported serves" in there("models", "list")[1]
    assert there("predict")[0] == 0


def test_a_model_that_is_there_already_is_named_and_not_doubled(here, there, file):
    assert json.loads(there("models", "import", str(file), "--json")[1])["duplicate"] is False
    again = there("models", "import", str(file))
    assert (again[0], len(again[1].splitlines())) == (0, 1)
    assert len(registered(there)) == 1
    # at home, too, and with the detector it left with
    assert json.loads(here("models", "import", str(file), "--json")[1])["model_id"] == 2


def test_the_same_predictor_without_a_detector_is_another_model_and_says_what_it_lacks(here, there, file):
    bare = here.directory / "bare.npz"
    here("models", "export", "1", str(bare))
    there("models", "import", str(file))
    code, out, _ = there("models", "import", str(bare), "--json")
    assert (code, len(registered(there))) == (0, 2)
    assert (json.loads(out)["detector"], len(json.loads(out)["notes"])) == (False, 1)


def test_a_model_for_another_question_is_taken_and_said(there, file):
    there.config.write_text(there.config.read_text().replace('["1m", "5m"]', '["2m", "5m"]'))
    code, out, _ = there("models", "import", str(file), "--json")
    assert (code, json.loads(out)["task_differences"]) == (0, ["horizons"])


def test_a_model_keeps_the_host_that_trained_it_over_every_hop(there, here, file):
    carried = unpack_archive(file.read_bytes())
    file.write_bytes(pack_archive(replace(carried, host="web7")))
    there("models", "import", str(file))
    hop = there.directory / "hop.npz"
    there("models", "export", "1", str(hop))
    assert unpack_archive(hop.read_bytes()).host == "web7"


def test_an_export_replaces_a_file_whole_and_leaves_nothing_beside(here, file):
    file.write_bytes(b"what was there")
    code, out, _ = here("models", "export", "1", str(file))
    assert (code, out) == (0, f"{file}: model 1, {file.stat().st_size} bytes\n")
    assert unpack_archive(file.read_bytes()).detector is None
    assert sorted(path.name for path in here.directory.iterdir() if "model" in path.name) == ["model.npz"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    link = here.directory / "link.npz"
    link.symlink_to(file)
    assert here("models", "export", "2", str(link))[0] == 0
    assert (link.is_symlink(), unpack_archive(file.read_bytes()).detector is None) == (True, False)


def test_the_same_model_gives_the_same_file(here, file):
    before = file.read_bytes()
    here("models", "export", "2", str(file))
    assert hashlib.sha256(file.read_bytes()).digest() == hashlib.sha256(before).digest()


@pytest.mark.parametrize("place", ["missing/model.npz", "", "pipe"])
def test_a_place_that_cannot_be_written_is_named(here, place):
    os.mkfifo(here.directory / "pipe")
    path = here.directory / place
    code, out, err = here("models", "export", "1", str(path))
    assert (code, out) == (1, "")
    assert err.startswith(f"monitor: {path}: ")
    assert len(err.splitlines()) == 1
    assert stat.S_ISFIFO((here.directory / "pipe").stat().st_mode)


def test_an_unknown_model_is_named_and_no_file_made(here):
    code, _, err = here("models", "export", "9", str(here.directory / "x"))
    assert (code, "there is no model 9" in err) == (1, True)
    assert not (here.directory / "x").exists()


def test_a_damaged_model_is_not_exported(here):
    with open_database(here.url) as database:
        ModelRegistry(database).register(b"no model", "{}", 1.0)
    code, _, err = here("models", "export", "3", str(here.directory / "x"))
    assert (code, "model 3 cannot be exported: not a model" in err) == (1, True)
    assert not (here.directory / "x").exists()


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


HARM = {
    "nothing in it": lambda data: b"",
    "text": lambda data: b"timestamp,cpu_usage\n1,0.5\n",
    "the first half": lambda data: data[: len(data) // 2],
    "without its end": lambda data: data[:-1],
    "with something behind it": lambda data: data + b"x",
    "a flipped bit in the middle": lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
    "compressed": compressed,
    "a path that leads out": with_path,
    "a huge table of contents": lambda data: claiming(data, 2**25),
    "another release's format": lambda data: other_header(data, format=FORMAT + 1),
    "no format": lambda data: other_header(data, format=0),
    "a bare model": lambda data: unpack_archive(data).predictor,
    "another kind": lambda data: other_header(data, kind="prior"),
    "parts that are not there": lambda data: other_header(data, parts={"predictor": "0", "more": "0"}),
    "a part of another checksum": lambda data: other_header(data, parts={"predictor": "0" * 64}),
    "no parts": lambda data: other_header(data, parts=[]),
    "a time that is none": lambda data: other_header(data, created_at="yesterday"),
    "a time beyond all times": lambda data: other_header(data, created_at=1e18),
    "a report that is none": lambda data: other_header(data, report={"health": 3}),
    "a report without its tables": lambda data: other_header(data, report={}),
    "a predictor that is none": lambda data: pack_archive(replace(unpack_archive(data), predictor=b"none")),
    "a detector that is none": lambda data: pack_archive(replace(unpack_archive(data), detector=b"none")),
    "pickled": lambda data: pickled(),
}


def pickled():
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([{"kind": KIND}], dtype=object))
    return buffer.getvalue()


@pytest.mark.parametrize("harm", HARM)
def test_a_file_that_is_damaged_or_strange_is_named_in_a_sentence_and_nothing_is_registered(there, file, harm):
    file.write_bytes(HARM[harm](file.read_bytes()))
    code, out, err = there("models", "import", str(file))
    assert (code, out) == (1, "")
    assert err.startswith(f"monitor: {file}: ")
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err
    assert registered(there) == []


def test_a_newer_format_says_what_to_do(there, file):
    file.write_bytes(other_header(file.read_bytes(), format=FORMAT + 1))
    told = f"the model file has format {FORMAT + 1}, this release reads up to {FORMAT}: upgrade monitor"
    assert told in there("models", "import", str(file))[2]


def test_no_flipped_byte_anywhere_changes_what_arrives(file):
    data = file.read_bytes()
    whole = unpack_archive(data)
    rng = random.Random(0)
    for place in [*range(60), *(rng.randrange(len(data)) for _ in range(200)), *range(len(data) - 60, len(data))]:
        harmed = bytearray(data)
        harmed[place] ^= 1 << rng.randrange(8)
        try:
            assert unpack_archive(bytes(harmed)) == whole
        except SerializationError:
            continue


@pytest.mark.parametrize("kind", ["missing", "directory", "pipe", "zeros without end", "too large"])
def test_what_is_no_file_of_that_size_is_refused_without_waiting_or_reading_it_all(there, kind):
    path = there.directory / "x"
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "zeros without end":
        path.symlink_to("/dev/zero")
    elif kind == "too large":
        path.touch()
        os.truncate(path, MAX_BYTES + 1)
    code, _, err = there("models", "import", str(path))
    assert code == 1
    assert err.startswith(f"monitor: {path}: ")


def test_an_imported_model_is_among_the_newest_and_outlives_the_trainings_that_follow(there, file):
    there("models", "import", str(file))
    with open_database(there.url) as database:
        registry = ModelRegistry(database)
        for number in range(19):
            registry.promote(registry.register(b"%d" % number, "{}", time.time()), time.time())
        registry.prune(20)
        assert registry.record(1).promoted_at is None
        registry.promote(registry.register(b"one more", "{}", time.time()), time.time())
        registry.prune(20)
        with pytest.raises(UnknownModelError):
            registry.record(1)


def test_an_import_works_beside_a_transaction_of_the_daemon(there, file):
    with open_database(there.url) as database, database.reading():
        assert there("models", "import", str(file))[0] == 0
