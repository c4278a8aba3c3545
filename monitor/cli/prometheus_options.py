"""Options of `monitor import` for a server with the Prometheus API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from monitor.cli.parameters import DURATION, START

DEFAULT_TIMEOUT = 120.0
"""Seconds to wait for an answer: the default `query.timeout` of Prometheus."""

SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Headers with credentials, in lower case: the command line is visible to all users of the host."""


@dataclass(frozen=True)
class ServerUrl:
    """URL of a server.

    Attributes:
        base: URL without user.
        user: user name; empty for none.
    """

    base: str
    user: str


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


class UrlOfServer(click.ParamType[ServerUrl]):
    """Parameter type: URL of a server, without a password."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ServerUrl:
        """Return the URL; no message contains a password."""
        from urllib.parse import unquote, urlsplit, urlunsplit  # noqa: PLC0415

        if isinstance(value, ServerUrl):
            return value
        try:
            parts = urlsplit(str(value))
            port = parts.port
        except ValueError:
            self.fail("is not a URL such as http://127.0.0.1:9090", param, ctx)
        if parts.password is not None:
            self.fail(
                "must not contain a password, which other users of this host could see: leave it out, and set "
                "MONITOR_PROMETHEUS_PASSWORD",
                param,
                ctx,
            )
        is_plain = str(value).isascii() and str(value).isprintable() and " " not in str(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
            self.fail("is not a URL such as http://127.0.0.1:9090", param, ctx)
        if parts.query or parts.fragment:
            self.fail("must end with the path prefix of the server, without ? and #", param, ctx)
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        netloc = host if port is None else f"{host}:{port}"
        path = parts.path.rstrip("/").removesuffix("/api/v1")
        return ServerUrl(urlunsplit((parts.scheme, netloc, path, "", "")), unquote(parts.username or ""))


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
        from monitor.config.http_client_config import parse_header  # noqa: PLC0415

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
