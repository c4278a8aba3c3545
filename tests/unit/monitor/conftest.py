"""Fixtures: a complete state of the daemon, and an empty database."""

from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.events import DetectorReading
from model.forecast.events import EventScore
from model.forecast.score_totals import LiveScore, ReliabilityBin
from model.serving import Serving
from monitor.inference.forecast import Forecast
from monitor.queries.capacity import CapacityScore, CapacityState, ResourceState
from monitor.queries.overview import Overview
from monitor.queries.scores import HorizonScore
from monitor.sampling.sampler import SourceState
from monitor.sampling.storage_state import StorageState
from monitor.state import AnomalyState, ChannelState, DaemonState, Histogram, JobState, LiveState
from monitor.stores import open_stores
from monitor.training.records import CompletedRun, RegisteredModel
from monitor.training.report import TrainingReport
from storage import (
    AnomalyRecord,
    CapacityRow,
    ModelPart,
    Prediction,
    ProcessSnapshot,
    ProcessUsage,
    QuarantinedModel,
    Sample,
    TrainingOutcome,
)

NOW = 1_800_000_000.0

SCORE = {"brier": 0.01, "brier_skill": 0.5, "average_precision": 0.75, "calibration_error": 0.02}
REPORT = {
    "version": 2,
    "from": NOW - 100_000,
    "to": NOW - 1000,
    "samples": 17_000,
    "rows": 9000,
    "features": 44,
    "peak_memory_bytes": 150 * 2**20,
    "seconds": 3.25,
    "epochs": [
        {"number": 1, "train_loss": 0.5, "validation_loss": 0.4, "gradient_norm": 0.3},
        {"number": 2, "train_loss": 0.3, "validation_loss": 0.35, "gradient_norm": 0.2},
    ],
    "kept_epoch": 2,
    "folds": 1,
    "health": {
        "state": "healthy",
        "advice": ["layer 3: 62% of units dead: lower the learning rate or use LeakyReLU"],
        "steps": 100,
        "clipped_steps": 3,
        "nonfinite_steps": 0,
        "parameters": [{"name": "0.weight", "norm": 0.1, "norm_last": 0.1, "norm_max": 0.4, "update_ratio": 0.001}],
        "layers": [
            {"name": "1", "dead_ratio": 0.125, "saturation_ratio": None, "mean": 0.5, "deviation": 0.75},
            {"name": "3", "dead_ratio": 0.0, "saturation_ratio": 0.25, "mean": 0.0, "deviation": 0.5},
        ],
    },
    "horizons": [
        {
            "horizon": 300.0,
            "base_rate": 0.1,
            "threshold": 0.6,
            "blend_weights": {"network": 0.75, "load_table": 0.25, "pretrained": 0.0},
            "scores": {
                "network": SCORE,
                "persistence": SCORE,
                "climatology": {**SCORE, "average_precision": None},
            },
        }
    ],
    "left_out": [{"horizon": 3600.0, "reason": "no outcome yet"}],
}

CAPACITY = CapacityState(
    at=NOW,
    threshold=0.7,
    resources=(
        ResourceState(
            "filesystem",
            "/var",
            CapacityRow(1, NOW, 80e9, 80e9, 100e9, 0.25, 0.95, 0.75, 0.7, 43_200.0, 1.0, 0.0, 0.01, warning=True),
            limit=0.95,
            horizon=86_400.0,
            history=864_000.0,
            needed=7200.0,
        ),
        ResourceState(
            "memory",
            "memory",
            CapacityRow(2, NOW, 0.5, 0.625, 1.0, None, 0.95, 0.02, 0.02, None, 0.0, 0.0, 0.01),
            limit=0.95,
            horizon=3600.0,
            history=864_000.0,
            needed=1800.0,
        ),
    ),
    scores=(
        CapacityScore("filesystem", 86_400.0, "model", 1000, 50, 10, 0.02, 0.6, 0.015),
        CapacityScore("filesystem", 86_400.0, "predict_linear", 1000, 50, 10, 0.08, -0.6, 0.08),
        CapacityScore("memory", 3600.0, "model", 12, 0, 0, None, None, None),
    ),
)

TRAINING_REPORT = TrainingReport.from_plain(REPORT)


