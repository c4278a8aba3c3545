"""Damaged rows and models in the database, and hostile model files."""

import io
import os
import pickle
import subprocess
import time
import zipfile

from tests.faults.injectors.trained import SETTINGS, execute, trained
from tests.faults.table import case

STARTS = "starts, samples and stores; no HTTP 500"
PAGES = ("/metrics", "/", "/api/v1/status", "/api/v1/models", "/api/v1/training", "/-/healthy", "/-/ready")


def with_models(lab):
    """Return a stopped daemon with two promoted models."""
    daemon = lab.daemon(interval=1)
    daemon.set_training(SETTINGS)
    return trained(daemon)


def assert_starts(daemon):
    """Assert that a daemon starts, stores and answers every page."""
    daemon.start()
    for path in PAGES:
        code, _ = daemon.get(path, timeout=90)
        assert code in (200, 404), path
    assert daemon.metrics()["samples_total"] > 0
    assert daemon.healthy()
    completed = daemon.command("status", "--json")
    assert completed.returncode == 0, completed.stderr
    completed = daemon.command("models", "list", "--json")
    assert completed.returncode == 0, completed.stderr
    assert "Traceback" not in daemon.log()
    daemon.assert_stops()


def damaged(lab, *statements):
    """Execute statements in a database with models, and assert that the daemon starts on it."""
    daemon = with_models(lab)
    for statement in statements:
        execute(daemon.database, statement)
    assert_starts(daemon)


def flip_bit(text, position):
    """Return a text with one bit flipped in the byte at a position."""
    data = bytearray(text.encode())
    data[position % len(data)] ^= 1
    return data.decode("utf-8", "replace")


@case("flipped bits in the report of a model", "one bit of the JSON column, at eight positions", 8, STARTS)
def report_bit_of_model(lab):
    flipped_reports(lab, "models")


@case("flipped bits in the report of a training run", "one bit of the JSON column, at eight positions", 8, STARTS)
def report_bit_of_run(lab):
    flipped_reports(lab, "training_runs")


READING_COMMANDS = (("status", "--json"), ("models", "list", "--json"), ("models", "show", "2", "--json"))


