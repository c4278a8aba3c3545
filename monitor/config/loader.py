"""The configuration: config.toml to one frozen Config.

Every problem is collected and named with its file and key, so that one run of `check-config` shows them all.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from model.features.labels import Rules
from monitor.config.fields import nearest, read_section, write_section
from monitor.config.schema import (
    SECTIONS,
    AnomalyConfig,
    GateSection,
    HighLoadConfig,
    LogConfig,
    SamplingConfig,
    StorageConfig,
    TrainingConfig,
    WarningConfig,
    WebConfig,
)
from monitor.errors import ConfigError
from monitor.sampling.sources import make_sources
from monitor.system.logging import redact_credentials


@dataclass(frozen=True)
class Config:
    """Everything that can be configured. `path` is the file it came from, None where there was none."""

    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    high_load: HighLoadConfig = field(default_factory=HighLoadConfig)
    warning: WarningConfig = field(default_factory=WarningConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    gate: GateSection = field(default_factory=GateSection)
    anomaly: AnomalyConfig = field(default_factory=AnomalyConfig)
    web: WebConfig = field(default_factory=WebConfig)
    log: LogConfig = field(default_factory=LogConfig)
    path: Path | None = None

    @property
    def rules(self) -> Rules:
        """What high load is."""
        return Rules(self.high_load.rules, self.high_load.sustained)

    @property
    def database_url(self) -> str:
        """Where history is kept, with the default worked out."""
        return self.storage.url or f"sqlite:///{default_state_directory(os.environ) / 'monitor.db'}"

    @property
    def web_file(self) -> Path | None:
        """Where web.config_file is: a relative path begins where the file that names it is."""
        if not self.web.config_file:
            return None
        return (self.path.parent if self.path else Path()) / self.web.config_file


def default_state_directory(environ: Mapping[str, str]) -> Path:
    """Where this process may keep its database: given by systemd, the system's, or the user's own."""
    if environ.get("STATE_DIRECTORY"):
        return Path(environ["STATE_DIRECTORY"].split(":")[0])
    if os.geteuid() == 0:
        return Path("/var/lib/monitor")
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "monitor"


def find_config(given: str | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file: as given, $MONITOR_CONFIG, ./config.toml, /etc/monitor/config.toml, or none."""
    if given or environ.get("MONITOR_CONFIG"):
        return Path(given or environ["MONITOR_CONFIG"])
    usual = (Path("config.toml"), Path("/etc/monitor/config.toml"))
    return next((path for path in usual if path.is_file()), None)


def load_config(path: Path | None) -> Config:
    """The configuration of a file, or the defaults.

    Raises:
        ConfigError: with one line a problem, each naming the file and the key.
    """
    config, problems = _read_file(path)
    if problems:
        raise ConfigError(problems)
    return config


def load_checked(path: Path | None) -> Config:
    """The configuration of a file, for those who will serve it: the web.config.yml that it names is read too.

    Raises:
        ConfigError: with one line a problem, each naming the file and the key.
    """
    config, problems = _read_file(path)
    if config.web_file:
        from monitor.web.web_config.loader import load_web_config_file  # noqa: PLC0415

        try:
            load_web_config_file(config.web_file)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return config


def _read_file(path: Path | None) -> tuple[Config, list[str]]:
    """The configuration of a file, with the problems found in it, each naming the file and the key."""
    if path is None:
        return Config(), []
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not valid TOML: {error}"]) from error
    config, problems = read_config(data)
    return replace(config, path=path.absolute()), [redact_credentials(f"{path}: {problem}") for problem in problems]


def read_config(data: Mapping[str, Any]) -> tuple[Config, list[str]]:
    """The configuration from parsed TOML, with the problems found in it."""
    problems = [f"{name}: unknown section{nearest(name, tuple(SECTIONS))}" for name in data if name not in SECTIONS]
    found = {}
    for name, section in SECTIONS.items():
        found[name], wrong = read_section(section, data.get(name, {}), name)
        problems += wrong
    config = Config(**found)
    # A value that could not be read has its default now: what it means together with others is not known yet.
    return config, problems or _contradictions(config)


def _contradictions(config: Config) -> list[str]:
    """What is fine by itself and impossible together."""
    problems = []
    interval, nearest_horizon = config.sampling.interval, config.high_load.horizons[0]
    if nearest_horizon < interval:
        problems.append(
            f"high_load.horizons: {nearest_horizon:g} s is shorter than sampling.interval ({interval:g} s): "
            "nothing is sampled within it"
        )
    if config.training.history < config.training.min_history:
        problems.append("training.history: must be at least training.min_history")
    if config.storage.retention < config.training.min_history:
        problems.append("storage.retention: must be at least training.min_history, or no training ever begins")
    fields = {name for source in make_sources(config.sampling.sources) for name in source.fields}
    problems += [
        f"high_load.rules: {metric} is not sampled: sampling.sources lacks its source"
        for metric in config.rules.metrics
        if metric not in fields
    ]
    if config.web.address[1] > 65535:
        problems.append(f"web.listen: port {config.web.address[1]} is above 65535")
    return problems


def render(config: Config, *, comments: bool = False) -> str:
    """The effective configuration as TOML, without the passwords of its URLs."""
    parts = [write_section(getattr(config, name), name, comments=comments) for name in SECTIONS]
    return redact_credentials("\n\n".join(parts)) + "\n"


def document(config: Config) -> dict[str, Any]:
    """The effective configuration as plain JSON data, without the password of its URL; durations in seconds."""
    found = {name: asdict(getattr(config, name)) for name in SECTIONS}
    found["storage"]["url"] = redact_credentials(config.storage.url)
    return found


HEAD = """\
# monitor: every key with its default. What is not set here has it anyway; a key that is not known is an error.
# Durations are written "15s", "5m", "1h30m", "30d"; ratios are 0 to 1.

"""

if __name__ == "__main__":
    import sys

    sys.stdout.write(HEAD + render(Config(), comments=True))
