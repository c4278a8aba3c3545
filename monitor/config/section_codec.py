"""Codec of configuration sections: parsed tables to dataclasses of options, and back to TOML."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from monitor.config.options import Option, option_of
from monitor.system.suggestions import suggestion

Section = TypeVar("Section")

COMMENT_WIDTH = 110
"""Longest line of a comment, in characters."""


def read_section(section: type[Section], table: Any, path: str) -> tuple[Section, list[str]]:
    """Read a section and collect every problem in it; an invalid key keeps its default.

    Args:
        section: dataclass of options.
        table: parsed value of the section; a value that is not a table is a problem.
        path: name of the section, for the messages.

    Returns:
        The section, and one line per problem, which begins with the section and key.
    """
    if not isinstance(table, Mapping):
        return section(), [f"{path}: must be a table"]
    keys = {key.name: key for key in fields(section)}  # type: ignore[arg-type]
    values = {}
    problems = []
    for name, value in table.items():
        if name not in keys:
            problems.append(f"{path}.{name}: unknown key{suggestion(name, keys)}")
            continue
        try:
            values[name] = option_of(keys[name]).read(value)
        except ValueError as error:
            problems += [f"{path}.{name}: {line}" for line in str(error).splitlines()]
    return section(**values), problems


def format_section(section: Any, path: str, *, comments: bool) -> str:
    """Return a section as TOML.

    Args:
        section: instance of a dataclass of options.
        path: name of the section.
        comments: True to write the description, allowed values and default above each key.
    """
    lines = [f"[{path}]"]
    for key in fields(section):
        details = option_of(key)
        if comments:
            text = f"{details.description} Allowed: {details.takes}. Default: {default_text(details, key.default)}."
            comment = textwrap.wrap(text, COMMENT_WIDTH - 2, break_long_words=False, break_on_hyphens=False)
            lines += ["", *(f"# {line}" for line in comment)]
        lines.append(f"{key.name} = {details.write(getattr(section, key.name))}")
    return "\n".join(lines)


def default_text(details: Option, default: Any) -> str:
    """Return the default of an option: in words if the option has a `default_text`, otherwise as TOML."""
    return details.default_text or details.write(default)
