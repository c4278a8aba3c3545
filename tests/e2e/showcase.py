"""Demonstration database: four days of a synthetic host, a model trained on them, and its predictions."""

import subprocess
import sys
from dataclasses import replace

import numpy as np

from model.forecast.predictor import predict_at
from model.forecast.serialization import loads
from monitor.jobs.scoring import score_matured
from monitor.stores import open_stores
from storage import SAMPLE_FIELDS, AnomalyRecord, Prediction, Verdict

DAY = 86400.0
DAYS = 4
STEP = 10.0
BATCH = 2000
"""Times per write."""

PEAK = 0.97
"""Anomaly score of the stored events at their peak."""

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
actions = true
"""


def synthetic_samples(begin, end, seed=0):
    """Return samples of a host with a daily cycle, an export every hour and occasional busy quarters of an hour.

    Returns:
        Array (samples, 1 + fields): time, then the sample fields; missing values are NaN.
    """
    rng = np.random.default_rng(seed)
    at = np.arange(np.ceil(begin / STEP) * STEP, end, STEP)
    day = 0.5 - 0.5 * np.cos(2 * np.pi * (at % DAY) / DAY)
    smooth = np.convolve(rng.normal(size=len(at)), np.ones(60) / 60, "same")
    export = ((at % 3600 > 1200) & (at % 3600 < 1560)) * 1.0
    busy = np.zeros(len(at))
    # The last two busy periods are within the range that the page shows first.
    for start in (*rng.choice(len(at) - 4000, size=len(at) // 1200), len(at) - 1500, len(at) - 500):
        busy[start : start + 180] += np.linspace(0, 1.6, 180)[: len(at) - start]
    load = 0.18 + 0.2 * day + 0.42 * export * (0.6 + 0.4 * day) + 0.4 * busy + 0.25 * smooth
    noise = rng.normal(size=(6, len(at)))
    cpu = np.clip(load + 0.02 * noise[0], 0.01, 1)
    fields = {
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
    columns = [fields.get(name, np.full(len(at), np.nan)) for name in SAMPLE_FIELDS]
    return np.column_stack([at, *columns])


def add_disk_fault(samples, begin, end):
    """Raise the writes and the use of the disk between two times, in place."""
    rows = (samples[:, 0] >= begin) & (samples[:, 0] < end)
    samples[rows, 1 + SAMPLE_FIELDS.index("disk_write")] *= 60
    samples[rows, 1 + SAMPLE_FIELDS.index("disk_busy")] = 0.97


def build(directory, port, now):
    """Write a configuration and a database into a directory, with predictions and scores of the last day.

    Args:
        directory: receives config.toml and monitor.db.
        port: that the daemon will listen on.
        now: end of the history, in seconds since the epoch.

    Returns:
        The path of config.toml.
    """
    database = directory / "monitor.db"
    config = directory / "config.toml"
    config.write_text(CONFIG.format(database=database, port=port))
    samples = synthetic_samples(now - DAYS * DAY, now - STEP)
    # At the start of a row of the detector, so that the first row has the full height.
    fault = (now - 9000) // 60 * 60
    add_disk_fault(samples, fault, fault + 1800)
    with open_stores(f"sqlite:///{database}") as stores:
        stores.samples.insert_missing(samples)
    command = [sys.executable, "-m", "monitor", "--config", str(config), "retrain", "--force"]
    process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert process.returncode == 0, process.stderr
    with open_stores(f"sqlite:///{database}") as stores:
        store_predictions(stores, samples, now - DAY)
        event = AnomalyRecord(
            started_at=fault,
            ended_at=fault + 1800,
            peak=PEAK,
            peak_at=fault + 600,
            channel="joint",
            contributions={"disk_write": 0.6, "disk_busy": 0.3, "memory_usage": 0.1},
            model_id=1,
        )
        earlier = replace(event, started_at=now - 2 * DAY, ended_at=now - 2 * DAY + 600, peak_at=now - 2 * DAY)
        stores.anomalies.add(replace(earlier, verdict=Verdict.EXPECTED, note="backup", verdict_at=now - DAY))
        stores.anomalies.add(event)
        score_matured(stores, loads(stores.registry.blob(1)).spec.rules, STEP, now)
    return config


def store_predictions(stores, samples, since):
    """Store the predictions that the active model would have made since a time."""
    model_id = stores.registry.active_id()
    predictor = loads(stores.registry.blob(model_id)).fused()
    columns = [1 + SAMPLE_FIELDS.index(name) for name in predictor.spec.columns]
    at = samples[samples[:, 0] > since, 0]
    probabilities = predict_at(predictor, samples[:, 0], samples[:, columns], at)
    horizons = list(zip(predictor.horizons, predictor.base_rates, predictor.thresholds, strict=True))
    for start in range(0, len(at), BATCH):
        rows = zip(at[start : start + BATCH], probabilities[start : start + BATCH], strict=True)
        stores.predictions.append(
            [
                Prediction(
                    at=float(time),
                    horizon=horizon,
                    model_id=model_id,
                    probability=float(probability),
                    baseline_probability=base_rate,
                    threshold=threshold,
                    warning=bool(probability >= threshold),
                )
                for time, row in rows
                for (horizon, base_rate, threshold), probability in zip(horizons, row, strict=True)
            ]
        )
