"""A synthetic host without high load, and the anomaly detection job with a clock that the test advances."""

from dataclasses import replace

import numpy as np

from monitor.config.loader import Config
from monitor.config.schema import SamplingSection
from monitor.jobs.anomaly_detection import AnomalyDetectionJob
from storage import SAMPLE_FIELDS, AnomalyRecord

HOUR = 3600.0
DAY = 24 * HOUR
STEP = 60.0
SLOT = HOUR / 2
START = 1_793_491_200.0
TRAINING = 6 * DAY
TRAINING_END = START + TRAINING
CONFIG = replace(Config(), sampling=SamplingSection(interval=STEP))
METRICS = ("cpu_usage", "memory_usage", "disk_busy", "load_per_cpu")
EVENT = AnomalyRecord(
    started_at=0.0,
    ended_at=None,
    peak=0.9,
    peak_at=0.0,
    channel="joint",
    contributions={"cpu_usage": 1.0},
    model_id=1,
)


def samples_between(start, end, seed):
    """Return (samples, 1 + fields): times and values."""
    times = np.arange(start, end, STEP)
    rng = np.random.default_rng(seed)
    samples = np.full((len(times), 1 + len(SAMPLE_FIELDS)), np.nan)
    samples[:, 0] = times
    wave = np.sin(2 * np.pi * times / DAY)
    for name in METRICS:
        noise = np.convolve(rng.normal(size=len(times)), np.ones(5) / 5, "same")
        samples[:, 1 + SAMPLE_FIELDS.index(name)] = 0.3 + 0.1 * wave + 0.02 * noise
    samples[:, 1 + SAMPLE_FIELDS.index("network_receive")] = np.exp(8 + wave + 0.3 * rng.normal(size=len(times)))
    return samples


def training_samples():
    return samples_between(START, TRAINING_END, 0)


def overload(samples):
    """Raise the CPU usage in place."""
    samples[:, 1 + SAMPLE_FIELDS.index("cpu_usage")] += 0.4


def unchanged(samples):
    """Leave the samples as they are."""


class Host:
    """A host whose samples are stored, with the job of its daemon.

    Attributes:
        now: current time in seconds.
        states: states that the job has published.
        started: events whose start the job has reported.
    """

    def __init__(self, stores, config=CONFIG.anomaly, interval=STEP):
        self.stores = stores
        self.interval = interval
        self.now = TRAINING_END
        self.states = []
        self.started = []
        self.restart(config)

    def restart(self, config=CONFIG.anomaly):
        """Replace the job by a new one."""
        self.job = AnomalyDetectionJob(
            self.stores, config, self.interval, self.states.append, self.started.append, lambda: self.now
        )

    def advance(self, seconds, change=unchanged, every=HOUR):
        """Store the samples of a duration, run the job every so many seconds, and return the last state."""
        samples = samples_between(self.now, self.now + seconds, seed=int(self.now) % 1000)
        change(samples)
        end = self.now + seconds
        self.stores.samples.insert_missing(samples)
        while self.now < end:
            self.now = min(self.now + every, end)
            self.job.run()
        return self.states[-1]

    @property
    def thresholds(self):
        """Thresholds of the online detector."""
        return self.job._session._online.thresholds(0)

    @property
    def block_maxima(self):
        """Block maxima of the online detector."""
        return self.thresholds.block_maxima
