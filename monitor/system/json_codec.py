"""JSON form of dataclass trees: encoder with null for non-finite numbers, decoder with type checks."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""Plain JSON data as `json.loads` returns it."""

T = TypeVar("T")


class DecodeError(ValueError):
    """Raised if JSON data does not have the expected type; `path` locates the value, such as `epochs[2].number`."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path or 'document'}: {message}")
        self.path = path


def to_plain(value: object) -> JsonValue:
    """Return a dataclass, enum, mapping or sequence as plain JSON data.

    Numbers that are not finite become null: JSON has neither NaN nor infinity. The trailing underscore of a field
    such as `from_` is dropped.

    Raises:
        TypeError: a value has a type without a JSON form.
    """
    if isinstance(value, Enum):
        return to_plain(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if is_dataclass(value):
        return {json_key(field): to_plain(getattr(value, field.name)) for field in fields(value)}
    return _collection_to_plain(value)


def _collection_to_plain(value: object) -> JsonValue:
    if isinstance(value, Mapping):
        return {str(key): to_plain(entry) for key, entry in value.items()}
    if isinstance(value, Sequence):
        return [to_plain(entry) for entry in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def to_json(value: object) -> str:
    """Return the JSON text of a dataclass, mapping or sequence; see `to_plain`."""
    return json.dumps(to_plain(value), allow_nan=False)


def json_key(field: Field[Any]) -> str:
    """Return the JSON key of a dataclass field: its name without a trailing underscore."""
    return field.name.removesuffix("_")


def from_plain(kind: type[T], data: object) -> T:
    """Convert plain JSON data to a dataclass; unknown keys are ignored.

    Args:
        kind: the dataclass; its fields are scalars, enums, literals, unions, dataclasses, tuples and mappings.
        data: plain JSON data.

    Raises:
        DecodeError: a key is missing, or a value has another type.
    """
    decoded: T = _decode(kind, data, "")
    return decoded


def _decode(kind: Any, data: object, path: str) -> Any:
    """Decode a value of any supported type; dispatch on the type or its generic origin."""
    if is_dataclass(kind):
        return _decode_dataclass(kind, data, path)
    origin = get_origin(kind) or kind
    decode = _DECODERS.get(origin)
    if decode is not None:
        return decode(get_args(kind), data, path)
    if isinstance(origin, type) and issubclass(origin, Enum):
        return _decode_enum(origin, data, path)
    raise TypeError(f"{path}: no decoder for {kind}")


@cache
def _field_types(kind: type) -> tuple[tuple[Field[Any], Any], ...]:
    types = get_type_hints(kind)
    return tuple((field, types[field.name]) for field in fields(kind))


def _decode_dataclass(kind: Any, data: object, path: str) -> Any:
    if not isinstance(data, dict):
        raise _mismatch(path, "an object", data)
    values = {}
    for field, field_type in _field_types(kind):
        key = json_key(field)
        place = f"{path}.{key}" if path else key
        if key in data:
            values[field.name] = _decode(field_type, data[key], place)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise DecodeError(place, "missing")
    return kind(**values)


def _decode_union(kinds: tuple[Any, ...], data: object, path: str) -> Any:
    error: DecodeError | None = None
    for kind in kinds:
        try:
            return _decode(kind, data, path)
        except DecodeError as refused:
            # The error for an alternative other than null says more.
            if error is None or kind is not type(None):
                error = refused
    raise error or DecodeError(path, "no alternative fits")


def _decode_tuple(kinds: tuple[Any, ...], data: object, path: str) -> tuple[Any, ...]:
    if not isinstance(data, list | tuple):
        raise _mismatch(path, "an array", data)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(data)
    if len(kinds) != len(data):
        raise DecodeError(path, f"expected {len(kinds)} entries, got {len(data)}")
    pairs = enumerate(zip(kinds, data, strict=True))
    return tuple(_decode(kind, entry, f"{path}[{number}]") for number, (kind, entry) in pairs)


def _decode_mapping(kinds: tuple[Any, ...], data: object, path: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _mismatch(path, "an object", data)
    return {str(key): _decode(kinds[1], entry, f"{path}.{key}") for key, entry in data.items()}


def _decode_float(_: tuple[Any, ...], data: object, path: str) -> float:
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise _mismatch(path, "a number", data)
    try:
        number = float(data)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _mismatch(path, "a finite number", str(data)[:60])
    return number


def _decode_int(_: tuple[Any, ...], data: object, path: str) -> int:
    if isinstance(data, bool) or not isinstance(data, int):
        raise _mismatch(path, "an integer", data)
    return data


def _decode_str(_: tuple[Any, ...], data: object, path: str) -> str:
    if not isinstance(data, str):
        raise _mismatch(path, "a string", data)
    return data


def _decode_bool(_: tuple[Any, ...], data: object, path: str) -> bool:
    if not isinstance(data, bool):
        raise _mismatch(path, "true or false", data)
    return data


def _decode_none(_: tuple[Any, ...], data: object, path: str) -> None:
    if data is not None:
        raise _mismatch(path, "null", data)


def _decode_literal(values: tuple[Any, ...], data: object, path: str) -> Any:
    if data not in values:
        raise _mismatch(path, f"one of {', '.join(map(str, values))}", data)
    return data


def _decode_enum(kind: type[Enum], data: object, path: str) -> Enum:
    try:
        return kind(data)
    except ValueError as error:
        raise _mismatch(path, f"one of {', '.join(str(member.value) for member in kind)}", data) from error


def _mismatch(path: str, expected: str, data: object) -> DecodeError:
    text = json.dumps(data, default=str)
    return DecodeError(path, f"expected {expected}, got {text[:60]}")


_DECODERS: dict[Any, Callable[[tuple[Any, ...], object, str], Any]] = {
    float: _decode_float,
    int: _decode_int,
    str: _decode_str,
    bool: _decode_bool,
    type(None): _decode_none,
    tuple: _decode_tuple,
    Mapping: _decode_mapping,
    dict: _decode_mapping,
    Literal: _decode_literal,
    Union: _decode_union,
    UnionType: _decode_union,
}
