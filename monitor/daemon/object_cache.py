"""Object cache: objects that are rebuilt only if their inputs have changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

Cached = TypeVar("Cached")


class ObjectCache:
    """Objects by name, each with the inputs that it was built from."""

    def __init__(self) -> None:
        self._objects: dict[str, tuple[tuple[object, ...], object]] = {}

    def copy(self) -> ObjectCache:
        """Return a copy, whose changes do not affect this one."""
        copy = ObjectCache()
        copy._objects = dict(self._objects)
        return copy

    def get(self, name: str, inputs: tuple[object, ...], build: Callable[[], Cached]) -> Cached:
        """Return the object with a name; first build it if there is none, or if its inputs were different.

        Args:
            name: name of the object.
            inputs: values that are compared with the inputs of the object.
            build: builds a new object.
        """
        cached = self._objects.get(name)
        if cached is not None and cached[0] == inputs:
            return cast(Cached, cached[1])
        new = build()
        self._objects[name] = inputs, new
        return new
