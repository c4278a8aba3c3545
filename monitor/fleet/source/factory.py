"""Source factory: the source that a configuration describes, and the problems of its files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from monitor.config.http_client_config import load_http_settings
from monitor.config.loader import Config
from monitor.errors import ConfigError, MonitorError
from monitor.fleet.source.field_queries import FieldQueries
from monitor.fleet.source.prometheus_source import PrometheusSource
from monitor.sampling.history_sources.http_answers import OptionNames
from monitor.sampling.history_sources.http_client import HttpClient
from monitor.sampling.history_sources.server_url import parse_server_url

OPTION_NAMES = OptionNames(
    selector="source.selector", timeout="source.timeout", http_config="source.http_config_file"
)


def create_source(config: Config, environment: Mapping[str, str] = os.environ) -> PrometheusSource:
    """Return the source of a fleet; no query is sent.

    Args:
        config: configuration with source.kind = "prometheus".
        environment: environment variables, which may contain credentials.

    Raises:
        ConfigError: the HTTP client configuration or its files are invalid.
    """
    section = config.source
    url = parse_server_url(section.url)
    settings = load_http_settings(
        section.http_config_path(config.directory),
        dict(section.headers),
        environment,
        user=url.user,
        timeout=section.timeout,
    )
    try:
        client = HttpClient(url.base, settings, names=OPTION_NAMES, accepts_partial=section.partial_answers)
    except MonitorError as error:
        raise ConfigError([f"source.http_config_file: {error}"]) from error
    return PrometheusSource(client, section, config.fleet, config.sampling.network_exclude)


def source_problems(config: Config) -> Sequence[str]:
    """Return the problems of the section [source] and its files; empty for a source that is this host."""
    if not config.source.is_fleet or config.source.problems():
        return ()
    columns = FieldQueries(config.source).columns
    problems = [
        f"high_load.rules: {metric} is not a field of source.preset {config.source.preset}: state it in source.fields"
        for metric in config.rules.metrics
        if metric not in columns
    ]
    try:
        create_source(config)
    except ConfigError as error:
        problems += error.problems
    return problems
