"""Content negotiation: choice of the /metrics format from the Accept header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ExpositionFormat:
    """Exposition format of `/metrics`.

    Attributes:
        media_type: type and subtype.
        version: value of the media type parameter `version`.
        content_type: header Content-Type of the response.
    """

    media_type: str
    version: str
    content_type: str


TEXT_FORMAT = ExpositionFormat(
    media_type="text/plain",
    version="0.0.4",
    content_type="text/plain; version=0.0.4; charset=utf-8",
)

OPENMETRICS_FORMAT = ExpositionFormat(
    media_type="application/openmetrics-text",
    version="1.0.0",
    content_type="application/openmetrics-text; version=1.0.0; charset=utf-8",
)

FORMATS = (TEXT_FORMAT, OPENMETRICS_FORMAT)
"""Supported formats; the first is sent if both have the same weight, or if none is acceptable."""


@dataclass(frozen=True)
class MediaRange:
    """One element of an Accept header.

    Attributes:
        media_type: type and subtype in lower case, each of which may be "*".
        parameters: parameters of the media type, without `q`.
        weight: 0 (not acceptable) to 1.
    """

    media_type: str
    parameters: Mapping[str, str]
    weight: float

    def precedence(self, candidate: ExpositionFormat) -> int:
        """Return the precedence of the range for a format: 1 (`*/*`) to 4 (type and version); 0 without a match."""
        kind = candidate.media_type.partition("/")[0]
        rank = {"*/*": 1, f"{kind}/*": 2, candidate.media_type: 3}.get(self.media_type, 0)
        version = self.parameters.get("version")
        if not rank or version is None:
            return rank
        return rank + 1 if version == candidate.version else 0


def parse_accept(header: str) -> tuple[MediaRange, ...]:
    """Return the media ranges of an Accept header, without malformed elements."""
    ranges = []
    for element in _split(header, ","):
        media_type, *rest = (part.strip() for part in _split(element, ";"))
        if media_type.count("/") != 1:
            continue
        pairs = {
            name.strip().lower(): _unquoted(value.strip()) for name, _, value in (p.partition("=") for p in rest)
        }
        weight = parse_weight(pairs.pop("q", "1"))
        if weight is not None:
            ranges.append(MediaRange(media_type.lower(), pairs, weight))
    return tuple(ranges)


def choose_format(header: str) -> ExpositionFormat:
    """Return the supported format with the largest weight in an Accept header.

    The most specific range that matches a format determines its weight. A range with an unknown version matches no
    format. If no format is acceptable, the text format is returned, as RFC 9110 allows.
    """
    ranges = parse_accept(header)
    weights = [_weight_of(candidate, ranges) for candidate in FORMATS]
    best = max(weights)
    return FORMATS[weights.index(best)]


def _weight_of(candidate: ExpositionFormat, ranges: tuple[MediaRange, ...]) -> float:
    """Return the weight of a format; 0 if no range matches the format."""
    matching = [(media_range.precedence(candidate), media_range.weight) for media_range in ranges]
    precedence, weight = max(matching, default=(0, 0.0))
    return weight if precedence else 0.0


def _split(text: str, separator: str) -> list[str]:
    """Split a header at a separator outside quoted strings."""
    parts = [""]
    quoted = False
    for character in text:
        quoted ^= character == '"'
        if character == separator and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _unquoted(value: str) -> str:
    """Return the value of a parameter without the quotes of a quoted string."""
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] == '"' else value


def parse_weight(text: str) -> float | None:
    """Parse a weight from 0 to 1 with at most three decimals; return None if it is malformed."""
    whole, _, decimals = text.partition(".")
    digits = decimals.isascii() and decimals.isdigit() if decimals else True
    if whole not in ("0", "1") or not digits or len(decimals) > 3:
        return None
    weight = float(f"{whole}.{decimals or 0}")
    return weight if weight <= 1 else None
