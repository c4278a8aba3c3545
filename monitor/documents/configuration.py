"""Configuration document: result of `monitor check-config`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ConfigCheckDocument:
    """Result of `monitor check-config`.

    Attributes:
        file: path of the file; None for the defaults.
        problems: one sentence per problem, each with its key.
        config: effective values of each section, durations in seconds; None if there are problems.
    """

    file: str | None
    problems: tuple[str, ...] = ()
    config: Mapping[str, Mapping[str, object]] | None = None
