"""YAML that means one thing and costs little: what is ambiguous, or small on disk and large in memory, is refused."""

from __future__ import annotations

import re
from typing import Any

import yaml

LONGEST_NUMBER = 32
"""Characters of a number at most: the time to read one grows with the square of them."""

NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")

UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
"""What no name of a file and no line of a log can hold: NUL and half a character."""


def parse(text: str) -> Any:
    """The one document of a text.

    Raises:
        ValueError: what is wrong and where; never with the line itself, which may be a key.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - it is a SafeLoader
    except Exception as error:
        # PyYAML lets escape whatever a tag makes of a value that does not fit it
        raise ValueError(_told(error)) from error


def _told(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    if isinstance(error, yaml.YAMLError):
        return "it holds characters that YAML does not allow"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return f"a value does not fit its type ({type(error).__name__})"


class _Loader(yaml.SafeLoader):
    """Refuses what stands twice (which one counted would be a riddle), aliases and endless numbers."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise _wrong("aliases are not allowed; write it out", self.peek_event())  # type: ignore[no-untyped-call]
        return super().compose_node(parent, index)

    def construct_scalar(self, node: Any) -> Any:
        if node.tag in NUMBERS and len(node.value) > LONGEST_NUMBER:
            raise _wrong("a number is too long; quote what is a text", node)
        return super().construct_scalar(node)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise _wrong("must be a mapping", node)
        seen = set()
        for key, value in node.value:
            if any(UNWRITABLE.search(one.value) for one in (key, value) if isinstance(one, yaml.ScalarNode)):
                raise _wrong(f"{key.value!r} holds NUL or half a character (a surrogate)", key)
            if isinstance(key.value, str) and key.value in seen:
                raise _wrong(f"{key.value} stands twice", key)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _wrong(problem: str, place: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)
