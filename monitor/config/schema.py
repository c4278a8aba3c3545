"""Schema of config.toml: one dataclass per section, one field per key.

`section_codec` reads and writes the sections. The commented config.toml and the reference page are generated from
these fields.
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
from monitor.config.capacity.section import CapacitySection
from monitor.config.database_url import database_url, read_host
from monitor.config.events_section import EventsSection
from monitor.config.fleet.fleet_section import FleetSection
from monitor.config.fleet.source_section import SourceSection
from monitor.config.list_options import durations, integers, strings
from monitor.config.maintenance_windows import RecurringWindow, format_windows, parse_windows
from monitor.config.notify.section import NotifySection
from monitor.config.options import boolean, choice, duration, integer, number, option
from monitor.config.rule_options import RuleBounds, rules
from monitor.config.web_section import WebSection
from monitor.sampling.sources import SOURCES

_RECIPE = Recipe()
_FIT = FitConfig()
_GATE = GateConfig()


@dataclass(frozen=True)
class SamplingSection:
    """Section [sampling]: interval and sources of the samples."""

    interval: float = duration(5.0, "Interval between samples.", minimum=1.0)
    sources: tuple[str, ...] = strings(tuple(SOURCES), "Sources of host figures to read.", allowed=tuple(SOURCES))
    network_exclude: tuple[str, ...] = strings(
        (),
        "Network interfaces to ignore, as shell patterns. Loopback and virtual interfaces are always ignored.",
        example=("wg*",),
    )


@dataclass(frozen=True)
class StorageSection:
    """Section [storage]: database and retention."""

    url: str = database_url(
        "",
        "URL of the database: sqlite:/// and the path of a SQLite file, or postgresql+psycopg:// and the address of "
        "a PostgreSQL database (see its guide). A password is never part of it.",
        default_text="monitor.db in $STATE_DIRECTORY (set by systemd), else in /var/lib/monitor for root, else in "
        "the user's state directory",
    )
    host: str = option(
        "",
        read_host,
        "Name of this host in a PostgreSQL database that several hosts share, at most 55 characters: lower-case "
        "letters, digits, dots, hyphens and underscores. SQLite ignores it.",
        takes="a string",
        example='"web-1"',
        default_text="the name of the host",
    )
    retention: float = duration(
        90 * DAY,
        "Age at which samples and predictions are deleted. Time without samples does not count, if it lasts longer "
        "than two hours: a clock that was set ahead deletes nothing.",
        minimum=HOUR,
    )


@dataclass(frozen=True)
class HighLoadSection:
    """Section [high_load]: definition of high load, and horizons of the predictions."""

    rules: tuple[RuleBounds, ...] = rules(
        ((("cpu_usage", 0.85),), (("cpu_usage", 0.60), ("memory_usage", 0.80))),
        "Rules that define high load. A sample is high load if it reaches all bounds of one rule. A quantile such as "
        '"p95" is computed from the training data.',
    )
    sustained: float = duration(
        60.0, "Time for which a rule must hold to count as high load; 0s counts every sample."
    )
    horizons: tuple[float, ...] = durations((300.0, 900.0, 3600.0), "Horizons of the predictions.")


@dataclass(frozen=True)
class WarningSection:
    """Section [warning]: target precision of the warnings."""

    precision: float = number(
        0.8, "Target precision of warnings, a ratio; the warning threshold follows from it.", above=0, maximum=1
    )


@dataclass(frozen=True)
class TrainingSection:
    """Section [training]: schedule, networks and optimisation of the training runs."""

    interval: float = duration(
        14 * DAY,
        "Longest time between two scheduled retrainings. Retrain earlier if the history has grown by a quarter.",
        minimum=10.0,
    )
    history: float = duration(90 * DAY, "Length of the history to train on.", minimum=10.0)
    min_history: float = duration(2 * HOUR, "Length of history needed for the first training run.", minimum=10.0)
    networks: int = integer(
        _RECIPE.networks,
        "Number of networks in the ensemble. Half of them, rounded down, use piecewise-linear codes of the features.",
        minimum=1,
    )
    layers: tuple[int, ...] = integers(
        _RECIPE.layers, "Units of each hidden layer; networks with codes have the first layer only."
    )
    activation: str = choice(_RECIPE.activation, tuple(ACTIVATIONS), "Activation function of the hidden layers.")
    optimizer: str = choice("adamw", tuple(OPTIMIZERS), "Optimizer that trains the networks.")
    learning_rate: float = number(_FIT.learning_rate, "Maximum learning rate.", above=0, maximum=10)
    schedule: str = choice("cosine", tuple(SCHEDULES), "Learning rate schedule.")
    epochs: int = integer(_FIT.epochs, "Maximum number of epochs.", minimum=1)
    batch_size: int = integer(_FIT.batch_size, "Maximum number of rows in a batch.", minimum=1)
    weight_decay: float = number(
        _FIT.weight_decay, "Decoupled weight decay; used by adamw only.", minimum=0, maximum=1
    )
    dropout: float = number(_RECIPE.dropout, "Dropout rate of the hidden layers.", minimum=0, maximum=0.9)
    gradient_clip: float = number(
        _FIT.gradient_clip, "Maximum L2 norm of the gradient; 0 disables clipping.", minimum=0
    )
    patience: int = integer(
        0,
        "Number of epochs without a lower validation loss after which a fit stops and keeps the best epoch. "
        "0 runs all epochs and keeps the last. The validation data is the newest fifth of the history.",
    )
    vanishing_gradient: float = number(
        _FIT.vanishing_gradient, "Mean gradient norm below which gradients are reported as vanishing.", above=0
    )
    exploding_gradient: float = number(
        _FIT.exploding_gradient, "Gradient norm above which gradients are reported as exploding.", above=0
    )
    seed: int = integer(0, "Seed of the random numbers; the same seed and samples give the same model.")
    timeout: float = duration(600.0, "Time after which a training run is aborted.", minimum=1.0)

    @property
    def recipe(self) -> Recipe:
        """Return the network architecture and the fit settings as a `Recipe`."""
        names = {key.name for key in fields(self)}
        settings = {key.name: getattr(self, key.name) for key in fields(FitConfig) if key.name in names}
        fit = FitConfig(**settings, keep_best=self.patience > 0)
        return Recipe(
            networks=self.networks, layers=self.layers, activation=self.activation, dropout=self.dropout, fit=fit
        )


@dataclass(frozen=True)
class GateSection:
    """Section [gate]: conditions under which a candidate replaces the incumbent."""

    margin: float = number(
        _GATE.margin,
        "Margin by which a candidate may score worse than the incumbent, in standard errors of the difference in "
        "Brier score.",
        minimum=0,
    )
    min_skill: float = number(
        _GATE.min_skill, "Lowest Brier skill over the base rate that a candidate may have.", maximum=1
    )


@dataclass(frozen=True)
class AnomalySection:
    """Section [anomaly]: anomaly detection and its maintenance windows."""

    enabled: bool = boolean(True, "Detect anomalies.")
    false_alarms_per_month: float = number(
        2.0, "False-alarm budget: number of false alarms allowed in 30 days.", above=0, maximum=100
    )
    min_history: float = duration(3 * DAY, "Length of history needed to train the anomaly detector.", minimum=DAY)
    maintenance: tuple[RecurringWindow, ...] = option(
        (),
        parse_windows,
        "Recurring maintenance windows in UTC, during which no anomaly is reported, such as "
        '["daily 03:00-03:30", "sun 02:00-04:00"].',
        takes="a list of daily or weekly windows",
        example='["daily 03:00-03:30", "sun 02:00-04:00"]',
        write=format_windows,
    )


@dataclass(frozen=True)
class LogSection:
    """Section [log]: level and format of the log."""

    level: str = choice("info", ("debug", "info", "warning", "error"), "Lowest level to log.")
    format: str = choice("text", ("text", "json"), "Format of a log line: text, or one JSON object.")


SECTIONS: dict[str, Any] = {
    "sampling": SamplingSection,
    "source": SourceSection,
    "fleet": FleetSection,
    "storage": StorageSection,
    "high_load": HighLoadSection,
    "warning": WarningSection,
    "training": TrainingSection,
    "gate": GateSection,
    "anomaly": AnomalySection,
    "capacity": CapacitySection,
    "events": EventsSection,
    "notify": NotifySection,
    "web": WebSection,
    "log": LogSection,
}
"""Dataclass of each section by its name in config.toml."""
