"""Codec of configuration sections: parsed tables to dataclasses of options, and back to TOML."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from monitor.config.options import NestedError, Option, option_of
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
        except NestedError as error:
            problems += [f"{path}.{name}.{line}" for line in str(error).splitlines()]
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
    tables = []
    for key in fields(section):
        details = option_of(key)
        value = details.show(getattr(section, key.name))
        if details.nested:
            tables += [*(_comment(details.description) if comments else ()), *details.write(value).splitlines()]
            continue
        if comments:
            default = default_text(details, key.default)
            lines += _comment(f"{details.description} Allowed: {details.takes}. Default: {default}.")
        lines.append(f"{key.name} = {details.write(value)}")
    return "\n".join(lines + tables)


def _comment(text: str) -> list[str]:
    """Return an empty line and a text as lines of a comment."""
    lines = textwrap.wrap(text, COMMENT_WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return ["", *(f"# {line}" for line in lines)]


def default_text(details: Option, default: Any) -> str:
    """Return the default of an option: in words if the option has a `default_text`, otherwise as TOML."""
    return details.default_text or details.write(default)
