"""The sections of config.toml: every key with its default, how it is read, and what it means.

The one place of a key: the parser, the commented config.toml and `check-config` are made from these fields.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from model.nn.activations import ACTIVATIONS
from model.nn.fit_config import FitConfig
from model.nn.optimizers import OPTIMIZERS
from model.nn.schedules import SCHEDULES
from model.training.settings import GateConfig, Recipe
from model.units import DAY, HOUR
from monitor.config.fields import (
    choice,
    duration,
    durations,
    integer,
    integers,
    number,
    option,
    rules,
    string,
    switch,
    texts,
)
from monitor.config.maintenance_windows import RecurringWindow, format_windows, parse_windows
from monitor.sampling.sources import SOURCES

_RECIPE, _FIT, _GATE = Recipe(), FitConfig(), GateConfig()


@dataclass(frozen=True)
class SamplingConfig:
    """[sampling]."""

    interval: float = duration(5.0, "Time between two samples, 1s or more; default 5s.", least=1.0)
    sources: tuple[str, ...] = texts(
        tuple(SOURCES), f"What is read from the host; default all: {', '.join(SOURCES)}.", allowed=tuple(SOURCES)
    )
    network_exclude: tuple[str, ...] = texts(
        (),
        'Network interfaces left out beside loopback and virtual ones, as shell patterns, e.g. ["wg*"];\n'
        "default none.",
        example=("wg*",),
    )


@dataclass(frozen=True)
class StorageConfig:
    """[storage]."""

    url: str = string(
        "",
        "Where history is kept, e.g. sqlite:////srv/monitor/monitor.db. Default (empty): monitor.db in\n"
        "$STATE_DIRECTORY (set by systemd), or in /var/lib/monitor for root, or in the user's state directory.",
        pattern=r"|sqlite:///.+",
        example="sqlite:////srv/monitor/monitor.db",
    )
    retention: float = duration(90 * DAY, "How long samples and predictions are kept; default 90d.", least=HOUR)


@dataclass(frozen=True)
class HighLoadConfig:
    """[high_load]."""

    rules: tuple[tuple[tuple[str, float | str], ...], ...] = rules(
        ((("cpu_usage", 0.85),), (("cpu_usage", 0.60), ("memory_usage", 0.80))),
        "What high load is: a list of tables of bounds. A sample is high when all bounds of any one table are\n"
        'reached. A bound is a number, or a quantile of the training data such as "p95".',
    )
    sustained: float = duration(60.0, "How long that must last to count; default 1m. 0s counts every sample.")
    horizons: tuple[float, ...] = durations(
        (300.0, 900.0, 3600.0), 'How far ahead is predicted; default ["5m", "15m", "1h"].'
    )


@dataclass(frozen=True)
class WarningConfig:
    """[warning]."""

    precision: float = number(
        0.8, "The share of warnings that must come true: it sets the threshold; ratio, default 0.8.", above=0, most=1
    )


@dataclass(frozen=True)
class TrainingConfig:
    """[training]."""

    interval: float = duration(
        14 * DAY,
        "Longest time between two scheduled retrainings; default 14d. A young model is renewed sooner: whenever its\n"
        "history has grown by a quarter.",
        least=10.0,
    )
    history: float = duration(90 * DAY, "How much of the past a training looks at; default 90d.", least=10.0)
    min_history: float = duration(2 * HOUR, "Samples needed before the first training; default 2h.", least=10.0)
    networks: int = integer(
        _RECIPE.networks,
        "Networks that are trained; what they say is averaged. Some of them look at yesterday and the past days\n"
        "too; default 8.",
        least=1,
    )
    layers: tuple[int, ...] = integers(_RECIPE.layers, "Units of each hidden layer; default [64, 32].")
    activation: str = choice(
        _RECIPE.activation, tuple(ACTIVATIONS), f"Between the layers: {', '.join(ACTIVATIONS)}; default relu."
    )
    optimizer: str = choice("adamw", tuple(OPTIMIZERS), f"One of {', '.join(OPTIMIZERS)}; default adamw.")
    learning_rate: float = number(_FIT.learning_rate, "Largest step; default 0.002.", above=0, most=10)
    schedule: str = choice(
        "cosine", tuple(SCHEDULES), f"How the learning rate moves: {', '.join(SCHEDULES)}; default cosine."
    )
    epochs: int = integer(_FIT.epochs, "Passes over the training data at most; default 16.", least=1)
    batch_size: int = integer(_FIT.batch_size, "Rows a step at most; default 256.", least=1)
    weight_decay: float = number(
        _FIT.weight_decay,
        "Decoupled weight decay; adamw only, the others have none. Default 0.01.",
        least=0,
        most=1,
    )
    dropout: float = number(
        _RECIPE.dropout, "Share of hidden units left out at each step; default 0.15.", least=0, most=0.9
    )
    gradient_clip: float = number(
        _FIT.gradient_clip, "Largest L2 norm of a step's gradient, 0 for none; default 5.", least=0
    )
    patience: int = integer(
        0,
        "Epochs without a better loss on the newest fifth of the history before a network stops; its best\n"
        "epoch is then kept. Default 0: it goes through all epochs and keeps the last.",
        least=0,
    )
    vanishing_gradient: float = number(
        _FIT.vanishing_gradient, "A mean gradient norm below this is reported as vanishing; default 1e-07.", above=0
    )
    exploding_gradient: float = number(
        _FIT.exploding_gradient, "A gradient norm above this is reported as exploding; default 100.", above=0
    )
    seed: int = integer(0, "Same seed and same samples, same model; default 0.")
    timeout: float = duration(600.0, "A training that takes longer is ended; default 10m.", least=1.0)

    @property
    def recipe(self) -> Recipe:
        """What the training itself needs to know."""
        known = {f.name for f in fields(self)}
        settings = {f.name: getattr(self, f.name) for f in fields(FitConfig) if f.name in known}
        fit = FitConfig(**settings, keep_best=self.patience > 0)
        return Recipe(self.networks, self.layers, self.activation, self.dropout, fit)


@dataclass(frozen=True)
class GateSection:
    """[gate]."""

    margin: float = number(
        _GATE.margin,
        "How much worse than the serving model a candidate may look by chance, in standard errors of the\n"
        "difference in Brier score; default 1.",
        least=0,
    )
    min_skill: float = number(
        _GATE.min_skill, "Brier skill over the base rate that a candidate must have; ratio, default 0.", most=1
    )


@dataclass(frozen=True)
class AnomalyConfig:
    """[anomaly]."""

    enabled: bool = switch(True, "Whether the host is watched for anomalies; default true.")
    false_alarms_per_month: float = number(
        2.0, "False alarms that are allowed in 30 days; default 2.", above=0, most=100
    )
    min_history: float = duration(3 * DAY, "History from which a detector is learned; default 3d.", least=DAY)
    maintenance: tuple[RecurringWindow, ...] = option(
        (),
        parse_windows,
        'When nothing is called an anomaly, in UTC; a list as ["daily 03:00-03:30", "sun 02:00-04:00"], default [].',
        takes="a list of hours of every day or of a day of the week",
        example='["daily 03:00-03:30", "sun 02:00-04:00"]',
        write=format_windows,
    )


@dataclass(frozen=True)
class WebConfig:
    """[web]."""

    listen: str = string(
        "127.0.0.1:10190",
        "Address and port of the HTTP endpoint; default 127.0.0.1:10190 (this machine only).",
        pattern=r"(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}",
        example="127.0.0.1:10190",
    )
    host_metrics: bool = switch(True, "Whether the host's own figures (monitor_host_*) are exposed; default true.")
    config_file: str = string(
        "",
        "TLS, client certificates and users: a web.config.yml (docs/reference/http.md), relative to this\n"
        "file. Default (empty): none.",
    )
    allowed_hosts: tuple[str, ...] = texts(
        (),
        "Names by which the page and the API may be asked for beside this machine's own, localhost and addresses,\n"
        'as shell patterns, e.g. ["*.example.org"]; default none. Metrics and probes answer to any name.',
    )
    lifecycle: bool = switch(False, "Whether POST /-/reload does what SIGHUP does; default false.")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


@dataclass(frozen=True)
class LogConfig:
    """[log]."""

    level: str = choice("info", ("debug", "info", "warning", "error"), "debug, info, warning or error; default info.")
    format: str = choice("text", ("text", "json"), "text or json, one line an event; default text.")


SECTIONS: dict[str, Any] = {
    "sampling": SamplingConfig,
    "storage": StorageConfig,
    "high_load": HighLoadConfig,
    "warning": WarningConfig,
    "training": TrainingConfig,
    "gate": GateSection,
    "anomaly": AnomalyConfig,
    "web": WebConfig,
    "log": LogConfig,
}