class ManualClock:
    """Clock that tests set; it starts at 1000 s."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def sample():
    return Sample(
        NOW,
        cpu_usage=0.25,
        cpu_iowait=0.01,
        cpu_steal=0.0,
        load_per_cpu=0.5,
        memory_usage=0.75,
        swap_usage=0.125,
        network_receive=1000.0,
        network_transmit=2000.0,
        network_errors=0.0,
        network_usage=0.001,
        disk_read=4096.0,
        disk_write=8192.0,
        disk_busy=0.5,
        pressure_cpu=0.02,
        pressure_memory=0.0,
        pressure_io=0.03,
    )


SCORE = LiveScore(
    scored=120_000,
    unknown=300,
    base_rate=0.05,
    brier=0.02,
    skill=0.4,
    skill_over_persistence=0.2,
    onset_skill=0.3,
    precision=0.8,
    recall=0.6,
    calibration_error=0.01,
    reliability=(ReliabilityBin(100_000, 0.03, 0.02), ReliabilityBin(20_000, 0.85, 0.8)),
)


EVENT_SCORE = EventScore(
    onsets=(NOW - 5000.0, NOW - 4000.0, NOW - 3000.0, NOW - 2000.0, NOW - 1000.0),
    lead_times=(120.0, 240.0, None, 240.0, 300.0),
    false_warnings=3,
    seconds=3.5 * 86_400,
)


@pytest.fixture
def overview(sample):
    run = CompletedRun(NOW - 900, NOW - 896, TrainingOutcome.PROMOTED, "", 3, TRAINING_REPORT, 7)
    return Overview(
        at=NOW,
        last_sample=sample,
        oldest_sample_at=NOW - 100_000,
        covered=7200.0,
        needed=7200.0,
        predictions=(Prediction(NOW, 300.0, 3, 0.7, 0.1, 0.6, warning=True),),
        model=RegisteredModel(3, NOW - 896, "abcdef0123456789", 12_345, TRAINING_REPORT, NOW - 896),
        last_run=run,
        last_success=run,
        runs={
            TrainingOutcome.PROMOTED: 3,
            TrainingOutcome.REFUSED: 2,
            TrainingOutcome.SKIPPED: 1,
            TrainingOutcome.FAILED: 0,
        },
        next_retrain_at=NOW + 20_700,
        retrain_running=False,
        daemon_running=True,
        storage_bytes=1_048_576,
        wal_bytes=2_097_152,
        storage_free_bytes=8_589_934_592,
        interval=5.0,
        drift={"cpu_usage": 0.05, "memory_usage": 0.5},
        scores=(HorizonScore(300.0, SCORE, EVENT_SCORE),),
    )


@pytest.fixture
def live(sample, overview):
    return LiveState(
        sample=sample,
        sources={"cpu": SourceState(True, 0.0005, ""), "disk": SourceState(False, 0.001, "gone", 3)},
        high_load=True,
        forecast=Forecast(
            overview.predictions,
            (Serving(),) * len(overview.predictions),
            lambda: [{"cpu_usage": 1.5, "load_index": -0.25}],
            inputs=("cpu_usage", "memory_usage"),
        ),
        model_id=3,
        samples_total=100,
        samples_missed=2,
        predictions_total=90,
    )


def damaged(overview):
    """Return an overview with a quarantined model and damaged rows."""
    failed = QuarantinedModel(4, ModelPart.PREDICTOR, NOW - 60, "failed", "ZeroDivisionError: x")
    return replace(overview, quarantined_models=(failed,), damaged_rows={"samples": 2})


@pytest.fixture
def state(live, overview):
    bounds = (("0.001", 5), ("0.01", 9), ("+Inf", 10))
    return DaemonState(
        version="1.2.3",
        python="3.11.0",
        live=live,
        overview=damaged(overview),
        jobs={"sampling_cycle": JobState(10, 1, 2, Histogram(0.25, bounds), Histogram(0.05, bounds), 0.125, NOW - 5)},
        reloaded_at=NOW - 50_000,
        reload_failures=1,
        log_lines_dropped=6,
        channels={"ops": ChannelState(2, {"delivered": 7, "retried": 3}, NOW - 60, NOW - 30)},
        capacity=CAPACITY,
        storage=StorageState(samples_buffered=4, samples_dropped=6, write_failures=5, quarantines=2),
        anomaly=AnomalyState(
            metrics=("cpu_usage", "disk_busy"),
            reading=DetectorReading(
                NOW - 60, 0.995, {"joint": 1.5, "spike": 0.25, "flatline": 0.0}, 2.0, np.array([0.75, 0.25])
            ),
            active=AnomalyRecord(NOW - 600, None, 0.999, NOW - 120, "joint", {"cpu_usage": 1.0}, 3, id=4),
            events=4,
            unconfirmed=3,
            allowed=2.0,
        ),
    )


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """Content of a database file with the current schema and no rows."""
    path = tmp_path_factory.mktemp("empty") / "monitor.db"
    with open_stores(f"sqlite:///{path}"):
        pass
    return path.read_bytes()


@pytest.fixture
def process_snapshot():
    """Snapshot of the processes at the start of a warning."""
    return ProcessSnapshot(
        at=NOW,
        started_at=NOW - 1,
        anomaly_id=None,
        horizon=300.0,
        probability=0.75,
        seconds=1.0,
        visited=9,
        io_hidden=0,
        complete=True,
        processes=(ProcessUsage(7, "java", 1.5, 2**20),),
    )


@pytest.fixture
def stores(tmp_path, empty_database):
    """Repositories of an empty database."""
    path = tmp_path / "monitor.db"
    path.write_bytes(empty_database)
    with open_stores(f"sqlite:///{path}") as opened:
        yield opened
