"""Section [source] of config.toml: this host, or every host of a time series database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from monitor.config.fleet.source_options import expressions, headers, selector, server_url
from monitor.config.notify.secret_options import file_name
from monitor.config.options import boolean, choice, duration, integer, string
from monitor.config.web_section import is_loopback
from monitor.system.formatting import format_duration

PRESETS = ("node_exporter", "windows_exporter", "telegraf", "monitor", "none")
"""Exporters whose metrics are mapped to the sample fields; `none` maps nothing."""

MAX_CONCURRENCY = 20
"""Largest value of `concurrency`: the default limit of Prometheus for all its clients."""

LEAST_WINDOW_STEPS = 2
"""Length of the default window in steps: a rate needs two scrapes, and hosts may be scraped once per step."""


@dataclass(frozen=True)
class SourceSection:
    """Section [source]: source of the samples, with the queries of a time series database."""

    kind: str = choice(
        "host",
        ("host", "prometheus"),
        "Source of the samples: this host, or every host of a server with the Prometheus API. The keys below are for "
        "prometheus.",
    )
    url: str = server_url(
        "URL of the server, with its path prefix such as /prometheus of Mimir. It may contain a user, whose password "
        "is in the environment variable MONITOR_PROMETHEUS_PASSWORD."
    )
    http_config_file: str = file_name(
        "File with credentials, TLS, proxy and secret headers: an HTTP client configuration in the format of "
        "Prometheus (docs/how-to/fleet.md). A relative path starts at the directory of this file."
    )
    headers: tuple[tuple[str, str], ...] = headers(
        "Headers of each request, such as the tenant. The output of commands does not show their values."
    )
    timeout: float = duration(10.0, "Time to wait for the answer of a query.", minimum=1.0)
    selector: str = selector("Label matchers that select the hosts; an empty one selects every host.")
    host_label: str = string(
        "instance", "Label that names a host.", pattern=r"[a-zA-Z_][a-zA-Z0-9_]*", example="instance"
    )
    step: float = duration(60.0, "Interval between samples, a whole number of seconds.", minimum=5.0)
    window: float = duration(
        0.0,
        "Time over which rates are computed, and after which a value is out of date; a whole number of seconds, at "
        "least two scrape intervals. 0s stands for two steps.",
    )
    delay: float = duration(
        5.0, "Time to wait after the end of each step, so that the server has the samples of that step."
    )
    preset: str = choice("node_exporter", PRESETS, "Exporter of the hosts, whose metrics are mapped to the fields.")
    fields: tuple[tuple[str, str], ...] = expressions(
        "PromQL expressions of fields, instead of those of the preset, with one series per host. $selector stands "
        "for label matchers, $__rate_interval for `window` and $__interval for `step`."
    )
    concurrency: int = integer(
        4, f"Largest number of queries at the same time, at most {MAX_CONCURRENCY}.", minimum=1
    )
    partial_answers: bool = boolean(
        False, "Accept answers of Thanos and VictoriaMetrics that lack the data of storage which is not available."
    )
    max_hosts: int = integer(20_000, "Number of hosts above which an answer is refused.", minimum=1)

    @property
    def is_fleet(self) -> bool:
        """True if the samples are those of many hosts."""
        return self.kind == "prometheus"

    @property
    def rate_window(self) -> float:
        """Return the seconds over which rates are computed."""
        return self.window or LEAST_WINDOW_STEPS * self.step

    @property
    def is_local(self) -> bool:
        """True if the samples come from this host, or from a server on it."""
        if not self.is_fleet:
            return True
        # The reader has validated the URL.
        host = urlsplit(self.url).hostname or ""
        return is_loopback(host)

    def http_config_path(self, directory: Path) -> Path | None:
        """Return `http_config_file`, resolved against a directory; None if it is not set."""
        return directory / self.http_config_file if self.http_config_file else None

    def problems(self) -> list[str]:
        """Return one line for each invalid combination of keys, which starts with the key."""
        problems = [
            f"source.{key}: must be a whole number of seconds" for key in ("step", "window") if getattr(self, key) % 1
        ]
        if self.concurrency > MAX_CONCURRENCY:
            problems.append(f"source.concurrency: must be at most {MAX_CONCURRENCY}")
        if not self.is_fleet:
            return problems
        if not self.url:
            problems.append('source.url: missing; kind = "prometheus" needs it')
        if self.delay > self.step / 2:
            problems.append(f"source.delay: must be at most half of source.step ({format_duration(self.step)})")
        if self.rate_window < self.step:
            problems.append(f"source.window: must be at least source.step ({format_duration(self.step)})")
        if self.preset == "none" and not self.fields:
            problems.append('source.fields: missing; preset = "none" needs expressions')
        return problems