def flipped_reports(lab, table):
    daemon = with_models(lab)
    ((row, text),) = execute(daemon.database, f"SELECT rowid, report FROM {table} ORDER BY rowid DESC LIMIT 1")
    for part in range(8):
        changed = flip_bit(text, part * len(text) // 8 + part)
        execute(daemon.database, f"UPDATE {table} SET report = ? WHERE rowid = ?", changed, row)
        codes, messages = daemon.commands(*READING_COMMANDS)
        assert codes[0] in (0, 3), messages
        assert set(codes[1:]) <= {0, 1}, messages
        assert "Traceback" not in messages
        assert "crashed" not in messages
    assert_starts(daemon)


@case("report of the wrong type", "number, blob, empty text and JSON list as reports of models and runs", 8, STARTS)
def report_of_wrong_type(lab):
    damaged(
        lab,
        "UPDATE models SET report = 17 WHERE id = 2",
        "UPDATE models SET report = x'00ff' WHERE id = 1",
        "UPDATE training_runs SET report = '[1, 2]'",
    )


@case("samples of the wrong type", "text and blobs in numeric columns of ten samples", 8, STARTS)
def sample_of_wrong_type(lab):
    damaged(
        lab,
        "UPDATE samples SET cpu_usage = 'text', memory_usage = x'ff' WHERE at IN (SELECT at FROM samples LIMIT 10)",
        "UPDATE samples SET cpu_usage = 9e999 WHERE at IN (SELECT at FROM samples ORDER BY at DESC LIMIT 5)",
    )


@case("sample times of the wrong type", "text as the time of three samples", 8, STARTS)
def sample_time_of_wrong_type(lab):
    damaged(lab, "UPDATE samples SET at = 'noon ' || at WHERE at IN (SELECT at FROM samples ORDER BY at LIMIT 3)")


@case("model rows of the wrong type", "text as times and size of both models", 8, STARTS)
def model_of_wrong_type(lab):
    damaged(lab, "UPDATE models SET created_at = 'yesterday', size = 'large', promoted_at = x'00' WHERE id = 1")


@case("predictions of the wrong type", "text, infinite numbers and missing values", 8, STARTS)
def prediction_of_wrong_type(lab):
    daemon = with_models(lab).start()
    daemon.wait(lambda: execute(daemon.database, "SELECT count(*) FROM predictions")[0][0] > 2)
    daemon.assert_stops()
    execute(daemon.database, "UPDATE predictions SET probability = 'certain' WHERE CAST(at AS INTEGER) % 2")
    execute(daemon.database, "UPDATE predictions SET probability = 9e999 WHERE NOT CAST(at AS INTEGER) % 2")
    assert_starts(daemon)


@case("damaged model", "one bit of the blob of the active model", 5, "the previous version serves")
def blob_bit(lab):
    daemon = with_models(lab)
    ((blob,),) = execute(daemon.database, "SELECT blob FROM models WHERE id = 2")
    changed = bytearray(blob)
    changed[len(blob) // 2] ^= 4
    execute(daemon.database, "UPDATE models SET blob = ? WHERE id = 2", bytes(changed))
    daemon.start()
    daemon.wait(lambda: any('model_id="1"' in name for name in daemon.metrics() if name.startswith("model_info")))
    daemon.assert_stops()


@case("empty and truncated models", "both blobs cut", 5, STARTS)
def blobs_cut(lab):
    damaged(
        lab,
        "UPDATE models SET blob = x'' WHERE id = 2",
        "UPDATE models SET blob = substr(blob, 1, 100) WHERE id = 1",
    )


@case("all models deleted", "DELETE FROM models behind the active one, while running", 5, STARTS, long=True)
def models_deleted(lab):
    daemon = with_models(lab).start()
    execute(daemon.database, "DELETE FROM models")
    daemon.wait_stored(5)
    assert daemon.healthy()
    daemon.assert_stops()
    assert_starts(daemon)


@case("blob of the active model damaged while running", "all bytes set to zero", 5, "the loaded model serves on")
def blob_zeroed_while_running(lab):
    daemon = with_models(lab).start()
    execute(daemon.database, "UPDATE models SET blob = zeroblob(length(blob)) WHERE id = 2")
    daemon.wait_stored(5)
    assert daemon.healthy()
    assert daemon.metric("model_ready") == 1
    daemon.assert_stops()


@case(
    "hostile files for `models import`",
    "random bytes, pickles, archives of 1 GB of zeros, of pickled arrays, of paths",
    8,
    "refused with exit code 1 or 2 in one sentence; nothing is unpickled or written",
)
def hostile_model_files(lab):
    daemon = with_models(lab)
    marker = lab.directory / "executed"
    for number, content in enumerate(hostile_files(marker)):
        path = lab.directory / f"hostile{number}"
        path.write_bytes(content)
        completed = daemon.command("models", "import", str(path))
        assert completed.returncode in (1, 2), number
        assert len(completed.stderr.splitlines()) == 1, completed.stderr
        assert "crashed" not in completed.stderr
    assert not marker.exists()
    assert execute(daemon.database, "SELECT count(*) FROM models") == [(2,)]


class Payload:
    """Object whose unpickling creates a file."""

    def __init__(self, path):
        self._path = str(path)

    def __reduce__(self):
        return (open, (self._path, "w"))


def hostile_files(marker):
    """Return the contents of hostile files."""
    pickled = pickle.dumps(Payload(marker))
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(127) + b"\n"
    huge = b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999,), }".ljust(127)
    return (
        b"",
        os.urandom(10_000),
        pickled,
        archive({"format.npy": header + pickled}),
        archive({"weights.npy": huge + b"\n"}),
        archive({"zeros.npy": bytes(2**30)}),
        archive({"../../escape": b"x", "/etc/escape": b"x"}),
        archive({}),
        archive({f"{number}.npy": b"x" for number in range(10_000)}),
        archive({"format.npy": header})[:-30],
    )


def archive(members):
    """Return a compressed archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


@case(
    "trainer killed",
    "SIGKILL to `monitor retrain` in the first second of training",
    5,
    "the serving model stays; the run is recorded as failed or not at all",
)
def trainer_killed(lab):
    daemon = with_models(lab)
    for delay in (0.7, 1.2, 1.8):
        with subprocess.Popen(daemon.command_line("retrain", "--force"), stderr=subprocess.DEVNULL) as process:
            time.sleep(delay)
            process.kill()
    models = execute(daemon.database, "SELECT count(*) FROM models WHERE promoted_at IS NOT NULL")[0][0]
    assert models >= 2
    assert_starts(daemon)


def assert_trainer_fails(lab, fault, code, settings=SETTINGS):
    """Retrain with a fault in the trainer; assert its exit code, and that the serving model stays."""
    daemon = with_models(lab)
    daemon.set_training(settings)
    completed = daemon.command("retrain", "--force", fault=TRAINER.format(fault=fault))
    assert completed.returncode == code, completed.stderr
    assert execute(daemon.database, "SELECT count(*) FROM models") == [(2,)]
    assert_starts(daemon)


TRAINER = """
import os, time
from monitor.training import retrain
def attempt(*arguments):
    {fault}
retrain._attempt = attempt
"""


@case(
    "trainer out of memory", "MemoryError while `monitor retrain` trains", 5, "exit code 1; the serving model stays"
)
def trainer_out_of_memory(lab):
    assert_trainer_fails(lab, "raise MemoryError", 1)


@case("trainer crashes", "SIGABRT while `monitor retrain` trains", 5, "the serving model stays")
def trainer_crashes(lab):
    assert_trainer_fails(lab, "os.abort()", -6)


@case("trainer hangs", "no end before `training.timeout`", 5, "exit code 1; the serving model stays")
def trainer_hangs(lab):
    assert_trainer_fails(lab, "time.sleep(600)", 1, SETTINGS + 'timeout = "3s"\n')
