"""Models with a valid checksum that cannot serve."""

import hashlib
import json

from model.forecast.serialization.predictors import PREDICTOR_KIND
from model.npz import pack, unpack
from tests.faults.cases.models import with_models
from tests.faults.injectors.trained import execute
from tests.faults.table import case

PREVIOUS = "the previous version serves, also after a restart; `monitor models` and `/metrics` name the failed one"
NEWEST_FORMAT = 99

RAISES = """
from model.forecast.online import OnlineEngine
from model.forecast.online import engine
original = OnlineEngine.model_probabilities
calls = []
def broken(self):
    calls.append(1)
    if len(calls) == 5:
        {fault}
    return original(self)
OnlineEngine.model_probabilities = broken
"""


def changes_of_header():
    """Return functions that change the header of a model: values of wrong types, bounds and sizes."""

    def setting(path, value):
        def change(header):
            target = header
            for key in path[:-1]:
                target = target[key]
            target[path[-1]] = value

        return change

    spec = ("spec",)
    return (
        setting(("thresholds",), ["high", None]),
        setting(("thresholds",), [5.0, 0.5]),
        setting(("base_rates",), [-1.0, 0.5]),
        setting(("base_rates",), [[], {}]),
        setting(("horizons",), [10.0, 5.0]),
        setting((*spec, "windows"), [1e15]),
        setting((*spec, "windows"), list(range(1, 100_000))),
        setting((*spec, "windows"), "all"),
        setting((*spec, "step"), 0),
        setting((*spec, "step"), 1e-9),
        setting((*spec, "sustained"), "long"),
        setting((*spec, "rules"), [[["cpu_usage", 0]]]),
        setting((*spec, "inputs"), ["no_such_metric"]),
    )


def overflow(header, arrays):
    """Multiply the weights of the networks so that a prediction is not finite."""
    for name, array in arrays.items():
        if "network" in name and array.dtype == "<f4":
            array[...] = 3e38


def poisoned(blob, change_header=lambda _: None, change_arrays=lambda *_: None):
    """Return a model with changes and a valid checksum."""
    header, arrays = unpack(blob, PREDICTOR_KIND, NEWEST_FORMAT)
    change_header(header)
    change_arrays(header, arrays)
    return pack(header, arrays)


def poisoned_blobs(daemon):
    """Return variants of the active model of a stopped daemon that cannot serve."""
    ((blob,),) = execute(daemon.database, "SELECT blob FROM models WHERE id = 2")
    changed = [poisoned(blob, change) for change in changes_of_header()]
    return [*changed, poisoned(blob, change_arrays=overflow)]


def replace_active(daemon, blob):
    """Store another blob with its checksum as the active model."""
    values = (blob, hashlib.sha256(blob).hexdigest(), len(blob))
    execute(daemon.database, "UPDATE models SET blob = ?, sha256 = ?, size = ? WHERE id = 2", *values)


def serving(daemon):
    """Return the ID of the serving model from /metrics; no number on the page may be NaN or infinite."""
    page = daemon.get("/metrics")[1]
    assert "NaN" not in page
    assert " +Inf\n" not in page
    return next((name.split('model_id="')[1].split('"')[0] for name in daemon.metrics() if "model_info{" in name), "")


def assert_previous_serves(daemon):
    """Assert that model 1 serves and model 2 is quarantined."""
    daemon.wait(lambda: serving(daemon) == "1")
    daemon.wait(lambda: daemon.metric('models_quarantined{part="predictor"}') == 1, 90)
    models = json.loads(daemon.command("models", "list", "--json").stdout)
    assert [(model["id"], model["serving"], model["quarantined"]) for model in models] == [
        (2, False, ["predictor"]),
        (1, True, []),
    ]


@case(
    "poisoned models",
    "thresholds, rates, windows, rules and weights of wrong types, bounds and sizes, with a valid checksum",
    5,
    PREVIOUS,
)
def poisoned_active_model(lab):
    daemon = with_models(lab)
    blobs = poisoned_blobs(daemon)
    for blob in (blobs[0], blobs[5], blobs[-1]):
        replace_active(daemon, blob)
        execute(daemon.database, "UPDATE serving SET model_id = 2")
        execute(daemon.database, "DELETE FROM quarantined_models")
        execute(daemon.database, "UPDATE activations SET undone = 0")
        daemon.start()
        assert_previous_serves(daemon)
        daemon.assert_stops()


@case("poisoned files for `models import`", "the same changes in a model file", 8, "refused in one sentence, exit 1")
def poisoned_model_files(lab):
    daemon = with_models(lab)
    path = lab.directory / "model.npz"
    assert daemon.command("models", "export", "2", str(path)).returncode == 0
    header, arrays = unpack(path.read_bytes(), "model file", NEWEST_FORMAT)
    for number, blob in enumerate(poisoned_blobs(daemon)):
        arrays["predictor"] = as_bytes(blob)
        parts = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}
        path.write_bytes(pack({**header, "parts": parts}, arrays))
        completed = daemon.command("models", "import", str(path))
        assert completed.returncode == 1, number
        assert len(completed.stderr.splitlines()) == 1, completed.stderr
        assert "crashed" not in completed.stderr
    assert execute(daemon.database, "SELECT count(*) FROM models") == [(2,)]


def as_bytes(blob):
    import numpy as np  # noqa: PLC0415 - only this case needs it

    return np.frombuffer(blob, np.uint8)


def fails_while_serving(lab, fault):
    daemon = with_models(lab)
    daemon.start(fault=RAISES.format(fault=fault))
    assert_previous_serves(daemon)
    assert daemon.healthy()
    daemon.assert_stops()
    daemon.start()
    assert serving(daemon) in ("", "1")
    daemon.wait(lambda: serving(daemon) == "1")
    assert daemon.command("models", "activate", "2").returncode == 0
    daemon.wait(lambda: serving(daemon) == "2", 90)
    assert daemon.command("models", "rollback").returncode == 0
    daemon.wait(lambda: serving(daemon) == "1", 90)
    daemon.assert_stops()


@case("model raises while it serves", "ZeroDivisionError in the fifth prediction", 5, PREVIOUS)
def model_raises(lab):
    fails_while_serving(lab, "raise ZeroDivisionError")


@case("model returns NaN while it serves", "NaN as the fifth prediction", 5, PREVIOUS)
def model_returns_nan(lab):
    fails_while_serving(lab, "return original(self) * float('nan')")
