"""Poisoned models: well-formed model rows and model files whose numbers make a model unable to serve."""

import hashlib
import json

import numpy as np

from model.npz import pack, unpack
from tests.faults.injectors.trained import SETTINGS, execute, trained
from tests.faults.table import case

PREVIOUS = "the previous model serves and its predictions are stored; /metrics has no NaN and names that model"
NEWEST_FORMAT = 1_000_000
"""Number above every format of models and model files."""


def infinite(header, arrays):
    """Scale every network, so that its finite weights produce infinite and undefined numbers."""
    for name, array in arrays.items():
        if name.startswith("network."):
            arrays[name] = np.full_like(array, 3e38)


def one_threshold(header, arrays):
    """Leave out the thresholds of all horizons but the first one."""
    header["thresholds"] = header["thresholds"][:1]


def text_thresholds(header, arrays):
    """Store the thresholds as text."""
    header["thresholds"] = [str(threshold) for threshold in header["thresholds"]]


def large_base_rates(header, arrays):
    """Store base rates above 1."""
    header["base_rates"] = [7.0 for _ in header["base_rates"]]


def null_base_rates(header, arrays):
    """Store no base rates."""
    header["base_rates"] = None


def endless_windows(header, arrays):
    """Store windows that would need more memory than any host has."""
    header["spec"]["windows"] = [1e300]


def text_windows(header, arrays):
    """Store the windows as text."""
    header["spec"]["windows"] = "always"


POISONS = (
    infinite,
    one_threshold,
    text_thresholds,
    large_base_rates,
    null_base_rates,
    endless_windows,
    text_windows,
)


def poisoned(blob, poison):
    """Return a serialized model after a change, with correct checksums."""
    header, arrays = unpack(blob, "model", NEWEST_FORMAT)
    arrays = {name: np.array(array) for name, array in arrays.items()}
    poison(header, arrays)
    return pack(header, arrays)


def with_models(lab):
    """Return a stopped daemon with two promoted models, and too little history to train a third one."""
    daemon = lab.daemon(interval=1)
    daemon.set_training(SETTINGS.replace('min_history = "10m"', 'min_history = "20d"'))
    return trained(daemon)


def activate(database, blob):
    """Store a copy of the newest model with another blob, and make it the active model; return its ID."""
    execute(
        database,
        "INSERT INTO models (host_id, created_at, sha256, size, promoted_at, report, blob)"
        " SELECT host_id, created_at, ?, ?, promoted_at, report, ? FROM models ORDER BY id DESC LIMIT 1",
        hashlib.sha256(blob).hexdigest(),
        len(blob),
        blob,
    )
    ((model_id,),) = execute(database, "SELECT max(id) FROM models")
    at = "(SELECT max(at) + 1 FROM activations)"
    execute(database, f"INSERT INTO activations (host_id, model_id, at) SELECT 1, ?, {at}", model_id)
    execute(database, "UPDATE serving SET model_id = ?", model_id)
    return model_id


@case(
    "poisoned models, while running",
    "weights that overflow; thresholds, base rates and windows of wrong types and sizes, made active in the database",
    5,
    PREVIOUS,
)
def poisoned_models_while_running(lab):
    daemon = with_models(lab).start()
    daemon.wait(lambda: serves(daemon, 2))
    ((blob,),) = execute(daemon.database, "SELECT blob FROM models WHERE id = 2")
    for poison in POISONS:
        model_id = activate(daemon.database, poisoned(blob, poison))
        daemon.wait(lambda failed=model_id: is_quarantined(daemon, failed))
        daemon.wait(lambda: serves(daemon, 2))
        ((predictions,),) = execute(daemon.database, "SELECT count(*) FROM predictions WHERE model_id = 2")
        samples = daemon.metric("samples_total")
        daemon.wait(
            lambda stored=predictions: (
                execute(daemon.database, "SELECT count(*) FROM predictions WHERE model_id = 2")[0][0] > stored
            )
        )
        assert daemon.metric("samples_total") > samples
        assert daemon.healthy()
        assert "nan" not in daemon.get("/metrics")[1].lower().split()
        assert execute(daemon.database, "SELECT count(*) FROM predictions WHERE model_id > 2") == [(0,)]
    # The next refresh of the status counts them.
    daemon.wait(lambda: daemon.metric('models_quarantined{part="predictor"}') > 0)
    assert "Traceback" not in daemon.log()
    daemon.assert_stops()


def is_quarantined(daemon, model_id):
    query = "SELECT count(*) FROM quarantined_models WHERE model_id = ? AND part = 'predictor'"
    return execute(daemon.database, query, model_id) == [(1,)]


def serves(daemon, model_id):
    """Return True if /metrics names a model as the serving one."""
    names = [name for name in daemon.metrics() if name.startswith("model_info")]
    return any(f'model_id="{model_id}"' in name for name in names) and daemon.metric("model_ready") == 1


@case(
    "poisoned models, at start",
    "the same models, each one active when the daemon starts",
    5,
    PREVIOUS,
    long=True,
)
def poisoned_models_at_start(lab):
    daemon = with_models(lab)
    ((blob,),) = execute(daemon.database, "SELECT blob FROM models WHERE id = 2")
    for poison in POISONS:
        model_id = activate(daemon.database, poisoned(blob, poison))
        daemon.start()
        daemon.wait(lambda failed=model_id: is_quarantined(daemon, failed))
        daemon.wait(lambda: serves(daemon, 2))
        daemon.assert_stops()


@case(
    "poisoned files for `models import`",
    "the same models in model files with correct checksums",
    8,
    "refused with exit code 1 in one sentence; nothing is stored",
)
def poisoned_model_files(lab):
    daemon = with_models(lab)
    good = lab.directory / "good.model"
    completed = daemon.command("models", "export", "2", str(good))
    assert completed.returncode == 0, completed.stderr
    for poison in POISONS:
        path = lab.directory / f"{poison.__name__}.model"
        path.write_bytes(poisoned_file(good.read_bytes(), poison))
        completed = daemon.command("models", "import", str(path))
        assert completed.returncode == 1, completed.stdout
        assert len(completed.stderr.splitlines()) == 1, completed.stderr
        assert str(path) in completed.stderr
        assert "crashed" not in completed.stderr
    assert execute(daemon.database, "SELECT count(*) FROM models") == [(2,)]


def poisoned_file(content, poison):
    """Return a model file whose predictor is changed, with correct checksums."""
    header, arrays = unpack(content, "model file", NEWEST_FORMAT)
    predictor = poisoned(arrays["predictor"].tobytes(), poison)
    header["parts"]["predictor"] = hashlib.sha256(predictor).hexdigest()
    return pack(json.loads(json.dumps(header)), {**arrays, "predictor": np.frombuffer(predictor, np.uint8)})
