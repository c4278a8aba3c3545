"""Loader of config.toml: find, read and validate the configuration."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from model.features.labels import Rules
from monitor.config.capacity.section import CapacitySection
from monitor.config.database_url import (
    is_host_name,
    is_local_url,
    is_server_url,
    local_host_name,
    url_of_host,
)
from monitor.config.events_section import EventsSection
from monitor.config.fleet.fleet_section import FleetSection
from monitor.config.fleet.source_section import SourceSection
from monitor.config.notify.section import NotifySection
from monitor.config.schema import (
    SECTIONS,
    AnomalySection,
    GateSection,
    HighLoadSection,
    LogSection,
    SamplingSection,
    StorageSection,
    TrainingSection,
    WarningSection,
)
from monitor.config.section_codec import read_section
from monitor.config.web_section import WebSection
from monitor.errors import ConfigError
from monitor.sampling.sources import make_sources
from monitor.system.redaction import redact_credentials
from monitor.system.suggestions import suggestion
from monitor.system.text_files import read_text

SYSTEM_CONFIG = Path("/etc/monitor/config.toml")
MAX_PORT = 65535


@dataclass(frozen=True)
class Config:
    """A complete, valid configuration.

    Attributes:
        path: file that the configuration was read from; None for the defaults.
    """

    sampling: SamplingSection = field(default_factory=SamplingSection)
    source: SourceSection = field(default_factory=SourceSection)
    fleet: FleetSection = field(default_factory=FleetSection)
    storage: StorageSection = field(default_factory=StorageSection)
    high_load: HighLoadSection = field(default_factory=HighLoadSection)
    warning: WarningSection = field(default_factory=WarningSection)
    training: TrainingSection = field(default_factory=TrainingSection)
    gate: GateSection = field(default_factory=GateSection)
    anomaly: AnomalySection = field(default_factory=AnomalySection)
    capacity: CapacitySection = field(default_factory=CapacitySection)
    events: EventsSection = field(default_factory=EventsSection)
    notify: NotifySection = field(default_factory=NotifySection)
    web: WebSection = field(default_factory=WebSection)
    log: LogSection = field(default_factory=LogSection)
    path: Path | None = None

    @property
    def rules(self) -> Rules:
        """Return the high-load rules with the duration for which a rule must hold."""
        return Rules(self.high_load.rules, self.high_load.sustained)

    @property
    def database_url(self) -> str:
        """Return storage.url; by default the URL of monitor.db in `default_state_directory`.

        The URL of a database on a server includes the name of this host.
        """
        url = self.storage.url or f"sqlite:///{default_state_directory(os.environ) / 'monitor.db'}"
        return url_of_host(url, self.host_name) if is_server_url(url) else url

    @property
    def host_name(self) -> str:
        """Return storage.host; by default the name of this host."""
        return self.storage.host or local_host_name()

    @property
    def web_file(self) -> Path | None:
        """Return web.config_file, resolved against the directory of `path`; None if it is not set."""
        if not self.web.config_file:
            return None
        return self.directory / self.web.config_file

    @property
    def directory(self) -> Path:
        """Directory at which the relative paths in the configuration start."""
        return self.path.parent if self.path else Path()

    @property
    def stays_local(self) -> bool:
        """True if all connections are with this host: from clients, to channels, database and source of a fleet."""
        servers_are_local = self.source.is_local and is_local_url(self.storage.url)
        channels_are_local = all(channel.is_local for _, channel in self.notify.channels)
        return self.web.listens_locally and channels_are_local and servers_are_local


Check = Callable[[Config], Sequence[str]]
"""Additional check of a configuration; returns one line per problem."""


def default_state_directory(environ: Mapping[str, str]) -> Path:
    """Return the default directory of the database.

    The first of these applies: $STATE_DIRECTORY; /var/lib/monitor for root; `monitor` in $XDG_STATE_HOME;
    ~/.local/state/monitor.
    """
    if environ.get("STATE_DIRECTORY"):
        return Path(environ["STATE_DIRECTORY"].split(":")[0])
    if os.geteuid() == 0:
        return Path("/var/lib/monitor")
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "monitor"


def find_config(given: str | None, environ: Mapping[str, str]) -> Path | None:
    """Return the configuration file to read; None to use the defaults.

    Args:
        given: path from the command line; takes precedence over $MONITOR_CONFIG, ./config.toml and SYSTEM_CONFIG.
        environ: environment variables.
    """
    if given or environ.get("MONITOR_CONFIG"):
        return Path(given or environ["MONITOR_CONFIG"])
    return next((path for path in (Path("config.toml"), SYSTEM_CONFIG) if path.is_file()), None)


def load_config(path: Path | None, checks: Sequence[Check] = ()) -> Config:
    """Load and validate a configuration.

    Args:
        path: the configuration file; None for the defaults.
        checks: additional checks; they also run if keys are invalid, with the defaults of these keys.

    Raises:
        ConfigError: the configuration is invalid; one line per problem, each naming the file and the key.
    """
    config, problems = _read_file(path)
    problems += [problem for check in checks for problem in check(config)]
    if problems:
        raise ConfigError(problems)
    return config


def _read_file(path: Path | None) -> tuple[Config, list[str]]:
    """Return the configuration of a file, with defaults for invalid keys, and its problems with file and key.

    Raises:
        ConfigError: the file cannot be read, or is not valid TOML.
    """
    if path is None:
        return Config(), []
    try:
        text, _ = read_text(path)
    except ValueError as error:
        raise ConfigError([str(error)]) from error
    config, problems = read_config(_parse(path, text))
    return replace(config, path=path.absolute()), [f"{path}: {redact_credentials(problem)}" for problem in problems]


def _parse(path: Path, text: str) -> dict[str, Any]:
    """Return the tables of a TOML document.

    Raises:
        ConfigError: the text is not valid TOML, or nested so deeply that the parser gives up.
    """
    try:
        # Some editors write a byte order mark, which TOML does not allow.
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError as error:
        raise ConfigError([f"{path}: not valid TOML: nested too deeply"]) from error
    except ValueError as error:
        # tomllib.TOMLDecodeError, or a number with more digits than Python converts.
        raise ConfigError([f"{path}: not valid TOML: {error}"]) from error


def read_config(data: Mapping[str, Any]) -> tuple[Config, list[str]]:
    """Return the configuration in parsed TOML, with defaults for invalid keys, and its problems with their keys."""
    problems = [f"{name}: unknown section{suggestion(name, SECTIONS)}" for name in data if name not in SECTIONS]
    sections = {}
    for name, section in SECTIONS.items():
        sections[name], section_problems = read_section(section, data.get(name, {}), name)
        problems += section_problems
    config = Config(**sections)
    # An invalid key has its default here, so combinations of keys are checked only if every key is valid.
    return config, problems or _conflicts(config)


def _conflicts(config: Config) -> list[str]:
    """Return one line for each conflict between valid keys, and for a port above MAX_PORT."""
    problems = config.source.problems() + config.fleet.problems()
    problems += _fleet_conflicts(config) if config.source.is_fleet else _host_conflicts(config)
    if config.training.history < config.training.min_history:
        problems.append("training.history: must be at least training.min_history")
    if config.storage.retention < config.training.min_history:
        problems.append("storage.retention: must be at least training.min_history, or no training can start")
    if is_server_url(config.storage.url) and not config.storage.host and not is_host_name(local_host_name()):
        problems.append("storage.host: must be set, as the name of this host is not a valid one")
    port = config.web.address[1]
    if port > MAX_PORT:
        problems.append(f"web.listen: port {port} is above {MAX_PORT}")
    return problems


def _fleet_conflicts(config: Config) -> list[str]:
    """Return one line for each conflict with the samples of many hosts."""
    if config.fleet.high_availability and not is_server_url(config.storage.url):
        return ["fleet.high_availability: needs a storage.url of PostgreSQL, which all processes share"]
    step = config.source.step
    shortest_horizon = config.high_load.horizons[0]
    if shortest_horizon < step:
        return [f"high_load.horizons: {shortest_horizon:g} s is shorter than source.step ({step:g} s)"]
    return []


def _host_conflicts(config: Config) -> list[str]:
    """Return one line for each conflict with the samples of this host."""
    problems = []
    interval = config.sampling.interval
    shortest_horizon = config.high_load.horizons[0]
    if shortest_horizon < interval:
        problems.append(
            f"high_load.horizons: {shortest_horizon:g} s is shorter than sampling.interval ({interval:g} s)"
        )
    sampled = {name for source in make_sources(config.sampling.sources) for name in source.fields}
    problems += [
        f"high_load.rules: {metric} is not sampled: its source is missing from sampling.sources"
        for metric in config.rules.metrics
        if metric not in sampled
    ]
    return problems
