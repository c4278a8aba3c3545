"""Options of `monitor import` for a server with the Prometheus API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.parameters import DURATION, START

if TYPE_CHECKING:
    from monitor.sampling.history_sources.server_url import ServerUrl

DEFAULT_TIMEOUT = 120.0
"""Seconds to wait for an answer: the default `query.timeout` of Prometheus."""


@dataclass(frozen=True)
class PrometheusOptions:
    """Options for a server with the Prometheus API.

    Attributes:
        url: URL of the server with its path prefix.
        selector: label matchers of the host, in braces; empty to match everything.
        since: start of the history in seconds since the epoch; None for the whole time that samples are kept.
        step: seconds between two rows; None to choose it by the scrape interval.
        headers: additional headers.
        http_config: HTTP client configuration; None for none.
        timeout: seconds to wait for an answer.
    """

    url: ServerUrl
    selector: str
    since: float | None
    step: float | None
    headers: dict[str, str]
    http_config: Path | None
    timeout: float


class UrlOfServer(click.ParamType["ServerUrl"]):
    """Parameter type: URL of a server, without a password."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ServerUrl:
        """Return the URL; no message contains a password."""
        from monitor.sampling.history_sources.server_url import ServerUrl, parse_server_url  # noqa: PLC0415

        if isinstance(value, ServerUrl):
            return value
        try:
            return parse_server_url(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Selector(click.ParamType[str]):
    """Parameter type: label matchers in braces."""

    name = "selector"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the selector."""
        text = str(value).strip()
        if text and not (text.startswith("{") and text.endswith("}")):
            self.fail(f'{text!r} is not a list of label matchers such as {{instance="web1:9100"}}', param, ctx)
        return text


class Header(click.ParamType[tuple[str, str]]):
    """Parameter type: header without credentials, written as "Name: value"."""

    name = "header"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return (name, value); no message contains the value."""
        from monitor.config.http_client_config import SECRET_HEADERS, parse_header  # noqa: PLC0415

        if isinstance(value, tuple):
            return value
        try:
            header = parse_header(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if header[0].lower() in SECRET_HEADERS:
            self.fail(f"{header[0]} is a credential: state it in the file of --http-config", param, ctx)
        return header


class Step(click.ParamType[float]):
    """Parameter type: whole number of seconds, written as a duration."""

    name = "step"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the step in seconds."""
        seconds = DURATION.convert(value, param, ctx)
        if seconds % 1:
            self.fail(f"{value!r} is not a whole number of seconds", param, ctx)
        return seconds


OPTIONS = (
    click.option("--prometheus", "url", metavar="URL", type=UrlOfServer(),
        help="Import from the API of this server instead of files: Prometheus, Thanos, Mimir or VictoriaMetrics."),
    click.option("--selector", metavar="MATCHERS", type=Selector(), default="",
        help='Label matchers of the host, e.g. \'{instance="web1:9100"}\'. Default: the only host.'),
    click.option("--since", metavar="DURATION", type=START,
        help="Import this much history, or from this time on. Default: storage.retention."),
    click.option("--step", metavar="DURATION", type=Step(),
        help="Time between two rows. Default: the scrape interval, or sampling.interval if that is longer."),
    click.option("--header", "headers", metavar="'NAME: VALUE'", multiple=True, type=Header(),
        help="Header of each request, e.g. 'X-Scope-OrgID: team'; repeatable."),
    click.option("--http-config", metavar="FILE", type=click.Path(path_type=Path),
        help="Credentials, TLS, proxy and headers, in the HTTP client configuration of Prometheus."),
    click.option("--timeout", metavar="DURATION", type=DURATION, default=DEFAULT_TIMEOUT,
        help="Time to wait for each answer. Default: 2m."),
)  # fmt: skip


def prometheus_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options for a server, passed as one parameter `server`, which is None without `--prometheus`."""

    @wraps(function)
    def with_server(
        *args: Any,
        url: ServerUrl | None,
        selector: str,
        since: float | None,
        step: float | None,
        headers: tuple[tuple[str, str], ...],
        http_config: Path | None,
        timeout: float,
        **parameters: Any,
    ) -> int:
        server = None
        if url is not None:
            server = PrometheusOptions(url, selector, since, step, dict(headers), http_config, timeout)
        else:
            _refuse_without_server(click.get_current_context())
        return function(*args, server=server, **parameters)

    for option in reversed(OPTIONS):
        with_server = option(with_server)
    return with_server


def _refuse_without_server(context: click.Context) -> None:
    """Raise click.UsageError if an option for a server is given without `--prometheus`."""
    from click.core import ParameterSource  # noqa: PLC0415

    for name in ("selector", "since", "step", "headers", "http_config", "timeout"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = {"headers": "header"}.get(name, name).replace("_", "-")
            raise click.UsageError(f"--{option} needs --prometheus")
