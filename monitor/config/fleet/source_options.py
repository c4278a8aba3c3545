"""Options of the source of a fleet: URL, label matchers, headers and PromQL expressions.

The readers import what they need: the daemon of a single host loads nothing of the client.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from monitor.config.options import Option, abbreviate, option, option_field
from monitor.system.redaction import REDACTED
from monitor.system.suggestions import suggestion
from storage import SAMPLE_FIELDS

SELECTOR_VARIABLE = "$selector"
"""Variable of an expression for the label matchers that select the hosts."""

MAX_EXPRESSION_LENGTH = 8192
"""Largest length of an expression in characters: VictoriaMetrics refuses queries above 16 KiB."""

Pairs = tuple[tuple[str, str], ...]
"""Names with their texts, in the order of the file."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def server_url(description: str) -> Any:
    """Return an option for the base URL of a server; it may contain a user, but no password."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be a URL, not {abbreviate(value)}")  # noqa: TRY004
        if value:
            from monitor.sampling.history_sources.server_url import parse_server_url  # noqa: PLC0415

            parse_server_url(value)
        return value

    return option("", read, description, takes="a URL", example='"http://127.0.0.1:9090"', default_text="none")


def selector(description: str) -> Any:
    """Return an option for label matchers in braces."""

    def read(value: Any) -> str:
        from monitor.sampling.history_sources.prometheus_host import label_matchers  # noqa: PLC0415

        if not isinstance(value, str):
            raise ValueError(f"must be label matchers in braces, not {abbreviate(value)}")  # noqa: TRY004
        label_matchers(value)
        return value

    return option("", read, description, takes="label matchers in braces", example=json.dumps('{job="node"}'))


def headers(description: str) -> Any:
    """Return an option for HTTP headers without credentials; commands do not show their values."""

    def read(value: Any) -> Pairs:
        from monitor.config.http_client_config import HEADER_NAME, HEADER_VALUE, SECRET_HEADERS  # noqa: PLC0415

        pairs = _pairs(value, "headers")
        for name, text in pairs:
            if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(text):
                raise ValueError(f"{abbreviate(name)}: not a header with a line of printable ASCII")
            if name.lower() in SECRET_HEADERS:
                raise ValueError(f"{name} is a credential: state it in the file of source.http_config_file")
        return pairs

    return _table_option(
        read,
        description,
        takes="a table from header to value",
        example='{ X-Scope-OrgID = "team-a" }',
        show=lambda pairs: dict.fromkeys(dict(pairs), REDACTED),
    )


def expressions(description: str) -> Any:
    """Return an option for PromQL expressions by sample field, each of which contains SELECTOR_VARIABLE."""

    def read(value: Any) -> Pairs:
        pairs = _pairs(value, "PromQL expressions")
        problems = [problem for name, text in pairs for problem in _expression_problems(name, text)]
        if problems:
            raise ValueError("\n".join(problems))
        return pairs

    return _table_option(
        read,
        description,
        takes="a table from field to PromQL expression",
        example='{ load_per_cpu = "instance:load1_per_cpu:ratio{$selector}" }',
        show=dict,
    )


def _expression_problems(name: str, text: str) -> list[str]:
    """Return the problems of the expression of a field."""
    if name not in SAMPLE_FIELDS:
        return [f"{abbreviate(name)} is not a field{suggestion(name, SAMPLE_FIELDS)}"]
    if not text.strip() or len(text) > MAX_EXPRESSION_LENGTH:
        return [f"{name}: must be an expression of at most {MAX_EXPRESSION_LENGTH} characters"]
    if SELECTOR_VARIABLE not in text.replace("${selector}", SELECTOR_VARIABLE):
        return [f"{name}: must contain {SELECTOR_VARIABLE} in the braces of each metric, as in up{{$selector}}"]
    return []


def _pairs(value: Any, kind: str) -> Pairs:
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError(f"must be a table of {kind}, not {abbreviate(value)}")
    return tuple(value.items())


def _table_option(read: Any, description: str, *, takes: str, example: str, show: Any) -> Any:
    details = Option(
        read=read,
        write=_write_table,
        description=description,
        takes=takes,
        example=example,
        default_text="none",
        show=show,
    )
    return option_field((), details)


def _write_table(value: Any) -> str:
    """Return names and texts, as pairs or as a mapping, as an inline table of TOML."""
    entries = (
        f"{name if _BARE_KEY.fullmatch(name) else json.dumps(name)} = {json.dumps(text)}"
        for name, text in dict(value).items()
    )
    text = ", ".join(entries)
    return f"{{ {text} }}" if text else "{}"
