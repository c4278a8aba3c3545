"""Strict YAML parser: rejection of documents that are ambiguous or expensive to load."""

from __future__ import annotations

import re
from typing import Any

import yaml

MAX_NUMBER_LENGTH = 32
"""Longest number, in characters; the parsing time grows with the square of the length."""

NUMBER_TAGS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")

INVALID_CHARACTERS = re.compile("[\x00\ud800-\udfff]")
"""NUL and surrogates: neither file names nor log lines can contain them."""


def parse(text: str) -> Any:
    """Return the content of a YAML document.

    Raises:
        ValueError: the document is invalid. The message quotes no value, because a value may be a private key.
    """
    try:
        return yaml.load(text, _StrictLoader)  # noqa: S506 - it is a SafeLoader
    except Exception as error:
        # PyYAML does not wrap an exception from the conversion of a value to the type of its tag.
        raise ValueError(_message(error)) from error


def _message(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    if isinstance(error, yaml.YAMLError):
        return "contains characters that YAML does not allow"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return f"a value does not match its type ({type(error).__name__})"


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that rejects duplicate keys, aliases, INVALID_CHARACTERS and numbers beyond MAX_NUMBER_LENGTH."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise _error_at("aliases are not supported", event)
        return super().compose_node(parent, index)

    def construct_scalar(self, node: Any) -> Any:
        if node.tag in NUMBER_TAGS and len(node.value) > MAX_NUMBER_LENGTH:
            raise _error_at("number too long; quote it if it is text", node)
        return super().construct_scalar(node)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise _error_at("must be a mapping", node)
        keys = set()
        for key, value in node.value:
            if _has_invalid_characters(key) or _has_invalid_characters(value):
                raise _error_at(f"{key.value!r} contains NUL or a surrogate", key)
            if isinstance(key.value, str) and key.value in keys:
                raise _error_at(f"duplicate key {key.value}", key)
            keys.add(str(key.value))
        return super().construct_mapping(node, deep)


def _has_invalid_characters(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and INVALID_CHARACTERS.search(node.value) is not None


def _error_at(problem: str, node_or_event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node_or_event.start_mark)
