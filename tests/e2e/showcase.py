"""A database of some days of a made-up host, with a model trained on it and what that model would have said since."""

import subprocess
import sys

import numpy as np

from model.forecast.predictor import predict_at
from model.forecast.serialization import loads
from monitor.jobs.scoring import score_matured
from monitor.stores import open_stores
from storage import SAMPLE_FIELDS, AnomalyRecord, Prediction

DAY, STEP = 86400.0, 10.0
DAYS = 4

CONFIG = """
[sampling]
interval = "10s"
[storage]
url = "sqlite:///{database}"
[high_load]
rules = [{{ cpu_usage = 0.8 }}]
sustained = "30s"
[training]
networks = 2
epochs = 8
layers = [24, 12]
[web]
listen = "127.0.0.1:{port}"
"""


def host(begin, end, seed=0):
    """(samples, 1 + fields): days and nights, an export at twenty past each hour, now and then a busy quarter."""
    rng = np.random.default_rng(seed)
    at = np.arange(np.ceil(begin / STEP) * STEP, end, STEP)
    day = 0.5 - 0.5 * np.cos(2 * np.pi * (at % DAY) / DAY)
    smooth = np.convolve(rng.normal(size=len(at)), np.ones(60) / 60, "same")
    export = ((at % 3600 > 1200) & (at % 3600 < 1560)) * 1.0
    busy = np.zeros(len(at))
    # the last two are in the hours that are looked at
    for start in (*rng.choice(len(at) - 4000, size=len(at) // 1200), len(at) - 1500, len(at) - 500):
        busy[start : start + 180] += np.linspace(0, 1.6, 180)[: len(at) - start]
    load = 0.18 + 0.2 * day + 0.42 * export * (0.6 + 0.4 * day) + 0.4 * busy + 0.25 * smooth
    noise = rng.normal(size=(6, len(at)))
    cpu = np.clip(load + 0.02 * noise[0], 0.01, 1)
    given = {
        "cpu_usage": cpu,
        "cpu_iowait": np.clip(0.01 + 0.05 * export + 0.004 * noise[1], 0, 1),
        "load_per_cpu": np.clip(np.convolve(cpu, np.ones(6) / 6, "same") * 1.3, 0, None),
        "memory_usage": np.clip(0.52 + 0.08 * day + 0.05 * busy.clip(0, 1) + 0.004 * noise[2], 0, 1),
        "network_receive": np.exp(12 + 2 * cpu + 0.2 * noise[3]),
        "network_transmit": np.exp(11 + 2.4 * cpu + 0.2 * noise[4]),
        "disk_busy": np.clip(0.05 + 0.5 * export + 0.03 * noise[5], 0, 1),
        "disk_write": np.exp(11 + 3 * export + 0.2 * noise[1]),
        "pressure_cpu": np.clip((cpu - 0.6) * 0.8 + 0.01 * noise[2], 0, 1),
    }
    columns = [given.get(name, np.full(len(at), np.nan)) for name in SAMPLE_FIELDS]
    return np.column_stack([at, *columns])


def build(directory, port, now):
    """Writes configuration and database into a directory; what the model would have said is of the last day."""
    database, config = directory / "monitor.db", directory / "config.toml"
    config.write_text(CONFIG.format(database=database, port=port))
    table = host(now - DAYS * DAY, now - STEP)
    with open_stores(f"sqlite:///{database}") as stores:
        stores.samples.insert_missing(table)
    command = [sys.executable, "-m", "monitor", "--config", str(config), "retrain", "--force"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    with open_stores(f"sqlite:///{database}") as stores:
        _say(stores, table, now - DAY)
        seen = AnomalyRecord(
            now - 9000, now - 7200, 0.97, now - 8400, "joint", {"memory_usage": 0.7, "disk_busy": 0.3}, 1
        )
        stores.anomalies.add(seen)
        score_matured(stores, loads(stores.registry.blob(1)).spec.rules, STEP, now)
    return config


def _say(stores, table, since):
    model_id = stores.registry.active_id()
    predictor = loads(stores.registry.blob(model_id)).fused()
    columns = [1 + SAMPLE_FIELDS.index(name) for name in predictor.spec.columns]
    at = table[table[:, 0] > since, 0]
    said = predict_at(predictor, table[:, 0], table[:, columns], at)
    for start in range(0, len(at), 2000):
        stores.predictions.append(
            [
                Prediction(float(moment), horizon, model_id, float(p), base, threshold)
                for moment, row in zip(at[start : start + 2000], said[start : start + 2000], strict=True)
                for horizon, p, base, threshold in zip(
                    predictor.horizons, row, predictor.base_rates, predictor.thresholds, strict=True
                )
            ]
        )
